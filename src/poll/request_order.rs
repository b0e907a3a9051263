//! Scheduling order: of what is due, the least recently requested goes first, so that nothing waits for more than one
//! request of each of the others. Pure.

use std::collections::VecDeque;

/// One kind of request to an appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    /// The report of the target at this place.
    Target(usize),
    /// What the status probe at this place is for.
    StatusProbe(usize),
    /// A look at how late data come.
    MeasureLateness,
}

/// The order of asking.
#[derive(Debug)]
pub(super) struct RequestOrder(VecDeque<Work>);

impl RequestOrder {
    /// The order at the start, for so many targets and watches.
    pub(super) fn new(targets: usize, watches: usize) -> Self {
        let targets = (0..targets).map(Work::Target);
        Self(targets.chain((0..watches).map(Work::StatusProbe)).chain([Work::MeasureLateness]).collect())
    }

    /// Everything, the least recently requested first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Work> {
        self.0.iter().copied()
    }

    /// Records that `work` is requested now.
    pub(super) fn requested(&mut self, work: Work) {
        if let Some(place) = self.0.iter().position(|other| *other == work) {
            self.0.remove(place);
            self.0.push_back(work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let mut order = RequestOrder::new(2, 1);
        assert!(order.iter().eq([Work::Target(0), Work::Target(1), Work::StatusProbe(0), Work::MeasureLateness]));
        order.requested(Work::Target(0));
        order.requested(Work::StatusProbe(0));
        assert!(order.iter().eq([Work::Target(1), Work::MeasureLateness, Work::Target(0), Work::StatusProbe(0)]));
    }
}
