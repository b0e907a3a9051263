//! Counting, comparing and resuming, with and without a disk.

mod running;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::base::window::Grid;
use crate::config::Scope;
use crate::store::{Day, Summed};

fn key() -> TotalsKey {
    TotalsKey { appliance: "a".into(), scope: Scope::Appliance, group: "g".into() }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

/// The sum `c/k` of the key `k` of a counter, or `c` of a counter without keys.
fn sum(name: &str) -> SumKey {
    name.split_once('/').map_or_else(|| SumKey::whole(name), |(counter, key)| SumKey::keyed(counter, key))
}

fn counts(counts: &[(&str, u64)]) -> Vec<(SumKey, u64)> {
    counts.iter().map(|(name, count)| (sum(name), *count)).collect()
}

/// The whole minutes from `from` to `to`, in seconds.
fn stretch(from: u64, to: u64) -> Window {
    let minutes = Grid::try_new(Duration::from_secs(60)).expect("a minute");
    minutes.stretch_from(at(from), u32::try_from((to - from) / 60).expect("small"))
}

async fn count(ledger: &Ledger, from: u64, to: u64, increments: &[(&str, u64)]) -> Result<CounterState, CommitError> {
    count_from(ledger, from, stretch(from, to), increments).await
}

async fn count_from(
    ledger: &Ledger,
    from: u64,
    window: Window,
    increments: &[(&str, u64)],
) -> Result<CounterState, CommitError> {
    let summed = Arc::new(Summed { others: true, ..Summed::default() });
    let counts = Counts { increments: &counts(increments), retired: &[], summed: &summed, begun: &Begun::default() };
    ledger.commit(&key(), at(from), window, &counts).await.map(|counted| counted.account)
}

fn total(account: &CounterState) -> Option<u64> {
    account.totals.get(&sum("c")).copied()
}

#[tokio::test]
async fn a_window_is_counted_once() {
    let ledger = Ledger::in_memory();
    let key = key();
    let commit = || count(&ledger, 0, 60, &[("c", 5)]);
    assert!(matches!(commit().await, Err(CommitError::Moved)), "nothing has begun");
    ledger.begin(&key, at(0));
    assert_eq!(total(&commit().await.expect("counted")), Some(5));
    assert!(matches!(commit().await, Err(CommitError::Moved)), "the same answer again");
    assert_eq!(total(&ledger.account(&key).expect("begun")), Some(5));
}

#[tokio::test]
async fn totals_and_their_restart_at_zero_survive_a_process_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let (store, found) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
        Ledger::new(Arc::new(store), found.records)
    };
    let ledger = open();
    ledger.begin(&key(), at(0));
    count(&ledger, 0, 60, &[("c", 5)]).await.expect("counted");
    drop(ledger);
    let ledger = open();
    ledger.begin(&key(), at(900));
    let account = count(&ledger, 60, 120, &[("c", 2)]).await.expect("counted");
    assert_eq!((total(&account), account.epoch), (Some(7), at(0)));
    assert!(matches!(ledger.begin_anew(&key(), at(60), at(6000)).await, Err(CommitError::Moved)));
    ledger.begin_anew(&key(), at(120), at(6000)).await.expect("written");
    let account = ledger.account(&key()).expect("begun");
    assert_eq!((account.watermark, account.epoch, total(&account)), (at(6000), at(6000), None));
    drop(ledger);
    assert_eq!(open().account(&key()), Some(account), "what was restarted does not come back");
}

/// The stretches that can be compared.
fn hours_of(ledger: &Ledger, key: &TotalsKey) -> Vec<Window> {
    ledger.stretches(key).into_iter().map(|stretch| stretch.hours).collect()
}

#[tokio::test]
async fn windows_given_up_are_neither_counted_nor_compared() {
    let ledger = Ledger::in_memory();
    let key = key();
    let one = [("c", 1)];
    let hour = |number: u64| Grid::HOURS.window_from(at(number * 3600));
    ledger.begin(&key, at(0));
    count_from(&ledger, 0, hour(0), &one).await.expect("counted");
    assert_eq!(hours_of(&ledger, &key), [hour(0)]);
    assert!(matches!(count_from(&ledger, 7200, hour(2), &one).await, Err(CommitError::Moved)));
    assert!(matches!(count_from(&ledger, 3600, hour(0), &one).await, Err(CommitError::Moved)), "before it");
    let account = count_from(&ledger, 3600, hour(3), &one).await.expect("counted");
    assert_eq!((account.watermark, total(&account)), (hour(3).end(), Some(2)));
    assert_eq!(hours_of(&ledger, &key), [hour(0), hour(3)], "a gap is not compared");
    ledger.pass_over(&key, hour(3).end(), hour(9).start()).await.expect("written");
    let account = ledger.account(&key).expect("begun");
    assert_eq!((account.watermark, total(&account), account.epoch), (hour(9).start(), Some(2), at(0)));
    assert_eq!(hours_of(&ledger, &key), [hour(0), hour(3)], "late data of the hours before it are found still");
}

