//! The rules of an app config (rule 3.4), each one function.
//!
//! It may know the raw config and nothing of TOML or of the store: whether a disk exists is asked at the deploy, not
//! here. The first rules judge one value and are called while it is read; those in [`SERVICE_RULES`] relate fields
//! of one service, and are asked only when each of these is right by itself. What a newcomer gets wrong: the mode
//! that a rule goes by may be written nowhere – a service without one is `auto`, whatever its name – and a number that
//! is zero is as good as none.

use crate::model::Words;
use crate::time::{DurationError, SimDuration};

use super::error::{MESSAGE_CHARS, Place, Problem, bounded, clipped};
use super::resolve::{mode_of, protocol_of};
use super::suggest::{Shape, choice};
use super::{At, Mode, Port, Service};

/// A duration as the app's platform reads it: hours are the longest unit, a bare zero needs none, a sign may stand
/// before it. What is less than nothing passes at once, as nothing does.
pub(super) fn duration(text: &str) -> Result<SimDuration, String> {
    let wrong = |why: &str| Err(format!("`{}` is not right: {}", clipped(text), bounded(why, MESSAGE_CHARS)));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(SimDuration::ZERO);
    }
    if text.contains(char::is_whitespace) {
        return wrong("a duration has no spaces; write one like \"5m\"");
    }
    if text.contains(':') {
        return wrong("an app config knows no clock times; write one like \"5m\"");
    }
    match unsigned.parse::<SimDuration>() {
        Ok(_) if unsigned.contains('d') => wrong("`d` is no unit of an app config; write hours, like \"48h\""),
        Ok(_) if text.starts_with('-') => Ok(SimDuration::ZERO),
        Ok(duration) => Ok(duration),
        Err(DurationError::Unit { number, found }) if found.is_empty() => {
            wrong(&format!("a duration needs a unit (ns, us, ms, s, m, h); write \"{number}s\""))
        }
        Err(error) => wrong(&error.to_string()),
    }
}

/// One of the words that are known.
pub(super) fn one_of<T: Words>(text: &str) -> Result<T, String> {
    T::named(text).ok_or_else(|| choice(text, T::WORDS))
}

/// A text that must be there and not be empty: the key of an env entry, the name and mount path of a disk.
pub(super) fn required(
    field: &'static str,
    text: Option<At<String>>,
    shape: &Shape,
    called: &str,
    table: Place,
) -> Result<At<String>, Problem> {
    let example = shape.example(field);
    match text {
        Some(text) if !text.value.is_empty() => Ok(text),
        Some(text) => {
            let what = format!("`{field}` of {called} is empty; write one, like `{example}`");
            Err(Problem { place: text.place, text: what })
        }
        None => Err(Problem { place: table, text: format!("{called} has no `{field}`; add one, like `{example}`") }),
    }
}

/// A service as a rule sees it.
pub(super) struct Judged<'a> {
    /// What messages call it.
    called: &'a str,
    service: &'a Service,
    mode: Mode,
    /// The mode as messages put it.
    mode_words: String,
}

type Rule = fn(&Judged<'_>) -> Option<Problem>;

/// What holds between the fields of a service.
const SERVICE_RULES: &[Rule] = &[
    auto_forbids_negative_requests,
    auto_forbids_num_instances,
    fixed_forbids_requests_per_instance,
    fixed_forbids_scale_down_delay,
    fixed_needs_an_instance,
    disks_need_mode_fixed,
    disks_need_one_instance,
    ports_replace_port,
    ports_have_names_of_their_own,
    ports_have_numbers_of_their_own,
];

/// Everything that is wrong between the fields of a service.
pub(super) fn service(called: &str, service: &Service) -> Vec<Problem> {
    let mode = mode_of(&service.concurrency);
    let by_default = if service.concurrency.mode.is_none() { " by default" } else { "" };
    let mode_words = format!("has mode `{}`{by_default}", mode.name());
    let judged = Judged { called, service, mode, mode_words };
    SERVICE_RULES.iter().filter_map(|rule| rule(&judged)).collect()
}

impl Judged<'_> {
    /// The complaint about the field at `place` that has no meaning in mode `mode`.
    fn forbidden(&self, field: &str, place: Option<Place>, mode: Mode, meant: Mode) -> Option<Problem> {
        let place = place.filter(|_| self.mode == mode)?;
        let (called, words, meant) = (self.called, &self.mode_words, meant.name());
        let text = format!("`{field}` is not for {called}, which {words}; remove it, or set `mode = \"{meant}\"`");
        Some(Problem { place, text })
    }

    /// Where the service's mode is written, or else its table.
    fn mode_place(&self) -> Place {
        self.service.concurrency.mode.as_ref().map_or(self.service.place, |mode| mode.place)
    }
}

