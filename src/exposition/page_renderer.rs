//! Prints pages: one task that knows when, and one thread that does it. Scrapes never print.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::known::KnownFamilies;
use super::page::Page;
use super::page_cache::{PageCache, RenderRequests};
use super::renderer::Renderer;
use super::scrape::Variant;
use crate::base::clock::{Clock, Tick, Timestamp};
use crate::base::shutdown::Shutdown;
use crate::snapshot::{Hold, SnapshotStore};
use crate::telemetry::Telemetry;

/// Changes within this long after the last page are printed together: Prometheus' shortest usual interval is five times
/// that.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause is also this many times what the last page took, so that printing uses at most a tenth of a core.
const REST: u32 = 9;

/// Prints a page whenever what it says changes or becomes stale.
#[derive(Debug)]
pub struct PageRenderer {
    printer: Renderer,
    clock: Clock,
    newest: watch::Sender<Arc<Page>>,
    wishes: Arc<RenderRequests>,
    started: Timestamp,
}

/// An order to print.
struct Order {
    edition: u64,
    /// When the process started, where it is shown when counters began.
    started: Option<Timestamp>,
    variants: Vec<Variant>,
    done: oneshot::Sender<Printed>,
}

struct Printed {
    page: Arc<Page>,
    at: Tick,
}

impl PageRenderer {
    /// A press for what `board` and `telemetry` say, and where its pages will lie.
    #[must_use]
    pub fn new(
        snapshots: Arc<SnapshotStore>,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        hold: Hold,
    ) -> (Self, PageCache) {
        let (sender, newest) = watch::channel(Arc::new(Page::unprinted()));
        let wishes = Arc::new(RenderRequests::default());
        let cache = PageCache {
            newest,
            wishes: Arc::clone(&wishes),
            telemetry: Arc::clone(&telemetry),
            clock: clock.clone(),
            known: Arc::new(KnownFamilies::new(&telemetry)),
        };
        // Once, so that it does not move with corrections of the clock: a later time would look like a restart.
        let started = clock.wall() - clock.tick().since(Tick::default());
        (Self { printer: Renderer::new(snapshots, telemetry, hold), clock, newest: sender, wishes, started }, cache)
    }

    /// Prints until `stop` is requested; then nothing of it is left. Returns before that only if printing panicked.
    pub async fn run(self, stop: Shutdown) {
        let Self { printer, clock, newest, wishes, started } = self;
        let (snapshots, telemetry, time) =
            (Arc::clone(printer.board()), Arc::clone(printer.telemetry()), clock.clone());
        let (orders, taken) = mpsc::channel(1);
        let (alive, over) = oneshot::channel();
        // Not one of the runtime's threads for blocking work: those are shared with name look-ups, and a name server
        // that hangs must not hold up a page.
        let thread = std::thread::Builder::new().name("press".into()).spawn(move || {
            work(printer, &time, taken);
            drop(alive);
        });
        if let Err(error) = thread {
            tracing::error!(%error, "cannot start the renderer thread");
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
                () = snapshots.changed() => {
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
            let started = wishes.are_counters_dated().then_some(started);
            if orders.send(Order { edition, started, variants, done }).await.is_err() {
                break;
            }
            let Ok(Printed { page, at }) = printed.await else { break };
            let ended = clock.tick();
            rested = ended + rest_after(ended.since(at));
            newest.send_replace(page);
        }
        drop(orders);
        // Nothing is ever sent.
        let _ = over.await as Result<(), _>;
    }
}

/// The pause after a page that took so long to render.
fn rest_after(took: Duration) -> Duration {
    PAUSE.max(took.saturating_mul(REST))
}

fn work(mut printer: Renderer, clock: &Clock, mut orders: mpsc::Receiver<Order>) {
    while let Some(Order { edition, started, variants, done }) = orders.blocking_recv() {
        let at = clock.tick();
        printer.date(started);
        let page = printer.print(at, edition, &variants);
        // The request may come from a task that is being shut down.
        let _ = done.send(Printed { page, at });
    }
}

#[cfg(test)]
mod tests;