#[tokio::test]
async fn late_events_are_added_once_and_missing_ones_only_reported() {
    let ledger = Ledger::in_memory();
    let key = key();
    let hour = |number: u64| at(number * 3600);
    ledger.begin(&key, hour(0));
    count(&ledger, 0, 3600, &[("c", 5), ("d", 5)]).await.expect("counted");
    let hours = Grid::HOURS.window_from(hour(0));
    let report = counts(&[("c", 8), ("d", 4), ("e", 1)]);
    let audit = |late| ledger.reconcile(&key, hours, &report, hours.end(), late);
    let ignored = audit(Late::Ignore).await.expect("compared");
    assert_eq!((total(&ignored.account), ignored.late, ignored.surplus), (Some(5), 4, 1));
    let added = audit(Late::Add).await.expect("compared");
    assert_eq!((total(&added.account), added.late, added.surplus), (Some(8), 4, 1));
    assert_eq!(added.account.totals.get(&sum("d")), Some(&5), "a total never steps back");
    let again = audit(Late::Add).await.expect("compared");
    assert_eq!((total(&again.account), again.late, again.surplus), (Some(8), 0, 1));
    count(&ledger, 3600, 7200, &[("c", 1)]).await.expect("counted");
    assert!(matches!(audit(Late::Add).await, Err(CommitError::Moved)), "other hours are counted by now");
}

#[tokio::test]
async fn the_last_late_data_are_added_and_the_first_that_are_not_are_told() {
    let ledger = Ledger::in_memory();
    let key = key();
    ledger.begin(&key, at(0));
    count(&ledger, 0, 3600, &[("c", 5)]).await.expect("counted");
    let Stretch { hours, adds_until } = ledger.stretches(&key)[0];
    assert_eq!((hours.end(), adds_until), (at(3600), at((24 + 26) * 3600)), "26 hours after the day");
    let compare = async |count, at| {
        let found = ledger.reconcile(&key, hours, &counts(&[("c", count)]), at, Late::Add).await.expect("compared");
        (found.late, found.is_added, total(&found.account))
    };
    assert_eq!(compare(7, adds_until - Duration::from_secs(1)).await, (2, true, Some(7)));
    assert_eq!(compare(8, adds_until).await, (1, false, Some(7)));
    assert_eq!(compare(8, adds_until).await, (1, false, Some(7)), "it is found as long as it is not added");
}

#[tokio::test]
async fn the_newest_facts_are_written_whoever_writes_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
    let ledger = Ledger::new(Arc::new(store), HashMap::new());
    let hours = Facts { hours_only: true, ..Facts::default() };
    ledger.remember("esa1", hours.clone());
    let first = ledger.persist_facts("esa1");
    let newest = Facts { running_declined: Some(7), ..hours };
    ledger.remember("esa1", newest.clone());
    ledger.persist_facts("esa1").await.expect("written");
    first.await.expect("written");
    drop(ledger);
    let (_store, found) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
    assert_eq!(found.facts, HashMap::from([("esa1".into(), newest)]));
}

#[tokio::test]
async fn a_window_that_cannot_be_written_is_not_counted() {
    let ledger = Ledger::new(Arc::new(Store::without_writer()), HashMap::new());
    ledger.begin(&key(), at(0));
    let before = ledger.account(&key());
    let outcome = count(&ledger, 0, 3600, &[("c", 5)]).await;
    assert!(matches!(outcome, Err(CommitError::NotWritten(_))), "{outcome:?}");
    let outcome = ledger.begin_anew(&key(), at(0), at(60)).await;
    assert!(matches!(outcome, Err(CommitError::NotWritten(_))), "{outcome:?}");
    assert_eq!(ledger.account(&key()), before, "nobody sees what a restart would not find");
}

#[tokio::test]
async fn concurrent_answers_for_a_window_are_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (store, _) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
    let ledger = Ledger::new(Arc::new(store), HashMap::new());
    ledger.begin(&key(), at(0));
    let commit = || count(&ledger, 0, 60, &[("c", 5)]);
    // Both have seen the watermark before either is written.
    let outcomes = tokio::join!(commit(), commit());
    let counted = [outcomes.0, outcomes.1].iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!((counted, total(&ledger.account(&key()).expect("begun"))), (1, Some(5)));
}

