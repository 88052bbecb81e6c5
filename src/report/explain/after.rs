//! After: what followed from a record, the nearest first.
//!
//! The same links as those of chains, read the other way. It knows causes only, as records name them.

use std::collections::BTreeSet;

use crate::kernel::RecordId;
use crate::trace::What;

use super::{Explainer, Link, class};

impl Explainer<'_> {
    /// What a record set off, and what that set off, at most so many occurrences; and whether there are more.
    pub fn after(&mut self, record: RecordId, most: usize) -> (Vec<Link>, bool) {
        let mut caused = BTreeSet::from([record]);
        let mut mains: Vec<usize> = Vec::new();
        let from = record.index().map_or(usize::MAX, |at| at + 1);
        for (at, later) in self.trace.records().iter().enumerate().skip(from) {
            if !caused.contains(&later.cause) {
                continue;
            }
            caused.insert(RecordId::from_index(at));
            let is_end = matches!(
                later.what,
                What::Broken { .. } | What::RequestFailed { .. } | What::StepEnded { refused: Some(_) }
            );
            if !is_end && !self.index().is(at, class::CHANGE | class::EVENT) {
                continue;
            }
            let main = self.walker.main(at);
            // A decision and the write that it caused are one occurrence.
            let rule = self.walker.plain_hop(main).rule();
            mains.retain(|known| Some(*known) != rule);
            if !mains.contains(&main) && Some(main) != record.index() {
                mains.push(main);
            }
            if mains.len() > most {
                break;
            }
        }
        let more = mains.len() > most;
        mains.truncate(most);
        let links = mains.into_iter().map(|main| {
            let hop = self.walker.hop(main);
            self.link(hop)
        });
        (links.collect(), more)
    }
}
