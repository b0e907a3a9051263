//! What durable totals cost a fleet of a thousand: the time of a commit, the size of the file, the time of a start.
//! `cargo bench --bench ledger` prints it; the directory for temporary files decides which disk is measured.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use asyncos_exporter::base::clock::{Clock, Timestamp};
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::Scope;
use asyncos_exporter::ledger::{Begun, Counts, Ledger};
use asyncos_exporter::store::{Event, Listener, Store, SumKey, Summed, TotalsKey};
use tokio::task::JoinSet;

const INCOMING: &str = "mail_incoming_traffic_summary";
const APPLIANCES: usize = 1000;
const ROUNDS: usize = 50;
/// A week of five minutes: as many days as a record keeps come and go.
const FURTHER_ROUNDS: usize = 2000;
const COUNTERS_AT_START: usize = 100;
const STARTS: usize = 10;
const WINDOW: Duration = Duration::from_secs(5 * 60);
const HOUR: Duration = Duration::from_secs(3600);
/// 2026-11-23T00:00:00Z.
const BEGINNING: Timestamp = Timestamp::from_secs(1_795_392_000);

type Increments = Arc<[(SumKey, u64)]>;

/// One group of each appliance, counted up to the same instant.
struct Fleet {
    ledger: Arc<Ledger>,
    keys: Vec<TotalsKey>,
    increments: Increments,
    summed: Arc<Summed>,
    counted_until: Timestamp,
    transactions: Arc<AtomicUsize>,
}

impl Fleet {
    /// A fleet that was never counted, with its state in `directory`.
    fn new(directory: &Path, counters: &[&str]) -> Self {
        let transactions = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&transactions);
        let listener: Listener = Box::new(move |event| {
            assert!(matches!(event, Event::Written), "{event:?}");
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let ledger = open(directory, listener);
        let key = |number| TotalsKey {
            appliance: format!("esa{number}").into(),
            scope: Scope::Appliance,
            group: INCOMING.into(),
        };
        let keys: Vec<TotalsKey> = (0..APPLIANCES).map(key).collect();
        for key in &keys {
            ledger.begin(key, BEGINNING);
        }
        // Counts of a window of a busy gateway have about four digits.
        let increments = counters.iter().zip(1000..).map(|(counter, count)| (SumKey::whole(*counter), count)).collect();
        let counters = counters.iter().map(|counter| (*counter).to_owned()).collect();
        let summed = Arc::new(Summed { counters, others: false });
        Self { ledger: Arc::new(ledger), keys, increments, summed, counted_until: BEGINNING, transactions }
    }

    /// Counts the next window of every appliance, all at once, as a fleet without phases would.
    async fn count(&mut self, window: Duration) {
        let grid = Grid::try_new(window).expect("a valid window");
        let window = grid.window_from(self.counted_until);
        let mut commits = JoinSet::new();
        for key in &self.keys {
            let (ledger, key, increments) = (Arc::clone(&self.ledger), key.clone(), Arc::clone(&self.increments));
            let summed = Arc::clone(&self.summed);
            commits.spawn(async move {
                let counts =
                    Counts { increments: &increments, retired: &[], summed: &summed, begun: &Begun::default() };
                ledger.commit(&key, window.start(), window, &counts).await.map(drop)
            });
        }
        assert!(commits.join_all().await.into_iter().all(|counted| counted.is_ok()));
        self.counted_until = window.end();
    }

    fn transactions(&self) -> usize {
        self.transactions.load(Ordering::Relaxed)
    }
}

fn open(directory: &Path, listener: Listener) -> Ledger {
    let (store, found) = Store::open(directory, listener).expect("a usable directory");
    assert_eq!((found.set_aside, found.damaged), (None, 0));
    Ledger::new(Arc::new(store), found.records)
}

/// The median and the worst.
fn spread<T: Copy + Ord>(mut values: Vec<T>) -> (T, T) {
    values.sort_unstable();
    (values[values.len() / 2], values[values.len() - 1])
}

fn size(directory: &Path) -> String {
    let file = directory.join("state.redb");
    let bytes = file.metadata().expect("the file").len();
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

async fn commits(clock: &Clock) {
    let directory = tempfile::tempdir().expect("a directory");
    let counters: Vec<_> =
        catalogue::group(INCOMING).expect("in the catalogue").counters.iter().map(|counter| &*counter.name).collect();
    let mut fleet = Fleet::new(directory.path(), &counters);
    let (mut times, mut transactions) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (began, before) = (clock.tick(), fleet.transactions());
        fleet.count(WINDOW).await;
        times.push(clock.tick().since(began));
        transactions.push(fleet.transactions() - before);
    }
    let all: usize = transactions.iter().sum();
    let ((median, worst), (usual, most)) = (spread(times), spread(transactions));
    println!("commit of {APPLIANCES} keys x {} counters, {ROUNDS} rounds:", counters.len());
    println!("  time: median {median:.1?}, worst {worst:.1?}");
    println!("  transactions: median {usual}, worst {most}, {all} in all");
    println!("size of the file:");
    println!("  after {ROUNDS} rounds: {}", size(directory.path()));
    let began = clock.tick();
    for round in 1..=FURTHER_ROUNDS {
        fleet.count(WINDOW).await;
        if round % (FURTHER_ROUNDS / 8) == 0 {
            println!("  after {} rounds: {}", ROUNDS + round, size(directory.path()));
        }
    }
    let mean = clock.tick().since(began) / u32::try_from(FURTHER_ROUNDS).expect("few");
    println!("  time of these rounds: mean {mean:.1?}");
    drop(fleet);
    println!("  closed: {}", size(directory.path()));
}

async fn starts(clock: &Clock) {
    let directory = tempfile::tempdir().expect("a directory");
    let numeric = catalogue::groups().flat_map(|group| &*group.counters).filter(|counter| counter.is_numeric());
    let names: BTreeSet<_> = numeric.map(|counter| &*counter.name).collect();
    let counters: Vec<_> = names.into_iter().take(COUNTERS_AT_START).collect();
    assert_eq!(counters.len(), COUNTERS_AT_START);
    let mut fleet = Fleet::new(directory.path(), &counters);
    // A whole hour and a part of the next: each record then holds sums for both beside its totals.
    fleet.count(HOUR).await;
    fleet.count(WINDOW).await;
    let keys = std::mem::take(&mut fleet.keys);
    drop(fleet);
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let began = clock.tick();
        let ledger = open(directory.path(), Box::new(|_| {}));
        times.push(clock.tick().since(began));
        let totals = keys.iter().map(|key| ledger.account(key).map_or(0, |account| account.totals.len()));
        assert_eq!(totals.sum::<usize>(), APPLIANCES * COUNTERS_AT_START);
    }
    let (median, worst) = spread(times);
    println!("start with {APPLIANCES} keys x {COUNTERS_AT_START} counters, {STARTS} times:");
    println!("  time: median {median:.1?}, worst {worst:.1?}, of a file of {}", size(directory.path()));
}

fn main() {
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let clock = Clock::system();
    runtime.block_on(async {
        commits(&clock).await;
        starts(&clock).await;
    });
}
