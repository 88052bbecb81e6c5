//! The values that a rule compared, by their names.
//!
//! A reason carries them as data; they are read from its serialised form, so that a new reason
//! needs no line here. Handles of entities become names. What a newcomer gets wrong: `by` is a
//! lease – the table of handles says so, for a number alone does not.

use serde_json::Value as Json;

use crate::model::{Kind, Name, Reason, Subject};
use crate::trace::Trace;

/// Fields of reasons that are handles, and of what.
const HANDLES: [(&str, Kind); 5] = [
    ("version", Kind::Version),
    ("disk", Kind::Disk),
    ("lease", Kind::Lease),
    ("by", Kind::Lease),
    ("sandbox", Kind::Sandbox),
];

/// The values of a reason.
pub(super) fn of(trace: &Trace, reason: Reason) -> Vec<(String, String)> {
    let Ok(Json::Object(outer)) = serde_json::to_value(reason) else { return Vec::new() };
    let Some(Json::Object(fields)) = outer.into_iter().next().map(|(_, fields)| fields) else { return Vec::new() };
    fields.into_iter().map(|(name, value)| (name.clone(), text(trace, &name, &value))).collect()
}

fn text(trace: &Trace, name: &str, value: &Json) -> String {
    let kind = HANDLES.iter().find(|(handle, _)| *handle == name).map(|(_, kind)| *kind);
    match (kind, value) {
        (Some(kind), Json::Number(index)) => {
            let index = index.as_u64().and_then(|index| u32::try_from(index).ok()).unwrap_or(u32::MAX);
            trace.name(Subject { kind, index }).to_string()
        }
        (_, Json::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// The other thing that a rule speaks of, when its text does not name it.
pub(super) fn counterpart(trace: &Trace, reason: Reason) -> Option<Name> {
    reason.speaks_of().map(|subject| trace.name(subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::SimDuration;
    use crate::model::LeaseId;
    use crate::trace::testing::Maker;

    #[test]
    fn values_have_names_and_handles_become_names() {
        let mut m = Maker::new();
        let lease = m.named(Kind::Lease, "lease/pds-data-0");
        let by = LeaseId::from_index(lease.index);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let secs = SimDuration::from_secs;
        for (reason, values) in [
            (Reason::AlreadyLeased { by }, vec![pair("by", "lease/pds-data-0")]),
            (Reason::TooFew { actual: 0, desired: 2 }, vec![pair("actual", "0"), pair("desired", "2")]),
            (
                Reason::StalePending { age: secs(318), limit: secs(300) },
                vec![pair("age", "5m18s"), pair("limit", "5m")],
            ),
            (Reason::CleanUp, vec![]),
        ] {
            assert_eq!(of(&m.trace, reason), values, "{reason:?}");
        }
    }
}