#[tokio::test]
async fn an_increment_that_makes_a_total_too_large_is_skipped_and_reported() {
    const LARGEST: u64 = 1 << 53;
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    let summed = Arc::new(Summed { others: true, ..Summed::default() });
    let count = async |from: u64, count: u64| {
        let increments = counts(&[("c", count), ("d", 1)]);
        let counts = Counts { increments: &increments, retired: &[], summed: &summed, begun: &Begun::default() };
        ledger.commit(&key(), at(from), stretch(from, from + 3600), &counts).await.expect("counted")
    };
    for (hour, increment, expected, too_large) in
        [(0, LARGEST - 5, LARGEST - 5, 0), (1, 6, LARGEST - 5, 1), (2, u64::MAX, LARGEST - 5, 1), (3, 5, LARGEST, 0)]
    {
        let counted = count(hour * 3600, increment).await;
        assert_eq!((total(&counted.account), counted.too_large), (Some(expected), too_large), "hour {hour}");
        assert_eq!(counted.account.totals[&sum("d")], hour + 1, "the others go on");
    }
    let hours = hours_of(&ledger, &key())[0];
    let report = counts(&[("c", LARGEST + 1), ("d", 7)]);
    let found = ledger.reconcile(&key(), hours, &report, hours.end(), Late::Add).await.expect("compared");
    assert_eq!((total(&found.account), found.late, found.too_large), (Some(LARGEST), 3, 1));
    assert_eq!(found.account.totals[&sum("d")], 7);
}

#[tokio::test]
async fn records_of_older_versions_are_reconciled_by_the_counters_they_hold() {
    let sums = BTreeMap::from([(sum("c/k"), 5), (sum("c/other"), 3)]);
    let day = Day { start: 0, end: 7200, closed: sums.clone(), ..Day::default() };
    let record = Record { watermark: 7200, epoch: 0, totals: sums, days: vec![day], ..Record::default() };
    let ledger = Ledger::new(Arc::new(Store::Memory), HashMap::from([(key(), record)]));
    let account = ledger.account(&key()).expect("known");
    assert_eq!(account.seen, BTreeMap::from([("k".into(), 7200)]), "its keys are taken for living");
    let hours = hours_of(&ledger, &key())[0];
    let compare = async |report: &[(&str, u64)]| {
        let found = ledger.reconcile(&key(), hours, &counts(report), hours.end(), Late::Add).await.expect("compared");
        (found.account.totals, found.late)
    };
    let (totals, late) = compare(&[("c/k", 9), ("d", 100)]).await;
    assert_eq!((totals[&sum("c/k")], late), (6, 1), "`d` may have been summed since this version only");
    assert!(!totals.contains_key(&sum("d")));
    // It is known from the next window on, for the day that began before that too.
    count(&ledger, 7200, 10_800, &[("c/k", 1), ("d", 50)]).await.expect("counted");
    let hours = hours_of(&ledger, &key())[0];
    let report = counts(&[("c/k", 7), ("c/other", 3), ("d", 150)]);
    let found = ledger.reconcile(&key(), hours, &report, hours.end(), Late::Add).await.expect("compared");
    assert_eq!((found.late, found.account.totals[&sum("d")]), (0, 50));
}

#[tokio::test]
async fn late_events_of_a_key_without_a_series_go_to_other() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    count(&ledger, 0, 60, &[("c/x", 5), ("c/other", 3)]).await.expect("counted");
    for minute in 1..60 {
        count(&ledger, minute * 60, minute * 60 + 60, &[]).await.expect("counted");
    }
    // `y` had three events that are in `other`; one of `x` and two of `y` came late.
    let hour = Grid::HOURS.window_from(at(0));
    let report = counts(&[("c/x", 6), ("c/y", 5)]);
    let found = ledger.reconcile(&key(), hour, &report, hour.end(), Late::Add).await.expect("compared");
    assert_eq!((found.late, found.surplus), (3, 0));
    assert_eq!(found.account.totals, BTreeMap::from_iter(counts(&[("c/x", 6), ("c/other", 5)])));
}

#[tokio::test]
async fn late_events_of_a_day_whose_keys_are_forgotten_go_to_other() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    let hour = |number: u64| Grid::HOURS.window_from(at(number * 3600));
    count_from(&ledger, 0, hour(0), &[("c/x", 5), ("c/y", 3)]).await.expect("counted");
    // The clock is ahead for an hour, and is set back to before the time until which late data are added.
    count_from(&ledger, 3600, hour(50), &[("c/x", 1)]).await.expect("counted");
    let Stretch { hours, adds_until } = ledger.stretches(&key())[0];
    let report = counts(&[("c/x", 5), ("c/y", 4)]);
    let at = adds_until - Duration::from_secs(1);
    let found = ledger.reconcile(&key(), hours, &report, at, Late::Add).await.expect("compared");
    assert_eq!((found.late, found.is_added), (1, true));
    assert_eq!(found.account.totals, BTreeMap::from_iter(counts(&[("c/other", 1), ("c/x", 6), ("c/y", 3)])));
}

