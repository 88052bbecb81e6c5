//! The picture as one still drawing: what print and readers without scripts see.
//!
//! The same lanes, classes and tooltips as the scripts draw, over the whole run. It may know the
//! picture only. What a newcomer gets wrong: the drawing is bounded, whatever the run – what is
//! thinner than a pixel is drawn once, and lanes past a limit are counted instead.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::kernel::SimTime;

use crate::report::picture::{self, Bar, Lane, Level, Mark, MarkTone};

use super::tellings::{Drawn, Telling};
use crate::trace::timeline::clock;

const WIDTH: u64 = 1120;
const GUTTER: u64 = 212;
const RIGHT: u64 = 12;
const PLOT: u64 = WIDTH - GUTTER - RIGHT;
const TOP: u64 = 26;
/// More lanes are not drawn without scripts.
const LANES_MAX: usize = 80;
/// Marks nearer to each other than that are drawn once.
const MARK_WIDTH: u64 = 4;

/// The whole run as an SVG drawing.
pub(super) fn figure(drawn: &Drawn, title: &str) -> Markup {
    let picture = &drawn.picture;
    let sheet = Sheet { end: picture.end.as_nanos().max(1) };
    let (mut lanes, mut next) = (Vec::new(), 0);
    while let Some(lane) = picture.lanes.get(next) {
        lanes.push(lane);
        // Alike things are one row in print.
        next += 1 + lane.members;
    }
    let left_out = lanes.len().saturating_sub(LANES_MAX);
    lanes.truncate(LANES_MAX);
    let mut tops = Vec::with_capacity(lanes.len());
    let mut y = TOP;
    for lane in &lanes {
        tops.push(y);
        y += height(lane);
    }
    html! {
        svg.static.lanes viewBox={ "0 0 " (WIDTH) " " (y + 8) } role="img" aria-label=(title) {
            (sheet.axis(y))
            @for (lane, top) in lanes.iter().copied().zip(&tops) {
                (sheet.lane(lane, *top))
            }
            @for (lane, top) in lanes.iter().copied().zip(&tops) {
                (sheet.marks(drawn, lane, (*top, y)))
            }
        }
        @if left_out > 0 {
            p.static.note { "and " (left_out) " more lanes: scripts show them all" }
        }
    }
}

/// How tall a lane is.
const fn height(lane: &Lane) -> u64 {
    if !lane.desired.is_empty() {
        38
    } else if !lane.bands.is_empty() && !lane.bars.is_empty() {
        36
    } else {
        20
    }
}

struct Sheet {
    end: u64,
}

impl Sheet {
    /// Tenths of a pixel from the left, in whole numbers: the same on every machine.
    fn tenths(&self, at: SimTime) -> u64 {
        let along = u128::from(at.as_nanos().min(self.end)) * u128::from(PLOT * 10) / u128::from(self.end);
        GUTTER * 10 + u64::try_from(along).expect("a part of the plot")
    }
    fn x(&self, at: SimTime) -> String {
        decimal(self.tenths(at))
    }

    fn axis(&self, bottom: u64) -> Markup {
        let step = step(self.end);
        let times = (0..=self.end / step).map(|n| SimTime::from_nanos(n * step));
        html! {
            g.axis {
                @for at in times {
                    line.grid x1=(self.x(at)) x2=(self.x(at)) y1=(TOP - 6) y2=(bottom) {}
                    // The last one must not hang over the edge.
                    @let anchor = if self.tenths(at) + 200 > (WIDTH - RIGHT) * 10 { "end" } else { "middle" };
                    text x=(self.x(at)) y="14" text-anchor=(anchor) { (at.elapsed().clock()) }
                }
            }
        }
    }

    fn lane(&self, lane: &Lane, top: u64) -> Markup {
        let height = height(lane);
        html! {
            g.lane.{ "k-" (lane.kind.word()) } {
                line.rule x1="0" x2=(WIDTH) y1=(top + height) y2=(top + height) {}
                text.name.trouble[lane.trouble] x=(8 + 12 * u64::from(lane.depth)) y=(top + height / 2 + 4) {
                    (lane.short_name(31 - 2 * usize::from(lane.depth)))
                }
                @if !lane.desired.is_empty() {
                    (self.levels(lane, top + 5, height - 10))
                }
                (self.bars(lane, &lane.cooldowns, top + 3, height - 6))
                @if lane.bands.is_empty() {
                    (self.bars(lane, &lane.bars, top + 4, 12))
                } @else if lane.bars.is_empty() {
                    (self.bands(lane, top + 3, 14))
                } @else {
                    (self.bars(lane, &lane.bars, top + 3, 10))
                    (self.bands(lane, top + 16, 16))
                }
            }
        }
    }