/// Where a number above zero is written.
fn above_zero(number: Option<At<i64>>) -> Option<Place> {
    number.filter(|number| number.value > 0).map(|number| number.place)
}

fn auto_forbids_negative_requests(judged: &Judged<'_>) -> Option<Problem> {
    let requests = judged.service.concurrency.requests_per_instance;
    let At { value, place } = requests.filter(|requests| judged.mode == Mode::Auto && requests.value < 0)?;
    let text = format!("`requests_per_instance` of {} is {value}; write 0, which means 10, or more", judged.called);
    Some(Problem { place, text })
}

fn auto_forbids_num_instances(judged: &Judged<'_>) -> Option<Problem> {
    let place = above_zero(judged.service.concurrency.num_instances);
    judged.forbidden("num_instances", place, Mode::Auto, Mode::Fixed)
}

fn fixed_forbids_requests_per_instance(judged: &Judged<'_>) -> Option<Problem> {
    let place = above_zero(judged.service.concurrency.requests_per_instance);
    judged.forbidden("requests_per_instance", place, Mode::Fixed, Mode::Auto)
}

fn fixed_forbids_scale_down_delay(judged: &Judged<'_>) -> Option<Problem> {
    let place = judged.service.concurrency.scale_down_delay.map(|delay| delay.place);
    judged.forbidden("scale_down_delay", place, Mode::Fixed, Mode::Auto)
}

fn fixed_needs_an_instance(judged: &Judged<'_>) -> Option<Problem> {
    let number = judged.service.concurrency.num_instances;
    if judged.mode != Mode::Fixed || number.is_some_and(|number| number.value > 0) {
        return None;
    }
    let (called, words) = (judged.called, &judged.mode_words);
    let (place, text) = match number {
        Some(At { value, place }) => {
            (place, format!("`num_instances` is {value}, and {called} {words}, which needs 1 or more; write 1"))
        }
        None => {
            (judged.mode_place(), format!("{called} {words}, which needs 1 or more instances; add `num_instances = 1`"))
        }
    };
    Some(Problem { place, text })
}

fn disks_need_mode_fixed(judged: &Judged<'_>) -> Option<Problem> {
    let Judged { called, service, mode: Mode::Auto, mode_words } = judged else { return None };
    service.disks.first()?;
    let text = format!(
        "{called} has disks and {mode_words}; a disk has one user, so set `mode = \"fixed\"` and `num_instances = 1` \
         in its concurrency"
    );
    Some(Problem { place: judged.mode_place(), text })
}

fn disks_need_one_instance(judged: &Judged<'_>) -> Option<Problem> {
    // Fewer than one is another rule's complaint.
    let number = judged.service.concurrency.num_instances.filter(|n| judged.mode == Mode::Fixed && n.value > 1)?;
    judged.service.disks.first()?;
    let (called, number_value) = (judged.called, number.value);
    let text =
        format!("{called} has disks and {number_value} instances; a disk has one user, so set `num_instances = 1`");
    Some(Problem { place: number.place, text })
}

fn ports_replace_port(judged: &Judged<'_>) -> Option<Problem> {
    let Service { ports, port, port_name, port_type, .. } = judged.service;
    ports.first()?;
    let given = |text: &Option<At<String>>| text.as_ref().filter(|text| !text.value.is_empty()).map(|text| text.place);
    let number = port.filter(|port| port.value > 0).map(|port| port.place);
    let (field, place) = [("port", number), ("port_name", given(port_name)), ("port_type", given(port_type))]
        .into_iter()
        .find_map(|(field, place)| Some((field, place?)))?;
    let text = format!("{} has both `ports` and `{field}`; write the port as an entry of `ports`", judged.called);
    Some(Problem { place, text })
}

fn ports_have_names_of_their_own(judged: &Judged<'_>) -> Option<Problem> {
    let ports = &judged.service.ports;
    let (_, again) =
        ports.iter().enumerate().find(|(n, port)| ports[..*n].iter().any(|one| one.name.value == port.name.value))?;
    let text =
        format!("{} has two ports called `{}`; give each its own name", judged.called, clipped(&again.name.value));
    Some(Problem { place: again.name.place, text })
}

fn ports_have_numbers_of_their_own(judged: &Judged<'_>) -> Option<Problem> {
    let ports = &judged.service.ports;
    let key = |port: &Port| (port.number.value, protocol_of(port));
    let (_, again) = ports.iter().enumerate().find(|(n, port)| ports[..*n].iter().any(|one| key(one) == key(port)))?;
    let text = format!("{} has port {} twice; only TCP and UDP can share a number", judged.called, again.number.value);
    Some(Problem { place: again.number.place, text })
}
