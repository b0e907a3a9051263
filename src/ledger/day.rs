//! Keeps apart what of the totals lies in which day, so that a stretch of whole hours can be compared with the
//! appliance's own report for it. Days do not overlap: what was late is added to its day once and stays there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::base::window::{Grid, Window};
use crate::store::{Day, OTHER, SumKey};

const DAY: u64 = 24 * 3600;
/// Late data are added to a day until so long after its end. A gateway spools 25 hours of reports for its manager.
///
/// **Source:** vendor TechNote 212101, reporting data retention.
const ADDED: Duration = Duration::from_secs(26 * 3600);
/// From then on a day is compared for so much longer: what is late is not added any more, but counted as that.
const WATCHED: Duration = Duration::from_secs(24 * 3600);

/// Takes in that windows from `from` to `to` were counted, which lie in one day. False where they belong to no day that can be
/// compared later: the first hour had begun when counting did.
pub(super) fn counted(days: &mut Vec<Day>, from: Timestamp, to: Timestamp, increments: &[(SumKey, u64)]) -> bool {
    let Some(day) = add_open(days, from, to, increments) else { return false };
    close(day, to);
    true
}

/// Takes in that so much more was counted of the hour from `from` on, which is not over; the appliance answered `until`. An
/// older answer, or one of a clock that was set back, takes back nothing that was counted until a later time.
pub(super) fn running(days: &mut Vec<Day>, from: Timestamp, until: Timestamp, increments: &[(SumKey, u64)]) {
    if let Some(day) = add_open(days, from, until, increments) {
        day.open_until = day.open_until.max(Some(until.as_secs()));
    }
}

/// The day whose hour from `start` on has begun, and of which everything that was counted is known.
pub(super) fn with_open_hour(days: &[Day], start: Timestamp) -> Option<&Day> {
    days.last().filter(|day| !day.ended && day.end == start.as_secs())
}

/// Adds to the hours from `from` to `to`. None where they belong to no day that can be compared later.
fn add_open<'a>(
    days: &'a mut Vec<Day>,
    from: Timestamp,
    to: Timestamp,
    increments: &[(SumKey, u64)],
) -> Option<&'a mut Day> {
    let number = from.as_secs() / DAY;
    if days.last().is_none_or(|day| day.ended || day.start / DAY != number) {
        // Of windows that begin within an hour nothing can be told apart: the first whole hour is behind them.
        let start = if Grid::HOURS.floor(from) == from { from } else { Grid::HOURS.ceil(to) }.as_secs();
        // No whole hour of the day is left then, and reports are compared by whole hours.
        if start / DAY != number {
            return None;
        }
        days.push(Day { start, end: start, ..Day::default() });
    }
    let day = days.last_mut()?;
    if from.as_secs() < day.start {
        let start = Grid::HOURS.ceil(to).as_secs().max(day.start);
        (day.start, day.end) = (start, start);
        return None;
    }
    for (sum, count) in increments {
        add(&mut day.open, sum, *count);
    }
    Some(day)
}

/// Drops the days that are not compared with the appliance's own report any more at `now`. Of those to which nothing is
/// added any more only the sums over all keys are kept.
pub(super) fn forget(days: &mut Vec<Day>, now: Timestamp) {
    days.retain(|day| adds_until(Timestamp::from_secs(day.start)) + WATCHED > now);
    for day in days.iter_mut().filter(|day| adds_until(Timestamp::from_secs(day.start)) <= now) {
        forget_keys(day);
    }
}

fn forget_keys(day: &mut Day) {
    let is_keyed = day.closed.keys().any(|sum| sum.key().is_some());
    // Should something be added after all, by a clock that was set back, nobody knows which key lacks it.
    (day.own, day.open_own) = (is_keyed.then(BTreeSet::new), None);
    // Every window that is counted comes here, and the keys are forgotten once.
    if day.closed.keys().all(|sum| sum.key().is_none_or(|key| key == OTHER)) {
        return;
    }
    for (sum, count) in std::mem::take(&mut day.closed) {
        let kept = if sum.key().is_none() { sum } else { SumKey::keyed(sum.counter(), OTHER) };
        add(&mut day.closed, &kept, count);
    }
}

/// Until when late data are added to the day of `at`.
pub(super) fn adds_until(at: Timestamp) -> Timestamp {
    Timestamp::from_secs((at.as_secs() / DAY + 1) * DAY) + ADDED
}

/// Whether nothing is added to `day` but late data.
pub(super) fn is_over(day: &Day) -> bool {
    day.ended || day.end / DAY > day.start / DAY
}

/// Ends the current stretch after windows were given up or totals were reset: a comparison over the gap would find in the
/// report what was counted as lost. The whole hours before the gap can still be compared.
pub(super) fn break_stretch(days: &mut Vec<Day>) {
    // A day without a whole hour has nothing to compare.
    days.pop_if(|day| day.start == day.end);
    if let Some(day) = days.last_mut() {
        day.ended = true;
        day.open.clear();
        (day.open_own, day.open_until) = (None, None);
    }
}

/// The hours of `day` that are counted whole; none where there are none, or nothing in them adds up.
pub(super) fn stretch(day: &Day) -> Option<Window> {
    let (start, end) = (Timestamp::from_secs(day.start), Timestamp::from_secs(day.end));
    let hours = u32::try_from(Grid::HOURS.count_between(start, end)).unwrap_or(0);
    (hours > 0 && !day.closed.is_empty()).then(|| Grid::HOURS.stretch_from(start, hours))
}

