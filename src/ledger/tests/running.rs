//! The hour that is not over: its reports grow, and it is counted once.

use super::*;

fn hour(number: u64) -> Window {
    Grid::HOURS.window_from(at(number * 3600))
}

async fn run(
    ledger: &Ledger,
    number: u64,
    minute: u64,
    report: &[(&str, u64)],
    retired: &[String],
) -> Result<Counted, CommitError> {
    let summed = Arc::new(Summed { others: true, ..Summed::default() });
    let counts = Counts { increments: &counts(report), retired, summed: &summed, begun: &Begun::default() };
    ledger.count_running(&key(), hour(number), at(number * 3600 + minute * 60), &counts).await
}

async fn grow(ledger: &Ledger, number: u64, minute: u64, report: &[(&str, u64)]) -> Counted {
    run(ledger, number, minute, report, &[]).await.expect("counted")
}

fn totals(ledger: &Ledger) -> Vec<(SumKey, u64)> {
    ledger.account(&key()).expect("begun").totals.into_iter().collect()
}

#[tokio::test]
async fn a_running_hour_adds_its_growth_and_closes_with_the_rest() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    count(&ledger, 0, 3600, &[("c", 60)]).await.expect("counted");
    for (minute, said, expected, surplus) in
        [(5, 5, 65, 0), (10, 9, 69, 0), (15, 7, 69, 2), (20, 9, 69, 0), (25, 12, 72, 0)]
    {
        // The answer arrives twice.
        for _ in 0..2 {
            let counted = grow(&ledger, 1, minute, &[("c", said)]).await;
            let account = &counted.account;
            assert_eq!((total(account), account.watermark, counted.surplus), (Some(expected), at(3600), surplus));
        }
    }
    assert_eq!(hours_of(&ledger, &key()), [hour(0)]);
    let closed = count(&ledger, 3600, 7200, &[("c", 20)]).await.expect("counted");
    assert_eq!((total(&closed), closed.watermark), (Some(80), at(7200)));
    assert!(matches!(run(&ledger, 1, 59, &[("c", 99)], &[]).await, Err(CommitError::Moved)), "it is closed");
    assert!(matches!(run(&ledger, 3, 1, &[("c", 99)], &[]).await, Err(CommitError::Moved)), "the hour before is not");
    let hours = hours_of(&ledger, &key())[0];
    let found = ledger.reconcile(&key(), hours, &counts(&[("c", 83)]), hours.end(), Late::Add).await.expect("compared");
    assert_eq!((found.late, total(&found.account)), (3, Some(83)), "the closed hour holds what was counted of it");
}

#[tokio::test]
async fn an_older_answer_for_a_running_hour_takes_nothing_back() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    for (minute, report, until) in [(20, 20, 20), (10, 10, 20), (25, 24, 25)] {
        let account = grow(&ledger, 0, minute, &[("c", report)]).await.account;
        assert_eq!(account.running(), Some((hour(0), at(until * 60))), "the end of what is counted steps back");
        assert_eq!(total(&account), Some(report.max(20)));
    }
}

#[tokio::test]
async fn a_running_hour_that_shrinks_adds_nothing_and_reports_the_surplus() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    grow(&ledger, 0, 50, &[("c", 50), ("d", 5)]).await;
    let summed = Arc::new(Summed { others: true, ..Summed::default() });
    let report = counts(&[("c", 48), ("d", 6)]);
    let counts = Counts { increments: &report, retired: &[], summed: &summed, begun: &Begun::default() };
    let counted = ledger.commit(&key(), at(0), hour(0), &counts).await.expect("counted");
    assert_eq!((counted.surplus, counted.lacked), (2, Some(vec![(sum("d"), 1)])));
    assert_eq!(totals(&ledger), [(sum("c"), 50), (sum("d"), 6)]);
}

#[tokio::test]
async fn a_running_hour_continues_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let (store, found) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
        Ledger::new(Arc::new(store), found.records)
    };
    let ledger = open();
    ledger.begin(&key(), at(0));
    grow(&ledger, 0, 5, &[("c", 5)]).await;
    drop(ledger);
    let ledger = open();
    assert_eq!(total(&grow(&ledger, 0, 10, &[("c", 11)]).await.account), Some(11));
    drop(ledger);
    let ledger = open();
    assert_eq!(total(&count(&ledger, 0, 3600, &[("c", 60)]).await.expect("counted")), Some(60));
}

#[tokio::test]
async fn a_running_hour_that_cannot_be_written_is_not_counted() {
    let ledger = Ledger::new(Arc::new(Store::without_writer()), HashMap::new());
    ledger.begin(&key(), at(0));
    let before = ledger.account(&key());
    let outcome = run(&ledger, 0, 5, &[("c", 5)], &[]).await;
    assert!(matches!(outcome, Err(CommitError::NotWritten(_))), "{outcome:?}");
    assert_eq!(ledger.account(&key()), before);
}

#[tokio::test]
async fn concurrent_answers_for_a_running_hour_are_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
    let ledger = Ledger::new(Arc::new(store), HashMap::new());
    ledger.begin(&key(), at(0));
    // The watermark stays, so it alone would let the smaller one take back what the larger one has shown.
    let outcomes = tokio::join!(run(&ledger, 0, 10, &[("c", 9)], &[]), run(&ledger, 0, 5, &[("c", 5)], &[]));
    let shown = match &outcomes {
        (Ok(_), Err(CommitError::Moved)) => 9,
        (Err(CommitError::Moved), Ok(_)) => 5,
        both => panic!("{both:?}"),
    };
    assert_eq!(totals(&ledger), [(sum("c"), shown)]);
}

