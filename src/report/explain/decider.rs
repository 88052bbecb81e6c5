//! Deciders: what made a run as it is and could be otherwise, one thing at a time.
//!
//! Fixes, faults, steps, streams of requests, keys of programs, constants and how tickers are offset: data
//! only; who makes it otherwise is told in `study`.

use crate::controllers::fixes::Fix;
use crate::controllers::rule_book;
use crate::model::Name;
use crate::model::words::words;
use crate::world::spec::{Phase, WorkloadSpec};

use super::Setting;

/// One thing that could be otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "what has no comment is what its name says")]
pub enum Decider {
    /// A fix that is in force, or that is not.
    Fix { fix: Fix, in_force: bool },
    /// A fault of the scenario, by its number.
    Fault(u32),
    /// A step, by its number.
    Step(u32),
    /// A stream of requests, by its number.
    Traffic(u32),
    /// A key of a service's program that is not its default.
    Program(Name, Name, ProgramKey),
    /// A key of a step's config that nobody knows, by its path, and the one that it was probably meant to be.
    Misspelt(u32, Name, Name),
    /// A constant that the story sets, by its path.
    Constant(Name),
    /// How the tickers of processes are offset: tried with this way instead.
    Phase(Phase),
}

words!(
    /// A key of a program.
    #[expect(missing_docs, reason = "each is the key of that name")]
    ProgramKey {
        ImagePull = "image_pull",
        Start = "start",
        Ready = "ready",
        ExitAfter = "exit_after",
        Request = "request",
    }
);

impl ProgramKey {
    /// Gives a program the default of this key.
    pub fn reset(self, program: &mut WorkloadSpec) {
        let WorkloadSpec { image_pull, start, ready, exit_after, request } = WorkloadSpec::default();
        match self {
            Self::ImagePull => program.image_pull = image_pull,
            Self::Start => program.start = start,
            Self::Ready => program.ready = ready,
            Self::ExitAfter => program.exit_after = exit_after,
            Self::Request => program.request = request,
        }
    }
}

/// A decider's name as tags and tables write it: `+stale-pending-monitor`, `-disk-ownership`.
pub fn tag(decider: Decider, setting: &Setting) -> String {
    match decider {
        Decider::Fix { fix, in_force: true } => format!("+{fix}"),
        Decider::Fix { fix, in_force: false } => format!("-{fix}"),
        other => name(other, setting),
    }
}

/// A decider's name: `fault slow first volume`, `step typo`, `pds.web exit_after`.
fn name(decider: Decider, setting: &Setting) -> String {
    // What has no name of its own is called by its kind and number already.
    let nth = |kind: &str, names: &[Name], index: u32| match names.get(index as usize) {
        Some(name) if name.starts_with(&format!("{kind} ")) => name.to_string(),
        name => format!("{kind} {}", name.map_or("?", |name| name.as_str())),
    };
    match decider {
        Decider::Fix { fix, .. } => fix.to_string(),
        Decider::Fault(fault) => nth("fault", &setting.faults, fault),
        Decider::Step(step) => nth("step", &setting.steps, step),
        Decider::Traffic(stream) => nth("traffic", &setting.traffic, stream),
        Decider::Program(app, service, key) => format!("{app}.{service} {}", key.name()),
        Decider::Misspelt(step, path, _) => {
            let key = path.as_str().rsplit('.').next().unwrap_or_default();
            format!("key {key} of {}", nth("step", &setting.steps, step))
        }
        Decider::Constant(path) => format!("tuning {path}"),
        Decider::Phase(_) => "the clock's phase".to_owned(),
    }
}

/// What a decider is, in words; nothing where its name says it.
pub fn meaning(decider: Decider) -> String {
    match decider {
        Decider::Fix { fix, in_force } => {
            let info = fix.info();
            let force = if in_force { "in force" } else { "missing" };
            let rules = rule_book::numbers_of(fix);
            let word = if rules.len() == 1 { "rule" } else { "rules" };
            format!("{force}, {}: {} ({word} {})", info.day, info.what, rules.join(", "))
        }
        Decider::Misspelt(_, path, near) => format!("{path}, which nobody knows, for {near}"),
        Decider::Fault(_)
        | Decider::Step(_)
        | Decider::Traffic(_)
        | Decider::Program(..)
        | Decider::Constant(_)
        | Decider::Phase(_) => String::new(),
    }
}

/// How it was made otherwise, in words.
pub fn otherwise(decider: Decider) -> &'static str {
    match decider {
        Decider::Fix { in_force: false, .. } => "with it",
        Decider::Fix { in_force: true, .. } | Decider::Fault(_) | Decider::Step(_) | Decider::Traffic(_) => {
            "without it"
        }
        Decider::Misspelt(..) => "as it was meant",
        Decider::Program(..) | Decider::Constant(_) => "with its default",
        Decider::Phase(Phase::Zero) => "with all tickers in step",
        Decider::Phase(_) => "with tickers offset otherwise",
    }
}
