//! A pane: one run's rows, which of them is chosen, and what lies under the cursor.
//!
//! It may know pictures and explanations, and nothing of keys or cells.

use std::collections::BTreeSet;

use crate::kernel::{RecordId, SimDuration, SimTime};
use crate::report::explain::{self, Asked, End, Explainer};
use crate::report::picture::Lane;

use super::loaded::Loaded;

/// A run as it is looked at.
pub(super) struct Pane<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) explainer: Explainer<'a>,
    /// What failed, in the order of records.
    pub(super) failed: Vec<Failed>,
    /// The lanes that are shown, from the top.
    pub(super) rows: Vec<usize>,
    /// The place among the rows of the chosen one.
    pub(super) row: usize,
    /// The place of the first row on the screen.
    pub(super) top: usize,
    /// Lanes whose members are shown.
    pub(super) opened: BTreeSet<usize>,
}

/// Something that failed: the record that tells it, in words, and what to look for in other runs, where its story is
/// known.
pub(super) struct Failed {
    pub(super) record: usize,
    pub(super) what: String,
    pub(super) end: Option<End>,
}

/// The part of a run that is shown, and in how many columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) from: SimTime,
    pub(super) until: SimTime,
    pub(super) columns: u16,
}

impl Scale {
    fn span(self) -> u128 {
        u128::from(self.until.since(self.from).as_nanos().max(1))
    }

    /// When a column begins.
    pub(super) fn begin(self, column: u16) -> SimTime {
        let nanos = self.span() * u128::from(column) / u128::from(self.columns.max(1));
        self.from + SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The column of an instant; none: it is not shown.
    pub(super) fn column(self, at: SimTime) -> Option<u16> {
        if at < self.from || at > self.until {
            return None;
        }
        let columns = u128::from(self.columns.max(1));
        let column = u128::from(at.since(self.from).as_nanos()) * columns / self.span();
        // An instant may lie before the begin of its column by what was rounded away.
        let column = u16::try_from(column.min(columns - 1)).unwrap_or(u16::MAX);
        Some(if column + 1 < self.columns && self.begin(column + 1) <= at { column + 1 } else { column })
    }

    /// How long a column is.
    pub(super) fn step(self) -> SimDuration {
        let nanos = self.span() / u128::from(self.columns.max(1));
        SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).max(1))
    }
}

impl<'a> Pane<'a> {
    pub(super) fn new(loaded: &'a Loaded) -> Self {
        let explainer = Explainer::new(loaded.records(), &loaded.setting);
        let failed = failed(&explainer, loaded);
        let mut pane = Self { loaded, explainer, failed, rows: Vec::new(), row: 0, top: 0, opened: BTreeSet::new() };
        pane.filter("");
        pane
    }

