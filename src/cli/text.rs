//! What `run` prints for people: timeline, outcome, figures, checks.
//!
//! It knows one finished run and writes nothing itself. Text for people is no API; programs read the JSON.

use crate::kernel::{SimDuration, SimTime, Stop};
use crate::replay::{Judged, Replay};
use crate::report::counted;
use crate::report::{self, Mark};
use crate::scenario::{Scenario, Variant, Verdict};
use crate::sim::{self, Livelock, Outcome};
use crate::trace::metrics::Figure;
use crate::trace::timeline;
use anstyle::Style;

use super::args::Look;
use super::output::{behind, fit, painted, prose, style, width};

/// How what happened is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In the order of time, as much as one reads.
    Timeline,
    /// In the order of time, all of it.
    Full,
    /// Entity by entity, as golden texts do.
    Lives,
}

/// From so many columns on, what goes on below a line keeps to its column.
const WIDE: usize = 100;

/// More lines nobody reads one by one.
const LINES_MAX: usize = 200;

/// Instead of the timeline of a run whose records do not all lie in memory.
const TOO_LONG: &str =
    "  The timeline of so many records is left out: --full writes all of it, --until ends the run sooner.\n";

/// Everything about one run.
pub(crate) fn whole(replay: &Replay<'_>, look: &Look, form: Form, reproduce: &str) -> String {
    let mut text = head(replay);
    if !look.quiet {
        let timeline = match form {
            Form::Lives => fit(&replay.lives(), width()),
            Form::Timeline if replay.outcome.trace.records().archived() > 0 => TOO_LONG.to_owned(),
            Form::Timeline | Form::Full => timeline::render(&replay.outcome.trace, &options(replay, look, form)),
        };
        if !timeline.is_empty() {
            text.push('\n');
            text.push_str(&timeline);
        }
    }
    text.push_str("\noutcome\n");
    for (style, what, how) in outcome(replay) {
        let how = behind(22, &how, if width() < WIDE { 6 } else { 22 }, width());
        text.push_str(&format!("  {} {how}\n", painted(style, format!("{what:19}"))));
    }
    if !look.quiet {
        text.push_str(&figures(replay));
    }
    text.push_str(&checks(replay, reproduce));
    text.push('\n');
    text
}

/// One run of many, on one line; what failed follows.
pub(crate) fn line(replay: &Replay<'_>, reproduce: &str) -> String {
    let name = format!("{} @ {}", replay.scenario.name, replay.variant.name);
    let (style, what, how) = outcome(replay).swap_remove(0);
    let what = painted(style, format!("{what:9}"));
    let mut text = format!("{name:40} seed {:<8} {what} {how}\n", replay.variant.seed);
    for failure in replay.failures() {
        text.push_str(&format!("  {}  {failure}\n", painted(style::BAD, "FAILED")));
    }
    if !replay.checked.passed {
        text.push_str(&reproduced(reproduce));
    }
    text
}

/// What `--twice` adds when all is well.
pub(crate) fn same_twice(replay: &Replay<'_>) -> String {
    let records = replay.outcome.trace.records().len();
    format!("twice: the same {records} records, {}\n\n", replay.digest())
}

fn options(replay: &Replay<'_>, look: &Look, form: Form) -> timeline::Options {
    let palette = timeline::Palette::colour();
    timeline::Options {
        lines_max: (form == Form::Timeline && look.verbose == 0).then_some(LINES_MAX),
        verbose: look.verbose > 0,
        width: width(),
        palette,
        ..report::timeline_options(replay.scenario)
    }
}

/// Which run it is that is told of. What fills the column stands behind the colour, so that no line ends in it.
pub(super) fn title(scenario: &Scenario, variant: &Variant, outcome: &Outcome) -> String {
    let name = format!("{} @ {}", scenario.name, variant.name);
    let gap = 59_usize.saturating_sub(name.chars().count()).max(1);
    let (seed, ran) = (variant.seed, outcome.ended_at.elapsed().clock());
    format!("{}{:gap$}seed {seed} | ran {ran}", painted(style::HEAD, name), "")
}

fn head(replay: &Replay<'_>) -> String {
    let mut text = fit(&title(replay.scenario, replay.variant, &replay.outcome), width());
    text.push_str(&prose(replay.scenario.about.trim(), 2, width()));
    text
}

