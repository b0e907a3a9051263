//! The point from which the totals of one target continue: their watermark, the end of a gap, or a new epoch; none for a
//! while when the clock contradicts what was counted. Pure.

use std::time::Duration;

use crate::api::ClockDoubt;
use crate::base::clock::{Tick, Timestamp};

use super::plan::{Gap, WindowSchedule};

/// How long a clock in doubt is waited for after a start, before totals begin in the time that it shows: a machine that
/// has just started may still be setting its own.
const DOUBT_WAIT: Duration = Duration::from_secs(60 * 60);

/// The same moment on three clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) tick: Tick,
    pub(super) appliance: Timestamp,
    pub(super) wall: Timestamp,
    /// Why the appliance's clock is not taken from its newest answer.
    pub(super) doubt: Option<ClockDoubt>,
}

/// What is known about the watermark of one target.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ResumePoint {
    /// Whether it was found valid since the start.
    is_resumed: bool,
    /// Since when the clock is waited for.
    waits_since: Option<Tick>,
}

impl ResumePoint {
    /// The watermark is valid.
    pub(super) fn found(&mut self) {
        *self = Self { is_resumed: true, waits_since: None };
    }

    /// Whether totals of which nothing is known may begin: not at a time that may be about to jump.
    pub(super) fn may_begin(&mut self, now: Moment) -> bool {
        if now.doubt == Some(ClockDoubt::Unconfirmed) && self.is_to_wait(now.tick, DOUBT_WAIT) {
            return false;
        }
        self.found();
        true
    }

    /// Where to continue; none while the clock contradicts what was counted and may return.
    ///
    /// A watermark older than what can be fetched has a gap behind it; one in the future is from another clock. After a
    /// start, totals that continued over either would be wrong for ever without anybody having seen why, so they restart
    /// at zero. While the exporter runs, a gap is counted, and a clock that went back is waited for as long as windows
    /// could still be fetched if it returned; those of that time are then the first of the new epoch.
    pub(super) fn find(
        &mut self,
        rule: WindowSchedule,
        start: Option<Duration>,
        watermark: Timestamp,
        now: Moment,
    ) -> Option<(Timestamp, Gap)> {
        let time = now.appliance;
        let resumable = rule.resumable(time);
        let is_ahead = watermark > *resumable.end();
        if resumable.contains(&watermark) || (self.is_resumed && !is_ahead) {
            self.found();
            return Some(rule.skip(watermark, time));
        }
        let longest = if self.is_resumed { rule.reach() } else { DOUBT_WAIT };
        if (self.is_resumed || now.doubt.is_some()) && self.is_to_wait(now.tick, longest) {
            return None;
        }
        let first = rule.first_watermark(time, start);
        let at = if is_ahead && !self.is_resumed { first } else { *resumable.start() };
        Some((at, Gap::Restart { from: watermark, windows: rule.between(watermark, at, time) }))
    }

    fn is_to_wait(&mut self, now: Tick, longest: Duration) -> bool {
        let since = *self.waits_since.get_or_insert(now);
        now.since(since) < longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::window::Grid;
    use crate::snapshot::LostReason;

    const HOUR: Duration = Duration::from_secs(3600);
    /// In hours since 1970.
    const NOW: u64 = 498_732;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_secs(hours * 3600)
    }

    fn rule() -> WindowSchedule {
        WindowSchedule {
            grid: Grid::HOURS,
            settle: Duration::ZERO,
            phase: Duration::ZERO,
            catch_up: 10 * HOUR,
            is_hourly: false,
        }
    }

    fn moment(passed: Duration, appliance: Timestamp, doubt: Option<ClockDoubt>) -> Moment {
        Moment { tick: Tick::default() + passed, appliance, wall: appliance, doubt }
    }

    fn find(
        point: &mut ResumePoint,
        watermark: u64,
        passed: u32,
        doubt: Option<ClockDoubt>,
    ) -> Option<(Timestamp, Gap)> {
        let passed = passed * HOUR;
        point.find(rule(), None, at(watermark), moment(passed, at(NOW) + passed, doubt))
    }

    #[test]
    fn a_start_goes_on_where_windows_can_still_be_fetched_and_else_begins_anew() {
        for (watermark, expected) in [
            (NOW, Some((at(NOW), Gap::None))),
            (NOW - 10, Some((at(NOW - 10), Gap::None))),
            (NOW + 10, Some((at(NOW + 10), Gap::None))),
            (NOW - 11, Some((at(NOW - 10), Gap::Restart { from: at(NOW - 11), windows: 1 }))),
            (NOW + 11, Some((at(NOW - 1), Gap::Restart { from: at(NOW + 11), windows: 0 }))),
        ] {
            assert_eq!(find(&mut ResumePoint::default(), watermark, 0, None), expected, "{watermark}");
        }
    }

    #[test]
    fn a_clock_in_doubt_is_no_reason_to_begin_anew_for_an_hour() {
        for doubt in [ClockDoubt::Unconfirmed, ClockDoubt::Refused] {
            for watermark in [NOW - 500, NOW + 500] {
                let mut point = ResumePoint::default();
                assert_eq!(find(&mut point, watermark, 0, Some(doubt)), None);
                let later = find(&mut point, watermark, 1, Some(doubt)).expect("nothing waits for ever");
                assert!(matches!(later.1, Gap::Restart { .. }), "{later:?}");
            }
            assert_eq!(find(&mut ResumePoint::default(), NOW - 5, 0, Some(doubt)), Some((at(NOW - 5), Gap::None)));
        }
    }

    #[test]
    fn a_gap_is_counted_and_a_clock_that_went_back_is_waited_for_while_it_runs() {
        let mut point = ResumePoint::default();
        point.found();
        let lost = Gap::Lost { from: at(NOW - 15), windows: 5, why: LostReason::CatchUp };
        assert_eq!(find(&mut point, NOW - 15, 0, None), Some((at(NOW - 10), lost)));
        for passed in 0..10 {
            assert_eq!(find(&mut point, NOW + 500, passed, None), None, "{passed}");
        }
        let restart = Gap::Restart { from: at(NOW + 500), windows: 0 };
        assert_eq!(
            find(&mut point, NOW + 500, 10, None),
            Some((at(NOW), restart)),
            "the hours of the wait are fetched"
        );
        assert_eq!(find(&mut point, NOW + 5, 10, None), Some((at(NOW + 5), Gap::None)), "it returned after all");
        assert_eq!(find(&mut point, NOW + 500, 10, None), None, "the next wait is another");
    }

    #[test]
    fn nothing_begins_at_a_time_that_may_be_about_to_jump() {
        let now = |passed, doubt| moment(passed, at(NOW), doubt);
        let unconfirmed = Some(ClockDoubt::Unconfirmed);
        let mut point = ResumePoint::default();
        assert!(!point.may_begin(now(Duration::ZERO, unconfirmed)));
        assert!(!point.may_begin(now(HOUR - Duration::from_secs(1), unconfirmed)));
        assert!(point.may_begin(now(HOUR, unconfirmed)), "nothing waits for ever");
        assert!(
            ResumePoint::default().may_begin(now(Duration::ZERO, Some(ClockDoubt::Refused))),
            "our clock stands in"
        );
    }
}
