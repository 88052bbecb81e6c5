//! The page: what failed first, then the picture, then the numbers.
//!
//! Everything stands in one file and is readable without scripts; the scripts only make the
//! picture move. It may know parts of a report and their pictures. What a newcomer gets wrong: no
//! `style=` attribute works here, the policy forbids it – give it a class.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::explain::lines::Line;
use crate::trace::timeline::{Tone, clock};

use super::{Case, Finding, Part, assets, data, figure};

/// More things that break one rule are counted instead of told; the figure shows all.
pub(super) const CASES_MAX: usize = 24;

/// The whole page.
pub(super) fn page(parts: &[Part]) -> String {
    let title = title(parts);
    let json = data::json(parts.iter().map(|part| ([part.name.as_str(), &part.explain], &part.drawn)));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(assets::policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "schedsim " (env!("CARGO_PKG_VERSION")) };
                title { (title) " \u{b7} schedsim" }
                style { (PreEscaped(assets::STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    @for about in abouts(parts) {
                        p.about { (with_code(about)) }
                    }
                }
                main {
                    (verdicts(parts))
                    (findings(parts))
                    (sealed(parts))
                    (pictures(parts))
                    (outside(parts))
                    (numbers(parts))
                    (checks(parts))
                }
                (panel())
                (foot(parts))
                script #data type="application/json" { (PreEscaped(json)) }
                script { (PreEscaped(assets::SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

/// The scenarios' names, each once.
fn title(parts: &[Part]) -> String {
    let mut names: Vec<&str> = parts.iter().map(|part| part.scenario.as_str()).collect();
    names.dedup();
    if names.is_empty() { "nothing was run".to_owned() } else { names.join(", ") }
}

fn abouts(parts: &[Part]) -> Vec<&str> {
    let mut abouts: Vec<&str> = parts.iter().map(|part| part.about.trim()).filter(|about| !about.is_empty()).collect();
    abouts.dedup();
    abouts
}

/// A text in which backticks mark code.
fn with_code(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// One card a run: how it ended.
fn verdicts(parts: &[Part]) -> Markup {
    html! {
        section.verdicts aria-label="Outcome" {
            @for part in parts {
                article.verdict.{ "v-" (if part.sound { part.verdict } else { "harmed" }) } {
                    h2 { (part.name) }
                    p.word { (part.verdict.to_uppercase()) }
                    p { (part.how) }
                    p.pass.failed[!part.passed].unasked[!part.asked] { (part.expected) }
                    p.quiet { "seed " (part.seed) " \u{b7} ran " (part.drawn.picture.end.elapsed().clock()) " \u{b7} " (part.events) " events" }
                }
            }
        }
    }
}

/// What broke, with what led to it; the unexpected first.
fn findings(parts: &[Part]) -> Markup {
    let any = parts.iter().any(|part| !part.findings.is_empty());
    html! {
        @if any {
            section.findings {
                h2 { "What went wrong" }
                @for (run, part) in parts.iter().enumerate() {
                    @if !part.findings.is_empty() {
                        h3 { (part.name) }
                        @for finding in &part.findings {
                            (one_finding(run, part, finding))
                        }
                    }
                }
            }
        }
    }
}

/// One rule that broke: once, or for several things.
fn one_finding(run: usize, part: &Part, finding: &Finding) -> Markup {
    let badge = if finding.expected { "expected" } else { "failed" };
    html! {
        @if finding.cases.is_empty() {
            p.finding.alone { span.badge { (badge) } " " strong { (finding.name) } " " (finding.detail) }
        } @else if let [case] = finding.cases.as_slice() {
            details.finding.expected[finding.expected] {
                summary data-run=(run) data-told=(case.told) {
                    span.badge { (badge) } " " strong { (finding.name) } " " (one_case(part, case))
                }
                (chain(&case.lines))
            }
        } @else {
            details.finding.expected[finding.expected] {
                summary {
                    span.badge { (badge) } " " strong { (finding.name) } " "
                    span.times { "\u{d7}" (finding.cases.len()) } " " (one_case(part, &finding.cases[0]))
                }
                @for case in finding.cases.iter().take(CASES_MAX) {
                    details.case {
                        summary data-run=(run) data-told=(case.told) { (one_case(part, case)) }
                        (chain(&case.lines))
                    }
                }
                @if finding.cases.len() > CASES_MAX {
                    p.note { "and " (finding.cases.len() - CASES_MAX) " more, all in the timeline" }
                }
            }
        }
    }
}

/// The lines of a chain as a list: for print and for readers without scripts.
fn chain(lines: &[Line]) -> Markup {
    html! {
        ol.chain {
            @for line in lines {
                @match line {
                    Line::Remark(remark) => { li.remark { (remark.words()) } }
                    Line::Link { record: _, at, subject, by, what, why, tags, tone, side } => {
                        li.{ "m-" (tone_class(*tone)) }.side[side.is_some()] {
                            span.head {
                                @if let Some(role) = side { span.role { (role) ": " } }
                                span.time { (clock(*at)) } " " span.subject { (subject) } " " span.by { "by " (by) }
                                @for tag in tags { " " span.tag { (tag) } }
                            } " "
                            span.what { (what) } " "
                            @if !why.is_empty() { span.why { (why) } }
                        }
                    }
                }
            }
        }
    }
}

/// The class of a line's dot.
const fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Outside => "outside",
    }
}

fn one_case(part: &Part, case: &Case) -> Markup {
    let telling = &part.drawn.told[case.told];
    html! {
        span.time { (clock(telling.at)) } " " span.subject { (telling.subject) } " " (case.detail)
    }
}

/// When ends were sealed.
fn sealed(parts: &[Part]) -> Markup {
    html! {
        @for sealed in parts.iter().filter_map(|part| part.sealed.as_ref()) {
            section.sealed {
                h2 { "When it was sealed" }
                p.note { (sealed.end) }
                @if let Some(curve) = &sealed.curve {
                    img width="640" src=(assets::image(curve)) alt="The share of futures that end so, moment by moment, as below";
                }
                pre { (sealed.text) }
            }
        }
    }
}

fn pictures(parts: &[Part]) -> Markup {
    html! {
        section.picture {
            h2 { "Timeline" }
            (tools())
            (legend(parts.iter().any(|part| part.drawn.picture.proof.is_some())))
            div #overview hidden {}
            div.runs {
                @for (run, part) in parts.iter().enumerate() {
                    div.run data-run=(run) {
                        h3 { (part.name) span.quiet { " " (part.verdict) } }
                        (figure::figure(&part.drawn, &format!("Timeline of {}", part.name)))
                        div.live hidden {}
                    }
                }
            }
            p.tip hidden #tip role="tooltip" {}
        }
    }
}

fn tools() -> Markup {
    html! {
        div.tools hidden role="toolbar" aria-label="Timeline" {
            label.find { "Find " input #find type="search" placeholder="sandbox, disk, lease\u{2026}" autocomplete="off" spellcheck="false"; }
            output #found for="find" {}
            label { input #trouble type="checkbox"; " only with findings" }
            label { input #beside type="checkbox"; " side by side" }
            span.gap {}
            button #previous type="button" title="The one before that failed (p)" aria-label="The one before that failed" { "\u{2039} \u{25c6}" }
            button #next type="button" title="The next that failed (n)" aria-label="The next that failed" { "\u{25c6} \u{203a}" }
            button #out type="button" title="Zoom out (-)" aria-label="Zoom out" { "\u{2212}" }
            button #in type="button" title="Zoom in (+)" aria-label="Zoom in" { "+" }
            button #fit type="button" title="The whole run (0)" { "whole" }
            button #help type="button" title="Keys (?)" aria-expanded="false" aria-controls="keys" { "keys" }
        }
        dl #keys hidden {
            @for (keys, what) in [
                ("drag, \u{2190} \u{2192}", "move through time"),
                ("Ctrl + wheel, + \u{2212}", "zoom"),
                ("0", "the whole run"),
                ("\u{2191} \u{2193}", "lane above, lane below"),
                ("[ ]", "earlier and later in this lane"),
                ("n p", "next and previous that failed: violation, request, step, verdict"),
                ("c", "to the cause of what is chosen"),
                ("o", "to another cause: what else was needed"),
                ("b", "back"),
                ("s", "to the timeline"),
                ("Space", "open or shut a row of many alike"),
                ("/", "find a thing"),
                ("Esc", "close"),
            ] {
                dt { (keys) }
                dd { (what) }
            }
        }
    }
}

fn legend(proved: bool) -> Markup {
    let bars = [
        ("pending", "pending"),
        ("running", "running, ready"),
        ("stopped", "stopped"),
        ("dead", "dead, released"),
        ("bound", "bound"),
        ("failed", "failed, lost"),
        ("cooldown", "cooldown"),
    ];
    let marks = [
        ("broken", "\u{25c6}", "violation"),
        ("bad", "\u{2503}", "failure"),
        ("fault", "\u{25b2}", "fault"),
        ("step", "\u{2691}", "operator"),
    ];
    html! {
        ul.legend aria-label="Legend" {
            @for (class, text) in bars {
                li { svg.swatch.{ "s-" (class) } viewBox="0 0 18 12" aria-hidden="true" { rect.bar width="18" height="12" rx="2" {} } " " (text) }
            }
            @if proved {
                li { svg.swatch.s-round viewBox="0 0 18 12" aria-hidden="true" { rect.bar x="0.5" y="0.5" width="17" height="11" rx="2" {} } " proved round" }
            }
            li { svg.swatch viewBox="0 0 18 12" aria-hidden="true" { path.wanted d="M0 2H18V12H0Z" {} path.ready d="M9 2H18V12H9Z" {} path.desired d="M0 2H18" {} } " wanted, not ready, ready" }
            @for (class, sign, text) in marks {
                li { span.sign.{ "m-" (class) } aria-hidden="true" { (sign) } " " (text) }
            }
        }
    }
}

/// What came from outside: steps, refusals, warnings.
fn outside(parts: &[Part]) -> Markup {
    html! {
        section.outside {
            h2 { "From outside" }
            div.wide { table {
                thead { tr { th { "run" } th { "when" } th { "what" } th { "" } } }
                tbody {
                    @for part in parts {
                        @for (when, what, how) in &part.outside {
                            tr { td { (part.name) } td.number { (when) } td { (what) } td { (how) } }
                        }
                    }
                }
            } }
        }
    }
}

/// Every figure that is not zero everywhere, runs side by side.
fn numbers(parts: &[Part]) -> Markup {
    let Some(first) = parts.first() else { return html! {} };
    let rows = (0..first.figures.len())
        .map(|row| (first.figures[row].0, parts.iter().map(|part| part.figures[row].1.as_str()).collect::<Vec<_>>()))
        .filter(|(_, values)| values.iter().any(|value| *value != "0"));
    html! {
        section.numbers {
            h2 { "Numbers" }
            div.wide { table {
                thead { tr { th { "figure" } @for part in parts { th.number { (part.name) } } } }
                tbody {
                    @for (name, values) in rows {
                        tr.differs[values.iter().any(|value| *value != values[0])] {
                            th scope="row" { (name) }
                            @for value in values { td.number { (value) } }
                        }
                    }
                }
            } }
            p.note { "Figures that are zero in every run are left out; rows in which runs differ stand out. Names that end in _s are simulated seconds." }
        }
    }
}

fn checks(parts: &[Part]) -> Markup {
    html! {
        section.checks {
            h2 { "Checks" }
            div.wide { table {
                thead { tr { th { "run" } th { "check" } th { "" } th { "limit and value" } } }
                tbody {
                    @for part in parts {
                        @for (mark, subject, text) in &part.checks {
                            tr.{ "c-" (mark) } { td { (part.name) } th scope="row" { (subject) } td { (mark) } td { (text) } }
                        }
                        @if part.checks.is_empty() {
                            tr { td { (part.name) } td colspan="3" { "nothing is expected" } }
                        }
                    }
                }
            } }
        }
    }
}

fn panel() -> Markup {
    html! {
        aside #panel hidden aria-label="Why" aria-live="polite" tabindex="-1" {
            button #close type="button" aria-label="Close" title="Close (Esc)" { "\u{d7}" }
            div #chosen {}
        }
    }
}

fn foot(parts: &[Part]) -> Markup {
    html! {
        footer {
            @for part in parts {
                p { code { (part.reproduce) } br; span.quiet { (part.digest) } }
            }
            p.quiet { "schedsim " (env!("CARGO_PKG_VERSION")) ", simulated time throughout; the same run gives the same page." }
        }
    }
}