    pub(super) fn lanes(&self) -> &'a [Lane] {
        &self.loaded.picture.lanes
    }

    /// The chosen lane's place among the lanes.
    pub(super) fn chosen(&self) -> usize {
        self.rows.get(self.row).copied().unwrap_or_default()
    }

    /// Shows the lanes of that name, or all; what folds together is one row until it is opened. The
    /// chosen lane stays, or what it is folded into.
    pub(super) fn filter(&mut self, wanted: &str) {
        let chosen = self.chosen();
        let words: Vec<String> = wanted.to_lowercase().split_whitespace().map(str::to_owned).collect();
        self.rows.clear();
        let mut lane = 0;
        while let Some(this) = self.lanes().get(lane) {
            let name = this.name.to_lowercase();
            if words.iter().all(|word| name.contains(word.as_str())) {
                self.rows.push(lane);
            }
            // Whoever looks for a name looks into everything.
            let shut = this.members > 0 && words.is_empty() && !self.opened.contains(&lane);
            lane += 1 + if shut { this.members } else { 0 };
        }
        self.row = self.rows.iter().rposition(|row| *row <= chosen).unwrap_or_default();
    }

    /// Chooses a lane, or what it is folded into.
    pub(super) fn choose(&mut self, lane: usize) {
        if let Some(row) = self.rows.iter().rposition(|row| *row <= lane) {
            self.row = row;
        }
    }

    /// Opens the chosen row, or shuts it.
    pub(super) fn toggle(&mut self) -> bool {
        let chosen = self.chosen();
        let members = |lane: &usize| self.lanes()[*lane].members;
        let group = (0..=chosen).rev().find(|lane| members(lane) > 0 && lane + members(lane) >= chosen);
        let Some(group) = group else { return false };
        if !self.opened.remove(&group) {
            self.opened.insert(group);
        }
        true
    }

    /// The record that lies under a column of the chosen row, and when it was; what happened there before what was
    /// so, the loudest first, the nearest to `at` of equals.
    pub(super) fn under(&self, scale: Scale, at: SimTime) -> Option<usize> {
        let lane = self.lanes().get(self.chosen())?;
        let column = scale.column(at)?;
        let (from, until) = (scale.begin(column), scale.begin(column + 1));
        let far = |other: SimTime| if other < at { at.since(other) } else { other.since(at) };
        let first = lane.marks.partition_point(|mark| mark.at < from);
        let marks = lane.marks[first..].iter().take_while(|mark| mark.at < until);
        if let Some(mark) = marks.max_by_key(|mark| (mark.tone, std::cmp::Reverse(far(mark.at)))) {
            return Some(mark.record);
        }
        let bars = || lane.bands.iter().chain(&lane.cooldowns).chain(&lane.bars);
        let begins = bars().filter(|bar| bar.from >= from && bar.from < until);
        if let Some(bar) = begins.min_by_key(|bar| far(bar.from)) {
            return Some(bar.record);
        }
        let levels = || lane.desired.iter().chain(&lane.ready).chain(&lane.crashes);
        let steps = levels().filter(|level| level.at >= from && level.at < until);
        if let Some(level) = steps.min_by_key(|level| far(level.at)) {
            return Some(level.record);
        }
        let covers = bars().filter(|bar| bar.from < until && bar.until > from).max_by_key(|bar| bar.from);
        let holds = levels().filter(|level| level.at < until).max_by_key(|level| level.at);
        covers.map(|bar| bar.record).or(holds.map(|level| level.record))
    }

    /// The record of the chosen lane after that one, or before it.
    pub(super) fn next_in_lane(&self, from: Option<usize>, at: SimTime, later: bool) -> Option<usize> {
        let lane = self.lanes().get(self.chosen())?;
        let bars = lane.bars.iter().chain(&lane.bands).chain(&lane.cooldowns).map(|bar| bar.record);
        let levels = lane.desired.iter().chain(&lane.crashes).map(|level| level.record);
        let all = bars.chain(levels).chain(lane.marks.iter().map(|mark| mark.record));
        let records = self.loaded.records().records();
        let time = |record: &usize| records.at(*record).at;
        match (from, later) {
            (Some(from), true) => all.filter(|record| *record > from).min(),
            (Some(from), false) => all.filter(|record| *record < from).max(),
            (None, true) => all.filter(|record| time(record) > at).min(),
            (None, false) => all.filter(|record| time(record) < at).max(),
        }
    }

    /// The lane that tells of a record.
    pub(super) fn lane_of(&self, record: usize) -> Option<usize> {
        self.loaded.picture.lane_of(self.loaded.records(), record)
    }
}

fn failed(explainer: &Explainer<'_>, loaded: &Loaded) -> Vec<Failed> {
    let Some(run) = loaded.story() else {
        let broken = explain::broken(loaded.records()).into_iter();
        return broken.map(|(record, what)| Failed { record, what, end: None }).collect();
    };
    let told = |Asked { record, end, what }: Asked| {
        Some(Failed { record: record.and_then(RecordId::index)?, what, end: Some(end) })
    };
    explain::all_failed(explainer, &run).into_iter().filter_map(told).collect()
}
