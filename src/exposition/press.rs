//! Prints pages: one task that knows when, and one thread that does it. Scrapes never print.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::book::{Book, Source};
use super::gzip::Deflater;
use super::page::{LEVEL, Page};
use super::scrape::Variant;
use super::shelf::{Shelf, Wishes};
use crate::clock::{Clock, Tick};
use crate::snapshot::Board;
use crate::stop::Stop;
use crate::telemetry::Telemetry;

/// Changes within this long after the last page are printed together: Prometheus' shortest usual interval is five times
/// that.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause is also this many times what the last page took, so that printing uses at most a tenth of a core.
const REST: u32 = 9;

/// Bytes of lines that are written and compressed together. Larger blocks compress better, smaller ones are seldomer
/// touched by a change; see the benchmark `exposition`.
const BLOCK: usize = 8 * 1024;

/// Prints a page whenever what it says changes or becomes stale.
#[derive(Debug)]
pub struct Press {
    printer: Printer,
    newest: watch::Sender<Arc<Page>>,
    wishes: Arc<Wishes>,
}

/// What the thread owns.
#[derive(Debug)]
struct Printer {
    board: Arc<Board>,
    telemetry: Arc<Telemetry>,
    clock: Clock,
    book: Book,
    page: Arc<Page>,
    deflater: Deflater,
}

/// An order to print.
struct Order {
    edition: u64,
    variants: Vec<Variant>,
    done: oneshot::Sender<Printed>,
}

struct Printed {
    page: Arc<Page>,
    at: Tick,
}

impl Press {
    /// A press for what `board` and `telemetry` say, and where its pages will lie.
    #[must_use]
    pub fn new(board: Arc<Board>, telemetry: Arc<Telemetry>, clock: Clock) -> (Self, Shelf) {
        let page = Arc::new(Page::unprinted());
        let (sender, newest) = watch::channel(Arc::clone(&page));
        let wishes = Arc::new(Wishes::default());
        let shelf =
            Shelf { newest, wishes: Arc::clone(&wishes), telemetry: Arc::clone(&telemetry), clock: clock.clone() };
        let deflater = Deflater::new(LEVEL);
        let printer = Printer { board, telemetry, clock, book: Book::new(BLOCK), page, deflater };
        (Self { printer, newest: sender, wishes }, shelf)
    }

    /// Prints until `stop` is requested; then nothing of it is left. Returns before that only if printing panicked.
    pub async fn run(self, stop: Stop) {
        let Self { printer, newest, wishes } = self;
        let (board, telemetry, clock) =
            (Arc::clone(&printer.board), Arc::clone(&printer.telemetry), printer.clock.clone());
        let (orders, taken) = mpsc::channel(1);
        let (alive, over) = oneshot::channel();
        // Not one of the runtime's threads for blocking work: those are shared with name look-ups, and a name server
        // that hangs must not hold up a page.
        let thread = std::thread::Builder::new().name("press".into()).spawn(move || {
            printer.work(taken);
            drop(alive);
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread to print pages with");
            return;
        }
        let mut changed = true;
        let mut rested = clock.tick();
        loop {
            let now = clock.tick();
            let stale = newest.borrow().expires();
            let due = if changed { Some(stale.map_or(rested, |stale| stale.min(rested))) } else { stale };
            tokio::select! {
                biased;
                () = stop.requested() => break,
                () = wishes.urgent.notified() => {}
                () = clock.sleep_until(due.unwrap_or(now)), if due.is_some() => {
                    if due.is_some_and(|due| clock.tick() < due) {
                        continue;
                    }
                }
                () = board.changed() => {
                    changed = true;
                    continue;
                }
                () = telemetry.changed() => {
                    changed = true;
                    continue;
                }
            }
            // What changes from here on is on this page or leads to another.
            changed = false;
            let (done, printed) = oneshot::channel();
            let (edition, variants) = (wishes.edition(), wishes.variants(clock.tick()).collect());
            if orders.send(Order { edition, variants, done }).await.is_err() {
                break;
            }
            let Ok(Printed { page, at }) = printed.await else { break };
            let ended = clock.tick();
            rested = ended + PAUSE.max(ended.since(at).saturating_mul(REST));
            newest.send_replace(page);
        }
        drop(orders);
        // Nothing is ever sent.
        let _ = over.await as Result<(), _>;
    }
}

impl Printer {
    fn work(mut self, mut orders: mpsc::Receiver<Order>) {
        while let Some(Order { edition, variants, done }) = orders.blocking_recv() {
            let at = self.clock.tick();
            let page = self.print(at, edition, &variants);
            // Whoever ordered it may have been told to stop.
            let _ = done.send(Printed { page, at });
        }
    }

    /// The page of `now`, in these forms.
    fn print(&mut self, now: Tick, edition: u64, variants: &[Variant]) -> Arc<Page> {
        let mut sources: BTreeMap<Arc<str>, Source> = BTreeMap::new();
        for snapshot in self.board.read() {
            let name = Arc::clone(&snapshot.appliance);
            sources.entry(name).or_default().snapshot = Some(snapshot);
        }
        for metrics in self.telemetry.shown() {
            let (name, version) = (Arc::clone(metrics.name()), metrics.version());
            sources.entry(name).or_default().traffic = Some((metrics, version));
        }
        let page = match self.book.update(sources, now) {
            true => Page::new(&self.book, edition),
            false => self.page.renewed(&self.book, edition),
        };
        self.page = Arc::new(page);
        for variant in variants {
            self.page.make(*variant, &mut self.deflater);
        }
        Arc::clone(&self.page)
    }
}
