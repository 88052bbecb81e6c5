//! Left alone: who looked at a thing, and left it as it was.
//!
//! A story of what does not happen is one of passes that did nothing. It reads the passes that the run kept
//! beside its records, and knows no controller. What a newcomer gets wrong: a pass that did something, whatever
//! it was, is told by the records; only the others are here.

use crate::controllers::fixes::Fixes;
use crate::kernel::SimTime;
use crate::model::{Actor, Kind, Subject};
use crate::trace::What;
use crate::trace::evidence::Pass;

use super::{Chain, Decider, Explainer, class};

/// A thing that was looked at after its last change, and not changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct LeftAlone {
    pub of: Subject,
    pub since: SimTime,
    /// Who looked, in the order of the first looks.
    pub by: Vec<Looker>,
    /// The fixes that were asked for when processes started, perhaps by a controller that never came to look.
    pub at_start: Vec<Decider>,
}

/// Who looked at it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub struct Looker {
    pub actor: Actor,
    /// In how many passes.
    pub times: usize,
    pub last: SimTime,
    /// The fixes that it asked for in these passes.
    pub asked: Vec<Decider>,
}

fn is_thing(subject: Subject) -> bool {
    matches!(subject.kind, Kind::App | Kind::Pool | Kind::Sandbox | Kind::Disk | Kind::Lease | Kind::Node)
}

impl Explainer<'_> {
    /// Who left alone what a chain's end is about, before it came; none where nobody did.
    pub(super) fn left_alone(&self, chain: &Chain) -> Option<LeftAlone> {
        let records = self.trace.records();
        let end = chain.links.first()?.record.index()?;
        // What never comes to rest, or never changes again, is looked at to the end of the run.
        let of = records.at(end);
        let latest = self.index().last(of.subject, usize::MAX, class::CHANGE | class::EVENT);
        let is_last = is_thing(of.subject) && latest.map(|at| self.walker.main(at)) == Some(end);
        let until = if is_last || of.what == What::Unsettled { records.len() } else { end };
        let thing = chain.links.iter().skip(usize::from(!is_last)).find(|link| is_thing(link.subject))?;
        // The link may be older than the last that was done to it.
        let changed = self.index().last(thing.subject, until, class::CHANGE).max(thing.record.index())?;
        let (since, changed_at) = (changed + 1, records.at(changed).at);
        let mut by: Vec<(Looker, u128)> = Vec::new();
        let passes = self.trace.evidence().passes_from(since).take_while(|pass| pass.ended as usize <= until);
        for pass in passes.filter(|pass| self.is_at(pass, thing.subject, since)) {
            let last = records.at((pass.ended as usize).saturating_sub(1)).at;
            match by.iter_mut().find(|(known, _)| known.actor == pass.actor) {
                Some((known, asked)) => {
                    (known.times, known.last) = (known.times + 1, last);
                    *asked |= pass.asked;
                }
                None => {
                    by.push((Looker { actor: pass.actor, times: 1, last, asked: Vec::new() }, pass.asked));
                }
            }
        }
        if by.is_empty() {
            return None;
        }
        let deciders = |asked: u128, at: SimTime| {
            let fixes = self.setting.fixes_at(at);
            Fixes::from_bits(asked).iter().map(|fix| Decider::Fix { fix, in_force: fixes.has(fix) }).collect()
        };
        let lookers = by.into_iter().map(|(looker, asked)| Looker { asked: deciders(asked, looker.last), ..looker });
        let (by, at_start) = (lookers.collect(), deciders(self.trace.evidence().asked_at_start(), changed_at));
        Some(LeftAlone { of: thing.subject, since: changed_at, by, at_start })
    }

    /// Whether a pass saw a thing as it is since that record.
    fn is_at(&self, pass: &Pass<'_>, thing: Subject, since: usize) -> bool {
        pass.about == Some(thing)
            || pass.looks.iter().any(|look| {
                let lists =
                    |kind| kind == thing.kind && (look.at == Subject::CLUSTER || self.index().is_of(thing, look.at));
                look.last as usize >= since && look.listed.map_or(look.at == thing, lists)
            })
    }
}