    /// Bars one after another; what is thinner than a pixel and lies on one that is drawn is left out.
    fn bars(&self, lane: &Lane, bars: &[Bar], top: u64, height: u64) -> Markup {
        let mut last = 0;
        let drawn = bars.iter().map(|bar| (bar, self.ends(bar))).filter(|(_, (_, until))| {
            let is_new = *until > last + 7;
            last = last.max(*until);
            is_new
        });
        let drawn: Vec<_> = drawn.collect();
        html! {
            @for (bar, ends) in drawn {
                (self.bar(lane, bar, ends, (top, height)))
            }
        }
    }

    /// Bars that can overlap: each that does stands in half of the height.
    fn bands(&self, lane: &Lane, top: u64, height: u64) -> Markup {
        let bands = &lane.bands;
        let mut end = SimTime::ZERO;
        let mut placed = Vec::with_capacity(bands.len());
        for (place, bar) in bands.iter().enumerate() {
            let meets = |other: &Bar| other.from < bar.until && bar.from < other.until;
            let shares = bands.iter().enumerate().any(|(other, band)| other != place && meets(band));
            let below = shares && bar.from < end;
            if !below {
                end = bar.until;
            }
            let top = if below { top + height / 2 } else { top };
            placed.push((bar, top, if shares { height / 2 - 1 } else { height }));
        }
        html! {
            @for (bar, top, height) in placed {
                (self.bar(lane, bar, self.ends(bar), (top, height)))
            }
        }
    }

    /// Where a bar begins and ends: at least a pixel apart, or nobody sees it.
    fn ends(&self, bar: &Bar) -> (u64, u64) {
        let from = self.tenths(bar.from);
        (from, self.tenths(bar.until).max(from + 10))
    }

    /// Wanted as a line, ready as an area; what is wanted and not ready is tinted.
    fn levels(&self, lane: &Lane, top: u64, height: u64) -> Markup {
        let most = lane.desired.iter().chain(&lane.ready).map(|level| level.value).max().unwrap_or(1).max(1);
        let steps = |levels: &[Level], closed: bool| {
            let y = |value: u64| decimal((top + height) * 10 - value * height * 10 / most);
            let mut path = String::new();
            let mut before = 0;
            for (place, level) in levels.iter().enumerate() {
                let x = self.x(level.at);
                match (place, closed) {
                    (0, true) => path.push_str(&format!("M{x} {}", y(0))),
                    (0, false) => path.push_str(&format!("M{x} {}", y(level.value))),
                    _ => path.push_str(&format!("L{x} {}", y(before))),
                }
                path.push_str(&format!("L{x} {}", y(level.value)));
                before = level.value;
            }
            let end = lane.gone.map_or_else(|| decimal(GUTTER * 10 + PLOT * 10), |gone| self.x(gone));
            path.push_str(&format!("L{end} {}", y(before)));
            if closed {
                path.push_str(&format!("L{end} {}Z", y(0)));
            }
            path
        };
        html! {
            path.wanted d=(steps(&lane.desired, true)) {}
            @if !lane.ready.is_empty() {
                path.ready d=(steps(&lane.ready, true)) {}
            }
            path.desired d=(steps(&lane.desired, false)) {}
        }
    }

    fn bar(&self, lane: &Lane, bar: &Bar, (from, until): (u64, u64), (top, height): (u64, u64)) -> Markup {
        let (y, thick) = if bar.thin { (top + height / 2 - 2, 4) } else { (top, height) };
        let label = if bar.thin || height < 9 { None } else { self.room_for_label(lane, bar, (from, until)) };
        html! {
            g.{ "s-" (bar.class) } {
                rect.bar x=(decimal(from)) y=(y) width=(decimal(until - from)) height=(thick) rx="2" {
                    title { (bar.label) " " (bar.from.elapsed().clock()) " to " (bar.until.elapsed().clock()) }
                }
                @if let Some(x) = label {
                    text.label x=(decimal(x)) y=(top + height / 2 + 4) { (bar.label) }
                }
            }
        }
    }