#[tokio::test]
async fn a_key_first_found_by_reconciliation_gets_a_series() {
    let ledger = Ledger::in_memory();
    ledger.begin(&key(), at(0));
    for minute in 0..60 {
        let counted = if minute == 0 { vec![("c/x", 5)] } else { vec![] };
        count(&ledger, minute * 60, minute * 60 + 60, &counted).await.expect("counted");
    }
    let report = counts(&[("c/x", 5), ("c/y", 2)]);
    let hour = Grid::HOURS.window_from(at(0));
    let found = ledger.reconcile(&key(), hour, &report, hour.end(), Late::Add).await.expect("compared");
    assert_eq!(found.account.totals.get(&sum("c/y")), Some(&2));
    assert!(found.account.seen.contains_key("y"), "or its room would be given to another: {:?}", found.account.seen);
}

#[tokio::test]
async fn new_sums_are_remembered_across_restarts_until_their_hold_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        let (store, found) = Store::open(folder.path(), Box::new(|_| {})).expect("a directory");
        Ledger::new(Arc::new(store), found.records)
    };
    let (name, summed) = (|key: &str| SumKey::keyed("c", key), Arc::new(Summed { others: true, ..Summed::default() }));
    let key_of_all = key();
    let commit = async |ledger: &Ledger, minute: u64, key: &str, retired: &[String], begun: Begun| {
        let counts = Counts { increments: &[(name(key), 5)], retired, summed: &summed, begun: &begun };
        let window = stretch(minute * 60, minute * 60 + 60);
        ledger.commit(&key_of_all, window.start(), window, &counts).await.expect("counted")
    };
    let begins = |key: &str| Begun { new: vec![name(key)], ..Begun::default() };
    let known = |counts: &[(&str, u64)]| counts.iter().map(|(key, count)| (name(key), *count)).collect();
    let ledger = open();
    ledger.begin(&key(), at(0));
    commit(&ledger, 0, "a", &[], begins("a")).await;
    // What begins twice began the first time.
    commit(&ledger, 1, "a", &[], begins("a")).await;
    assert_eq!(ledger.beginning(&key()), known(&[("a", 0)]));
    drop(ledger);
    let ledger = open();
    assert_eq!(ledger.beginning(&key()), known(&[("a", 0)]));
    commit(&ledger, 2, "b", &[], Begun { over: vec![name("a")], ..begins("b") }).await;
    assert_eq!(ledger.beginning(&key()), known(&[("b", 0)]));
    ledger.end_beginnings(&key(), &[name("b")]).await.expect("written");
    drop(ledger);
    let ledger = open();
    assert_eq!(ledger.beginning(&key()), BTreeMap::new());
    assert_eq!(ledger.account(&key()).expect("known").totals, known(&[("a", 10), ("b", 5)]));
    // A key that gave up its series begins with what it had.
    commit(&ledger, 3, "b", &["a".into()], Begun::default()).await;
    commit(&ledger, 4, "a", &[], begins("a")).await;
    assert_eq!(ledger.beginning(&key()), known(&[("a", 10)]));
    commit(&ledger, 5, "b", &["a".into()], Begun::default()).await;
    assert_eq!(ledger.beginning(&key()), BTreeMap::new(), "it has no series any more");
}

#[test]
fn records_without_new_sums_are_read_and_written_without_them() {
    let old = r#"{"watermark":60,"epoch":0,"totals":{"c":5}}"#;
    let record: Record = serde_json::from_str(old).expect("a record");
    assert_eq!(CounterState::restored(record.clone()).beginning, BTreeMap::new());
    assert_eq!(serde_json::to_string(&record).expect("a text").matches("beginning").count(), 0);
}

#[test]
fn creation_times_are_set_once_and_survive_the_loss_of_a_series() {
    let (mut account, summed) =
        (CounterState::new(at(0), at(0)), Arc::new(Summed { others: true, ..Summed::default() }));
    let mut count = |minute: u64, key: &str, retired: &[String]| {
        let begun = Begun { at: Some(at(1000 + minute)), ..Begun::default() };
        let counts = Counts { increments: &[(SumKey::keyed("c", key), 1)], retired, summed: &summed, begun: &begun };
        account.count(stretch(minute * 60, minute * 60 + 60), &counts);
        (account.created, account.keys_created.clone())
    };
    let dates = |dates: &[(&str, u64)]| dates.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect();
    assert_eq!(count(0, "a", &[]), (Some(1000), dates(&[("a", 1000)])));
    assert_eq!(count(1, "b", &["a".into()]), (Some(1000), dates(&[("a", 1000), ("b", 1001)])));
    assert_eq!(count(2, "a", &[]), (Some(1000), dates(&[("a", 1000), ("b", 1001)])), "it goes on");
    let restored = CounterState::restored(account.record());
    assert_eq!((restored.created, restored.keys_created), (account.created, account.keys_created));
}
