//! When a reset of the totals is shown, and the change to whole hours.

use super::*;
use crate::config::{Alignment, GroupChoice, Late, Scope, Settle};
use crate::ledger::{Begun, Counts};
use crate::store::SumKey;

const NOON: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z
const GROUP: &str = "mail_mar_summary";

fn key() -> TotalsKey {
    TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: GROUP.into() }
}

fn target(key: TotalsKey, start: Option<Duration>, grid: Grid, ledger: &Ledger) -> Target {
    let group = Arc::new(crate::catalogue::group(GROUP).expect("in the catalogue").clone());
    let minute = Duration::from_secs(60);
    let polling = Polling {
        grid,
        settle: Settle::Fixed(minute),
        timeout: minute,
        concurrency: std::num::NonZeroUsize::MIN,
        requests_per_minute: std::num::NonZeroU32::MIN,
        max_login_refusals: crate::config::RefusalLimit::default(),
        catch_up: 60 * minute,
        start,
        alignment: Alignment::Auto,
        running_hour: true,
        late: Late::Add,
    };
    let report_source = ReportSource::of_group(&GroupChoice { group, top: None, grid, series_limit: 1000 });
    Target::new(key, report_source, &Families::default(), polling, Duration::ZERO, ledger, Tick::default())
}

#[tokio::test]
async fn totals_that_begin_anew_are_zero_once_that_is_written() {
    let minute = Duration::from_secs(60);
    let key = key();
    let at = |minutes: u64| Timestamp::from_secs(minutes * 60);
    let ledger = Ledger::in_memory();
    ledger.begin(&key, at(0));
    let grid = Grid::try_new(minute).expect("a minute");
    let first = grid.window_from(at(0));
    let counts = Counts {
        increments: &[(SumKey::whole("msgs_deleted"), 7)],
        retired: &[],
        summed: &Arc::default(),
        begun: &Begun::default(),
    };
    ledger.commit(&key, at(0), first, &counts).await.expect("counted");
    let mut target = target(key, None, grid, &ledger);
    let now = Moment { tick: Tick::default(), appliance: at(100), wall: at(100), doubt: None };
    let shown = |target: &Target| target.view(&ledger, now, Duration::ZERO).totals[0].value;
    let Step::Fetch { window, gap: Gap::Restart { from, windows }, .. } = target.plan(&ledger, now, Stride::Usual)
    else {
        panic!("99 minutes are too many")
    };
    assert_eq!((from, window.start(), windows), (at(1), at(39), 38));
    assert_eq!(ledger.watermark(target.key()), Some(at(1)), "nothing is given up before there is an answer");
    assert_eq!(shown(&target), 7.0);
    let begins = Begins { from, at: window.start(), lost: windows };
    target.reset_persisted(begins, &Err(CommitError::Moved), now.tick);
    assert_eq!(shown(&target), 7.0, "a crash would bring it back");
    target.reset_persisted(begins, &Ok(()), now.tick);
    assert_eq!((shown(&target), target.tally.lost), (0.0, [38, 0]));
}

#[tokio::test]
async fn a_second_report_that_finds_whole_hours_forgets_nothing_of_the_running_one() {
    let (ledger, minute) = (Ledger::in_memory(), Duration::from_secs(60));
    let at = |minutes: u64| Timestamp::from_secs(NOON + minutes * 60);
    let grid = Grid::try_new(5 * minute).expect("five minutes");
    let mut target = target(key(), Some(Duration::ZERO), grid, &ledger);
    let moment = |minutes| Moment { tick: Tick::default(), appliance: at(minutes), wall: at(minutes), doubt: None };
    assert_eq!(target.begin(&ledger, moment(8)), Some(at(5)));
    target.take_hours(&ledger, at(8));
    let hour = Grid::HOURS.window_from(at(0));
    assert_eq!(target.plan(&ledger, moment(8), Stride::Usual), Step::RunningHour(hour));
    for (minutes, events) in [(8, 80), (13, 130)] {
        let increments = [(SumKey::whole("msgs_deleted"), events)];
        let counts =
            Counts { increments: &increments, retired: &[], summed: &target.summed(), begun: &Begun::default() };
        let counted = ledger.count_running(target.key(), hour, at(minutes), &counts).await.expect("counted");
        assert_eq!(counted.account.totals[&SumKey::whole("msgs_deleted")], events);
        // Another report was under way when the first one was refused, and is refused too.
        target.take_hours(&ledger, at(minutes));
    }
}
