//! The rule about deleted apps.
//!
//! What belongs to an app is `owners.rs`'s to say. What a newcomer gets wrong: the grace counts
//! from the app's own deletion, also for what is created later.

use crate::model::Subject;

use crate::world::judge::memory::{Text, View};

/// `nothing-outlives-its-app`: nothing belongs to a deleted app.
pub(in crate::world::judge) fn nothing_outlives_its_app(view: View<'_>, subject: Subject) -> Option<Text> {
    let app = view.leftover_of(subject)?;
    let limit = view.limits.grace.nothing_outlives_its_app;
    view.broken(true, || format!("{} was deleted: limit {}", view.world.log().name(app), limit.clock()))
}
