//! Shrinking a chain: what tells least is left out first, one step at a time, until it fits where it is shown.
//!
//! It knows links and marks, and never lines: who shows a chain asks for less as long as it is too long.

use super::{Chain, Link};

/// So many links say where a chain comes from and leads to; fewer are not asked for.
const LINKS_LEAST: usize = 6;

impl Chain {
    /// Leaves out a little more; false when nothing can be spared.
    pub fn shrink(&mut self) -> bool {
        self.shorten_branch() || self.widen_gap(false) || self.drop_branch() || self.widen_gap(true)
    }

    /// The ways of side causes, all but where they begin and end.
    fn shorten_branch(&mut self) -> bool {
        let branches = self.links.iter_mut().flat_map(|link| &mut link.branches).map(|(_, branch)| branch);
        for branch in branches.filter(|branch| branch.links.iter().skip(1).all(|link| link.decided_by.is_empty())) {
            let (gap, joins) = (branch.left_out.map_or(0, |(_, gap)| gap), branch.joins.is_some());
            // Where it meets what is told already, that is said in the same line as the gap.
            let kept = if joins { 1 } else { 2 };
            let out = branch.links.len().saturating_sub(kept);
            let lines = branch.links.len() + usize::from(gap > 0) + usize::from(joins);
            if out > 0 && kept + 1 < lines {
                branch.links.drain(1..1 + out);
                branch.folds.clear();
                branch.left_out = Some((0, gap + out));
                return true;
            }
        }
        false
    }

    /// One link more in the middle, of the two beside the gap the one that says less; what is marked only if it must be.
    fn widen_gap(&mut self, must: bool) -> bool {
        if self.links.len() <= LINKS_LEAST {
            return false;
        }
        let (after, gap) = self.left_out.unwrap_or((self.links.len() * 2 / 3 - 1, 0));
        let tells = |link: &Link| (!link.decided_by.is_empty(), link.branches.len());
        let before = self.links.get(after).filter(|_| after > 0).map(|link| (tells(link), after));
        let behind = self.links.get(after + 1).filter(|_| after + 2 < self.links.len());
        let behind = behind.map(|link| (tells(link), after + 1));
        let least = before.into_iter().chain(behind).filter(|((marked, _), _)| must || !marked).min();
        let Some((_, place)) = least else { return false };
        self.branches_left_out += self.links.remove(place).branches.len();
        self.folds.retain(|fold| !(fold.first..=fold.last).contains(&place));
        for fold in self.folds.iter_mut().filter(|fold| fold.first > place) {
            (fold.first, fold.last) = (fold.first - 1, fold.last - 1);
        }
        self.left_out = Some((if place == after { after - 1 } else { after }, gap + 1));
        true
    }

    /// The last side cause that nothing hangs on, or the last one.
    fn drop_branch(&mut self) -> bool {
        let branches = self.links.iter().enumerate().flat_map(|(place, link)| {
            link.branches
                .iter()
                .enumerate()
                .map(move |(nth, (_, branch))| (branch.links.iter().all(|link| link.decided_by.is_empty()), place, nth))
        });
        let Some((_, place, nth)) = branches.max() else { return false };
        self.links[place].branches.remove(nth);
        self.branches_left_out += 1;
        true
    }
}