#[tokio::test]
async fn minutes_already_counted_are_subtracted_from_the_report_of_their_hour() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    count(&ledger, 0, 3600, &[("c", 60)]).await.expect("counted");
    count(&ledger, 3600, 3600 + 900, &[("c", 15)]).await.expect("counted");
    assert!(ledger.knows_of(&key(), hour(1)) && !ledger.knows_of(&key(), hour(2)));
    assert_eq!(total(&grow(&ledger, 1, 20, &[("c", 20)]).await.account), Some(80));
    let minutes = count(&ledger, 4500, 4800, &[("c", 5)]).await;
    assert!(matches!(minutes, Err(CommitError::Moved)), "they are in what was counted: {minutes:?}");
    let account = count_from(&ledger, 4500, hour(1), &[("c", 61)]).await.expect("counted");
    assert_eq!((account.watermark, account.days[0].closed[&sum("c")]), (at(7200), account.totals[&sum("c")]));
}

#[tokio::test]
async fn an_hour_first_counted_after_its_start_is_not_counted_as_a_whole() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(300));
    count(&ledger, 300, 600, &[("c", 5)]).await.expect("counted");
    assert!(!ledger.knows_of(&key(), hour(0)));
    assert!(matches!(run(&ledger, 0, 10, &[("c", 10)], &[]).await, Err(CommitError::Moved)));
    assert!(matches!(count_from(&ledger, 600, hour(0), &[("c", 60)]).await, Err(CommitError::Moved)));
}

#[tokio::test]
async fn minutes_are_refused_once_their_running_hour_was_counted() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    grow(&ledger, 0, 10, &[("c", 10)]).await;
    assert!(matches!(count(&ledger, 0, 300, &[("c", 5)]).await, Err(CommitError::Moved)), "they are in it");
    assert_eq!(totals(&ledger), [(sum("c"), 10)]);
}

#[tokio::test]
async fn a_counter_that_gains_a_total_is_counted_for_the_whole_running_hour() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    let run = async |minute: u64, counters: &[&str]| {
        let counters = counters.iter().map(|name| (*name).to_owned()).collect();
        let summed = Arc::new(Summed { counters, others: false });
        let report = counts(&[("c", minute), ("d", minute)]);
        let counts = Counts { increments: &report, retired: &[], summed: &summed, begun: &Begun::default() };
        ledger.count_running(&key(), hour(0), at(minute * 60), &counts).await.expect("counted")
    };
    run(5, &["c"]).await;
    run(10, &["c", "d"]).await;
    assert_eq!(totals(&ledger), [(sum("c"), 10), (sum("d"), 10)]);
}

#[tokio::test]
async fn keys_with_and_without_series_add_up_in_a_running_hour() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    grow(&ledger, 0, 5, &[("c/x", 5), ("c/other", 3)]).await;
    // The three events of `other` were of `y`, which has a series from now on.
    grow(&ledger, 0, 10, &[("c/x", 6), ("c/y", 5)]).await;
    assert_eq!(totals(&ledger), counts(&[("c/other", 5), ("c/x", 6), ("c/y", 0)]));
    let closed = count(&ledger, 0, 3600, &[("c/x", 7), ("c/y", 9)]).await.expect("counted");
    assert_eq!(closed.totals, BTreeMap::from_iter(counts(&[("c/other", 9), ("c/x", 7), ("c/y", 0)])));
    // With the next hour its events are its own.
    grow(&ledger, 1, 5, &[("c/x", 1), ("c/y", 2)]).await;
    assert_eq!(totals(&ledger), counts(&[("c/other", 9), ("c/x", 8), ("c/y", 2)]));
    // `x` gives up its series and is listed again within the hour: the total of all keys stays the report's.
    run(&ledger, 1, 10, &[("c/y", 3), ("c/other", 2)], &["x".into()]).await.expect("counted");
    let counted = grow(&ledger, 1, 15, &[("c/x", 2), ("c/y", 3), ("c/other", 1)]).await;
    assert_eq!(counted.account.totals.values().sum::<u64>(), 16 + 6);
}

proptest::proptest! {
    #[test]
    fn any_reports_of_a_running_hour_add_up_to_the_largest(reports in proptest::collection::vec([0u64..20, 0..20, 0..20], 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let ledger = Ledger::in_memory();
        ledger.begin(&key(), at(0));
        let names = ["c/x", "c/y", "c/other"];
        let (mut largest, mut before) = (0, BTreeMap::<SumKey, u64>::new());
        for (number, report) in reports.iter().enumerate() {
            let rows: Vec<(&str, u64)> = names.into_iter().zip(*report).collect();
            let account = match number + 1 < reports.len() {
                true => runtime.block_on(grow(&ledger, 0, 5, &rows)).account,
                false => runtime.block_on(count(&ledger, 0, 3600, &rows)).expect("counted"),
            };
            largest = report.iter().sum::<u64>().max(largest);
            proptest::prop_assert_eq!(account.totals.values().sum::<u64>(), largest);
            for (name, count) in &before {
                proptest::prop_assert!(account.totals[name] >= *count, "a total steps back");
            }
            before = account.totals;
        }
    }
}