    /// Where in a bar its label fits between the marks.
    fn room_for_label(&self, lane: &Lane, bar: &Bar, (from, until): (u64, u64)) -> Option<u64> {
        // A letter is about six and a half pixels wide.
        let width = bar.label.chars().count() as u64 * 65;
        let first = lane.marks.partition_point(|mark| mark.at < bar.from);
        let marks = lane.marks[first..].iter().take_while(|mark| mark.at <= bar.until);
        let mut start = from + 50;
        for mark in marks {
            let x = self.tenths(mark.at);
            if start + width + 50 <= x {
                break;
            }
            start = start.max(x + 50);
        }
        (start + width <= until).then_some(start)
    }

    /// Marks, the loudest on top.
    fn marks(&self, drawn: &Drawn, lane: &Lane, (top, bottom): (u64, u64)) -> Markup {
        let mut marks: Vec<&Mark> = lane.marks.iter().collect();
        marks.sort_by_key(|mark| (mark.tone, mark.at));
        let mut seen = BTreeSet::new();
        marks.retain(|mark| seen.insert((mark.tone, self.tenths(mark.at) / (MARK_WIDTH * 10))));
        // A step's name stands beside its flag, unless that of the one before does.
        let mut taken = 0;
        let marks: Vec<(&Mark, u64, bool)> = marks
            .into_iter()
            .map(|mark| {
                let x = self.tenths(mark.at);
                let named = mark.tone == MarkTone::Step && x >= taken;
                if named {
                    taken = x + 100 + step_name(telling(drawn, lane, mark)).chars().count() as u64 * 68;
                }
                (mark, x, named)
            })
            .collect();
        html! {
            @for (mark, x, named) in marks {
                @if mark.tone == MarkTone::Step {
                    line.guide x1=(decimal(x)) x2=(decimal(x)) y1=(TOP) y2=(bottom) {}
                }
                (one_mark(telling(drawn, lane, mark), mark, (x, top + height(lane) / 2), named))
            }
        }
    }
}

fn telling<'a>(drawn: &'a Drawn, lane: &Lane, mark: &Mark) -> &'a Telling {
    &drawn.told[drawn.place(lane, mark.record)]
}

fn step_name(telling: &Telling) -> &str {
    telling.subject.trim_start_matches("step/")
}

fn one_mark(telling: &Telling, mark: &Mark, (x, y): (u64, u64), named: bool) -> Markup {
    let at = decimal(x);
    html! {
        g.mark.{ "m-" (mark.tone.class()) } transform={ "translate(" (at) " " (y) ")" } {
            path d=(shape(mark.tone)) {
                title { (clock(telling.at)) " " (telling.subject) ": " (telling.what) " " (telling.why) }
            }
            @if named {
                text.label x="6" y="4" { (step_name(telling)) }
            }
        }
    }
}

/// The outline of a mark around its own place.
const fn shape(tone: MarkTone) -> &'static str {
    match tone {
        MarkTone::Broken => "M0-7L7 0L0 7L-7 0Z",
        MarkTone::Step => "M-1-8L5-5L-1-2L-1 8L-2 8L-2-8Z",
        MarkTone::Fault => "M0-6L6 5L-6 5Z",
        MarkTone::Outside => "M-4-4L4-4L4 4L-4 4Z",
        MarkTone::Bad => "M-1.5-6L1.5-6L1.5 6L-1.5 6Z",
        MarkTone::Good | MarkTone::Plain => "M-1-4L1-4L1 4L-1 4Z",
    }
}

/// Tenths as a number with at most one decimal.
fn decimal(tenths: u64) -> String {
    if tenths.is_multiple_of(10) { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
}

/// A step between the axis's times, so that there are at most a dozen of them.
fn step(end: u64) -> u64 {
    picture::step(end, 11).unwrap_or_else(|| (end / 11).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_a_dozen_times_at_most() {
        for secs in [1, 59, 60, 3599, 3600, 86_400, 86_400 * 30, 86_400 * 3650] {
            let end = secs * 1_000_000_000;
            assert!(end / step(end) <= 11, "{secs} s");
            assert!(end / step(end) >= 1, "{secs} s");
        }
        assert!(step(1) > 0);
    }

    #[test]
    fn places_are_whole_tenths_of_a_pixel() {
        let sheet = Sheet { end: 3 };
        let at = |n| sheet.x(SimTime::from_nanos(n));
        assert_eq!([at(0), at(1), at(3), at(9)], ["212", "510.6", "1108", "1108"]);
    }
}