/// Verdict first, then what else came of it: each a word, its look, and how.
fn outcome(replay: &Replay<'_>) -> Vec<(Style, String, String)> {
    let outcome = &replay.outcome;
    let (word, how) = report::verdict_in_words(replay.scenario, outcome, |d| d.clock().to_string());
    let at = outcome.settled_at.map(|at| format!("at {}{}", at.elapsed().clock(), after_step(replay, at)));
    let how = at.into_iter().chain([how]).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let style = match outcome.verdict {
        Verdict::Settled if report::is_sound(outcome, &replay.metrics) => style::GOOD,
        Verdict::Settled => style::WARN,
        Verdict::Flaps | Verdict::Unsettled | Verdict::Livelock => style::BAD,
    };
    let mut facts = vec![(style, word, how)];
    if let Some(proof) = outcome.recurrence.filter(|proof| !proof.is_at_rest()) {
        facts.push((Style::new(), "repeats".to_owned(), each_time(replay, proof)));
    }
    facts.extend(outcome.unproved.as_ref().map(|why| (Style::new(), "no proof".to_owned(), why.to_string())));
    match outcome.stop {
        Stop::Horizon => {}
        Stop::Enough => {
            let at = outcome.ended_at.elapsed().clock();
            facts.push((
                style::BAD,
                "stopped".into(),
                format!("at {at}, as the livelock was proved (--stop-when-proved)"),
            ));
        }
        Stop::TraceFull | Stop::EventBudget | Stop::ZeroTimeLoop { .. } => {
            facts.extend(outcome.stop.guard().map(|guard| (style::BAD, "stopped".to_owned(), guard)));
        }
    }
    let failed = report::failed_requests(&replay.metrics);
    facts.extend(failed.map(|failed| (style::BAD, "callers".to_owned(), failed)));
    let expect = replay.variant.expect.as_ref();
    for (step, refusal) in &outcome.rejected {
        let name = replay.scenario.steps.get(*step).map_or("?", |step| step.name.as_str());
        let expected = expect.is_some_and(|expect| expect.rejected.contains(step));
        let here = if expected { " (expected here)" } else { "" };
        facts.push((style::WARN, "refused".into(), format!("step `{name}`: {refusal}{here}")));
    }
    facts.extend(outcome.warnings.iter().map(|warning| (style::WARN, "warning".to_owned(), warning.clone())));
    let (records, archived) = (outcome.trace.records().len(), outcome.trace.records().archived());
    let on_disk = if archived == 0 { String::new() } else { format!("; {archived} of {records} records on disk") };
    facts.push((Style::new(), "trace".into(), counted(outcome.events, "event") + &on_disk));
    facts
}

/// What happens in each period.
fn each_time(replay: &Replay<'_>, proof: Livelock) -> String {
    let trace = &replay.outcome.trace;
    let counts: Vec<String> = sim::repeats(trace, proof).iter().map(|(what, n)| format!("{what} {n}")).collect();
    let counts = if counts.is_empty() { "nothing changes".to_owned() } else { counts.join(", ") };
    format!("each {}: {counts}", proof.period.clock())
}

/// `, 5:14.250 after fix`: how long after the step that settling is measured from.
fn after_step(replay: &Replay<'_>, at: SimTime) -> String {
    let named = replay.variant.expect.as_ref().and_then(|expect| expect.settled_after);
    let step = named.map_or_else(|| replay.scenario.steps.last(), |index| replay.scenario.steps.get(index));
    match step {
        Some(step) if at.since(step.at) > SimDuration::ZERO => {
            format!(", {} after {}", at.since(step.at).clock(), step.name)
        }
        Some(_) | None => String::new(),
    }
}

fn figures(replay: &Replay<'_>) -> String {
    let mut text = String::new();
    for (figure, value) in replay.metrics.iter().filter(|(_, value)| !value.is_zero()) {
        text.push_str(&format!("  {:28}{:>14}\n", figure.name(), value.to_string()));
    }
    let figures = if text.is_empty() { text } else { format!("\nfigures\n{text}") };
    figures + &down(replay)
}

/// Of more apps than this the others are counted.
const DOWN_MAX: usize = 20;

/// How long each app was down, where more than one was.
fn down(replay: &Replay<'_>) -> String {
    if replay.metrics.of(Figure::Down) == replay.metrics.of(Figure::DownMax) {
        return String::new();
    }
    let down = report::down_by_app(&replay.outcome.trace, &replay.metrics);
    let line = |app: &str, time: SimDuration| format!("  {app:28}{:>14}\n", time.rounded().to_string());
    let (first, others) = down.split_at(down.len().min(DOWN_MAX));
    let mut text: String = first.iter().map(|(app, time)| line(app, *time)).collect();
    if let [(_, longest), ..] = others {
        text.push_str(&format!("  {}, each {} at most\n", counted(others.len(), "more app"), longest.rounded()));
    }
    format!("\ndown\n{text}")
}

fn checks(replay: &Replay<'_>, reproduce: &str) -> String {
    let mut text = String::from("\nchecks\n");
    match replay.judged {
        Judged::NoExpect => text.push_str("  nothing is expected: there is no [expect]\n"),
        Judged::CutShort => {
            text.push_str("  expectations are not checked: the run ends before its horizon (--until)\n")
        }
        Judged::Proved => text.push_str(
            "  metrics, and what was still to break, are not checked: the run ends with its proof (--stop-when-proved)\n",
        ),
        Judged::Yes => {}
    }
    for check in &replay.checked.lines {
        let (style, mark) = match check.mark {
            Mark::Holds => (style::GOOD, "holds"),
            Mark::Broken { expected: true } => (style::WARN, "BROKEN"),
            Mark::Broken { expected: false } => (style::BAD, "BROKEN"),
            Mark::Failed => (style::BAD, "FAILED"),
        };
        let used = 41 + check.subject.chars().count().saturating_sub(30);
        let told = behind(used, &check.text, if width() < WIDE { 10 } else { 41 }, width());
        let subject = format!("{:30} ", check.subject);
        let subject = if told.starts_with('\n') { subject.trim_end() } else { &subject };
        text.push_str(&format!("  {}  {subject}{told}\n", painted(style, format!("{mark:6}"))));
    }
    if !replay.checked.passed {
        text.push_str(&reproduced(reproduce));
    } else if matches!(replay.judged, Judged::Yes | Judged::Proved) {
        let style = if report::is_sound(&replay.outcome, &replay.metrics) { style::GOOD } else { style::WARN };
        text.push_str(&format!("  {}\n", painted(style, "all as expected")));
    }
    text
}

pub(crate) fn reproduced(line: &str) -> String {
    format!("  reproduce: {line}\n")
}
