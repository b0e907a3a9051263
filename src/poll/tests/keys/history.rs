//! Any history of a keyed group, hour by hour: changing limits, keys that come and go, late events, lists that are cut.

use proptest::prelude::*;

use super::*;
use crate::ledger::{Begun, Counts, Stretch};
use crate::sample::{KnownKeys, Metrics};
use crate::store::SumKey;

/// One hour of a history.
#[derive(Clone, Copy, Debug)]
struct Hour {
    limit: usize,
    /// What decides who has how many events.
    dice: u64,
    /// Whether half of the events are in reports only after the hour was counted.
    is_late: bool,
    /// Whether the poller is asked for a list that may be cut, which has no totals.
    is_cut: bool,
}

fn hours() -> impl Strategy<Value = Vec<Hour>> {
    let hour = (2usize..9, any::<u64>(), proptest::bool::weighted(0.2), proptest::bool::weighted(0.05));
    let hour = hour.prop_map(|(limit, dice, is_late, is_cut)| Hour { limit, dice, is_late, is_cut });
    proptest::collection::vec(hour, 1..120)
}

impl Hour {
    /// Events of a key, of which there are few at a time.
    fn happened(self, number: usize, key: u64) -> u64 {
        let is_there = crate::base::hash::stable(&[key as u8, (number / 30) as u8]).is_multiple_of(3);
        u64::from(is_there) * (self.dice.rotate_left(key as u32) % 50)
    }
}

fn keyed_report(counts: impl Iterator<Item = (u64, u64)>) -> Report {
    let rows: Vec<_> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(key, count)| serde_json::json!({ format!("policy{key:03}"): count }))
        .collect();
    let body = serde_json::json!({"data": {"resultSet": {"recipients_matched": rows}}}).to_string();
    Report::parse(&body).expect("a report")
}

/// What a Prometheus sees of one history: the sum of all increases, which may never be negative.
#[derive(Default)]
struct Seen {
    last: BTreeMap<SumKey, u64>,
    increases: u64,
}

impl Seen {
    fn scrape(&mut self, account: &CounterState) {
        for (sum, total) in &account.totals {
            let before = self.last.insert(sum.clone(), *total).unwrap_or(0);
            self.increases += total.checked_sub(before).unwrap_or_else(|| panic!("{sum:?} steps back"));
        }
    }
}

async fn live_through(history: &[Hour]) {
    const KEYS: u64 = 12;
    let (ledger, key) = (
        Ledger::in_memory(),
        TotalsKey { appliance: "a".into(), scope: config::Scope::Appliance, group: POLICIES.into() },
    );
    let at = |hour: usize| Timestamp::from_secs(NOON + hour as u64 * 3600);
    ledger.begin(&key, at(0));
    let group = Arc::new(catalogue::group(POLICIES).expect("in the catalogue").clone());
    let families = Families::default();
    let mut seen = Seen::default();
    // What is in the totals of each hour; none where the hour has none.
    let mut book: Vec<Option<u64>> = Vec::new();
    for (number, hour) in history.iter().enumerate() {
        let top = hour.is_cut.then_some(1000);
        let metrics =
            Metrics::new((Arc::clone(&group), catalogue::ScopeKind::Appliance), Vec::new(), top, hour.limit, &families);
        let known = |account: &CounterState| KnownKeys::new(&account.seen, account.watermark);
        let said = |key: u64| hour.happened(number, key) / if hour.is_late { 2 } else { 1 };
        let report = keyed_report((0..KEYS).map(|key| (key, said(key))));
        let read = metrics.read(&report, &known(&ledger.account(&key).expect("begun")));
        let counts = Counts {
            increments: &read.increments,
            retired: &read.retired,
            summed: metrics.summed(),
            begun: &Begun::default(),
        };
        let account = ledger
            .commit(&key, at(number), Grid::HOURS.window_from(at(number)), &counts)
            .await
            .expect("counted")
            .account;
        seen.scrape(&account);
        book.push((!hour.is_cut).then(|| (0..KEYS).map(said).sum()));
        assert!(account.seen.len() <= history.iter().take(number + 1).map(|hour| hour.limit).max().expect("an hour"));
        let now = at(number + 1);
        for Stretch { hours: stretch, .. } in
            ledger.stretches(&key).into_iter().filter(|stretch| now < stretch.adds_until)
        {
            let first = usize::try_from(stretch.start().since(at(0)).as_secs() / 3600).expect("small");
            let of_stretch = first..first + usize::try_from(stretch.length().as_secs() / 3600).expect("small");
            let all = |key: u64| of_stretch.clone().map(|number| history[number].happened(number, key)).sum::<u64>();
            let report = keyed_report((0..KEYS).map(|key| (key, all(key))));
            let read = metrics.read(&report, &known(&ledger.account(&key).expect("begun")));
            let found = ledger.reconcile(&key, stretch, &read.increments, now, Late::Add).await.expect("compared");
            assert_eq!(found.surplus, 0);
            seen.scrape(&found.account);
            // A day with an hour that has no totals is not compared; nor is one while there are none.
            let is_whole = book[of_stretch.clone()].iter().all(Option::is_some);
            let counted: u64 = book[of_stretch.clone()].iter().flatten().sum();
            let truth: u64 = (0..KEYS).map(all).sum();
            let late = if is_whole && !hour.is_cut { truth - counted } else { 0 };
            assert_eq!(found.late, late, "late in {stretch}");
            if late > 0 {
                *book[first].as_mut().expect("whole") += late;
            }
        }
        assert_eq!(seen.increases, book.iter().flatten().sum::<u64>(), "after {} hours", number + 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn totals_grow_by_what_was_said_whoever_has_a_series(history in hours()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(live_through(&history));
    }
}
