//! When a reset of the totals is shown.

use super::*;
use crate::config::{Alignment, GroupChoice, Late, Scope, Settle};
use crate::ledger::{Begun, Counts};

#[tokio::test]
async fn totals_that_begin_anew_are_zero_once_that_is_written() {
    let minute = Duration::from_secs(60);
    let group = Arc::new(crate::catalogue::group("mail_mar_summary").expect("in the catalogue").clone());
    let key = Key { appliance: "a".into(), scope: Scope::Appliance, group: (*group.name).into() };
    let at = |minutes: u64| Timestamp::from_secs(minutes * 60);
    let ledger = Ledger::in_memory();
    ledger.begin(&key, at(0));
    let grid = Grid::try_new(minute).expect("a minute");
    let first = grid.window_from(at(0));
    let counts = Counts {
        increments: &[("msgs_deleted".into(), 7)],
        retired: &[],
        summed: &Arc::default(),
        begun: &Begun::default(),
    };
    ledger.commit(&key, at(0), first, &counts).await.expect("counted");
    let polling = Polling {
        grid,
        settle: Settle::Fixed(minute),
        timeout: minute,
        concurrency: 1,
        requests_per_minute: std::num::NonZeroU32::MIN,
        max_login_refusals: 3,
        catch_up: 60 * minute,
        start: None,
        alignment: Alignment::Auto,
        running_hour: true,
        late: Late::Add,
    };
    let report_source = ReportSource::of_group(&GroupChoice { group, top: None, grid, series_limit: 1000 });
    let mut target =
        Target::new(key, report_source, &Families::default(), polling, Duration::ZERO, &ledger, Tick::default());
    let now = Moment { tick: Tick::default(), appliance: at(100), wall: at(100), doubt: None };
    let shown = |target: &Target| target.view(&ledger, now, Duration::ZERO).totals[0].value;
    let Step::Fetch { window, gap: Gap::Anew { from, windows }, .. } = target.plan(&ledger, now, Stride::Usual) else {
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