/// Counts the open hour to the closed ones if it ends at `to`.
fn close(day: &mut Day, to: Timestamp) {
    if Grid::HOURS.floor(to) == to {
        for (sum, count) in std::mem::take(&mut day.open) {
            add(&mut day.closed, &sum, count);
        }
        day.end = to.as_secs();
        (day.open_own, day.open_until) = (None, None);
    }
}

/// Adds `count` to one of `sums`, which may begin with it.
pub(super) fn add(sums: &mut BTreeMap<SumKey, u64>, sum: &SumKey, count: u64) {
    match sums.get_mut(sum) {
        Some(counted) => *counted = counted.saturating_add(count),
        None => {
            sums.insert(sum.clone(), count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: u64 = 1_795_392_000; // 2026-11-23T00:00:00Z

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_secs(MIDNIGHT + minutes * 60)
    }

    fn c() -> SumKey {
        SumKey::whole("c")
    }

    fn count(days: &mut Vec<Day>, from: u64, to: u64) {
        counted(days, at(from), at(to), &[(c(), to - from)]);
        forget(days, at(to));
    }

    /// `(first minute, last minute, minutes counted)` of each day.
    fn shown(days: &[Day]) -> Vec<(u64, u64, u64)> {
        let minute = |seconds: u64| (seconds - MIDNIGHT) / 60;
        days.iter()
            .map(|day| (minute(day.start), minute(day.end), day.closed.get(&c()).copied().unwrap_or(0)))
            .collect()
    }

    #[test]
    fn only_whole_hours_are_closed() {
        let mut days = Vec::new();
        for minute in (10..200).step_by(5) {
            count(&mut days, minute, minute + 5);
        }
        assert_eq!(shown(&days), [(60, 180, 120)], "the first hour was begun late, the last is not over");
        assert_eq!(days[0].open.get(&c()), Some(&20));
    }

    #[test]
    fn days_are_separate_and_kept_for_50_hours_after_their_end() {
        let mut days = Vec::new();
        for hour in 0..74 {
            count(&mut days, hour * 60, hour * 60 + 60);
        }
        assert_eq!(shown(&days), [(1440, 2880, 1440), (2880, 4320, 1440), (4320, 4440, 120)]);
    }

    #[test]
    fn a_day_is_added_to_until_26_hours_after_its_end_and_compared_for_another_day() {
        let end = |hours: u64| at((24 + hours) * 60);
        assert_eq!([at(0), at(24 * 60 - 1)].map(adds_until), [end(26); 2]);
        let mut days = Vec::new();
        count(&mut days, 0, 60);
        days[0].closed.extend([(SumKey::keyed("k", "a"), 1), (SumKey::keyed("k", OTHER), 2)]);
        let before = days.clone();
        forget(&mut days, end(26) - Duration::from_secs(1));
        assert_eq!(days, before);
        forget(&mut days, end(50) - Duration::from_secs(1));
        let sums = days[0].closed.clone().into_iter().collect::<Vec<_>>();
        assert_eq!(sums, [(c(), 60), (SumKey::keyed("k", OTHER), 3)]);
        forget(&mut days, end(50));
        assert_eq!(shown(&days), []);
    }

    #[test]
    fn a_long_window_that_begins_within_an_hour_is_in_no_stretch() {
        for first in [65, 70] {
            let mut days = Vec::new();
            count(&mut days, 65, first);
            count(&mut days, first, 240);
            count(&mut days, 240, 360);
            assert_eq!(shown(&days), [(240, 360, 120)], "the hours before were counted with a part of another");
        }
        let mut days = Vec::new();
        count(&mut days, 240, 360);
        count(&mut days, 360, 365);
        count(&mut days, 365, 480);
        assert_eq!(shown(&days), [(240, 480, 240)], "all of it is known here");
        let mut days = Vec::new();
        count(&mut days, 65, 24 * 60);
        assert_eq!(shown(&days), [], "nothing of the day is left");
    }

    #[test]
    fn a_day_that_begins_in_its_last_hour_is_left_out() {
        let mut days = Vec::new();
        count(&mut days, 23 * 60 + 5, 23 * 60 + 10);
        assert_eq!(shown(&days), []);
    }

    #[test]
    fn a_gap_begins_a_new_stretch() {
        let mut days = Vec::new();
        count(&mut days, 0, 60);
        break_stretch(&mut days);
        count(&mut days, 125, 180);
        count(&mut days, 180, 240);
        assert_eq!(shown(&days), [(0, 60, 60), (180, 240, 60)], "the hour before the gap can still be compared");
        break_stretch(&mut days);
        break_stretch(&mut days);
        assert_eq!(days.len(), 2);
        assert!(days.iter().all(|day| day.ended && day.open.is_empty()));
    }

    #[test]
    fn a_running_hour_grows_until_it_is_closed() {
        let mut days = Vec::new();
        count(&mut days, 0, 60);
        for (until, more) in [(65, 5), (70, 4)] {
            running(&mut days, at(60), at(until), &[(c(), more)]);
            assert_eq!(shown(&days), [(0, 60, 60)]);
        }
        let day = with_open_hour(&days, at(60)).expect("it has begun");
        assert_eq!((day.open.get(&c()), day.open_until), (Some(&9), Some(at(70).as_secs())));
        assert!(with_open_hour(&days, at(0)).is_none() && with_open_hour(&days, at(120)).is_none());
        counted(&mut days, at(60), at(120), &[(c(), 51)]);
        assert_eq!((shown(&days), days[0].open_until), (vec![(0, 120, 120)], None));
        break_stretch(&mut days);
        assert!(with_open_hour(&days, at(120)).is_none(), "what lies after the gap is not known");
        running(&mut days, at(1440), at(1441), &[(c(), 1)]);
        assert_eq!(shown(&days), [(0, 120, 120), (1440, 1440, 0)], "the first hour of a day");
    }
}
