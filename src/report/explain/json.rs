//! An explanation for programs: the chain as one JSON object.
//!
//! Times and durations are strings as in scenario files, record numbers those of the trace. It knows chains
//! only; who they belong to is told by the command.

use serde_json::{Value, json as object};

use crate::controllers::rule_book;
use crate::kernel::SimTime;
use crate::trace::{Trace, timeline};

use super::{Chain, Decider, LeftAlone, Link, Setting};

/// A chain as JSON.
pub fn json(trace: &Trace, setting: &Setting, chain: &Chain) -> Value {
    let folds = chain.folds.iter().map(|fold| {
        object!({
            "first": fold.first, "last": fold.last,
            "times": [fold.times.0, fold.times.1], "every": [fold.every.0, fold.every.1], "back_to": fold.back_to,
        })
    });
    object!({
        "links": chain.links.iter().map(|link| self::link(trace, setting, link)).collect::<Vec<_>>(),
        "folds": folds.collect::<Vec<_>>(),
        "left_out": chain.left_out.map(|(after, links)| object!({ "after": after, "links": links })),
        "branches_left_out": chain.branches_left_out,
        "length": chain.length,
        "joins": chain.joins,
        "left_alone": chain.left_alone.as_ref().map(|left| left_alone(trace, setting, left)),
        "decided_unseen": chain.decided_unseen.iter().map(|decider| self::decider(setting, *decider)).collect::<Vec<_>>(),
    })
}

fn left_alone(trace: &Trace, setting: &Setting, left: &LeftAlone) -> Value {
    let deciders = |of: &[Decider]| of.iter().map(|of| decider(setting, *of)).collect::<Vec<_>>();
    let by = left.by.iter().map(|looker| {
        let by = timeline::actor_name(trace, looker.actor);
        object!({ "by": by, "times": looker.times, "last": instant(looker.last), "asked": deciders(&looker.asked) })
    });
    object!({
        "of": trace.name(left.of), "since": instant(left.since),
        "by": by.collect::<Vec<_>>(), "at_start": deciders(&left.at_start),
    })
}

/// One link as JSON.
pub fn link(trace: &Trace, setting: &Setting, link: &Link) -> Value {
    let values: serde_json::Map<String, Value> =
        link.values.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    let branches = link.branches.iter().map(|(role, branch)| {
        let mut branch = json(trace, setting, branch);
        branch["role"] = Value::String(role.name().to_owned());
        branch
    });
    object!({
        "event": link.record,
        "at": instant(link.at),
        "by": timeline::actor_name(trace, link.actor),
        "about": trace.name(link.subject),
        "what": link.what,
        "rule": link.rule,
        "values": values,
        "decided_by": link.decided_by.iter().map(|decider| self::decider(setting, *decider)).collect::<Vec<_>>(),
        "cause": link.role.name(),
        "branches": branches.collect::<Vec<_>>(),
    })
}

fn instant(at: SimTime) -> Value {
    object!(at)
}

/// What could be otherwise, as JSON.
pub fn decider(setting: &Setting, decider: Decider) -> Value {
    match decider {
        Decider::Fix { fix, in_force } => {
            let rules = rule_book::numbers_of(fix);
            object!({ "fix": fix.name(), "in_force": in_force, "what": fix.info().what, "rules": rules })
        }
        Decider::Fault(fault) => {
            object!({ "fault": setting.faults.get(fault as usize).map(|name| name.as_str()) })
        }
        Decider::Step(step) => object!({ "step": setting.steps.get(step as usize).map(|name| name.as_str()) }),
        Decider::Traffic(stream) => {
            object!({ "traffic": setting.traffic.get(stream as usize).map(|name| name.as_str()) })
        }
        Decider::Program(app, service, key) => {
            object!({ "app": app.as_str(), "service": service.as_str(), "key": key.name() })
        }
        Decider::Misspelt(step, path, near) => object!({
            "step": setting.steps.get(step as usize).map(|name| name.as_str()),
            "misspelt": path.as_str(),
            "near": near.as_str(),
        }),
        Decider::Constant(path) => object!({ "tuning": path.as_str() }),
        Decider::Phase(phase) => object!({ "ticker_phase": phase.name() }),
    }
}
