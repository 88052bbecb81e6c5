//! The words that machines know records by: `what` and `rule`, and field values without paint.
//!
//! The very names of the JSON lines, so that a query over one form of the trace works on the others. It may
//! know records only.

use serde_json::Value as Json;

use crate::model::{Actor, Reason, Value};

use super::{Trace, What};

/// What kind of record it is: `decided`, `created`, `set`, …
pub(super) fn what(what: &What) -> String {
    variant(serde_json::to_value(what).unwrap_or_default())
}

/// The name of a reason: `too-few`, `boot-failed`, …
pub(super) fn rule(reason: &Reason) -> String {
    variant(serde_json::to_value(reason).unwrap_or_default())
}

/// Who acts, as the JSON lines have it.
pub(super) fn actor(actor: Actor) -> String {
    match serde_json::to_value(actor) {
        Ok(Json::String(name)) => name,
        _ => actor.controller.name().to_owned(),
    }
}

/// A field's value: numbers plain, instants in nanoseconds, things by name, absent as nothing.
pub(super) fn value(trace: &Trace, value: Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Int(n) => n.to_string(),
        Value::Time(at) => at.as_nanos().to_string(),
        Value::Ref(subject) => trace.name(subject).to_string(),
        Value::Text(text) => text.to_string(),
        Value::Status(status) => status.name().to_owned(),
        Value::Filesystem(filesystem) => filesystem.name().to_owned(),
        Value::Address(address) => address.to_string(),
    }
}

/// The name of a variant as serde writes it: a bare word, or the one key of an object.
fn variant(json: Json) -> String {
    match json {
        Json::String(name) => name,
        Json::Object(map) => map.into_iter().next().map(|(name, _)| name).unwrap_or_default(),
        other => unreachable!("a variant is a word or an object of one key, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Failure;

    #[test]
    fn names_are_those_of_the_json_lines() {
        assert_eq!(what(&What::Settled), "settled");
        assert_eq!(what(&What::Decided(Reason::NoNode)), "decided");
        assert_eq!(rule(&Reason::NoNode), "no-node");
        assert_eq!(rule(&Reason::DeployRefused { error: Failure::NotFound }), "deploy-refused");
    }
}
