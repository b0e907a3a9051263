//! Renders pages: one task decides when, and one thread does it. Scrapes never render.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::known_families::KnownFamilies;
use super::page::Page;
use super::page_cache::{PageCache, RenderRequests};
use super::renderer::Renderer;
use super::scrape::Variant;
use crate::base::clock::{Clock, Tick, Timestamp};
use crate::base::shutdown::Shutdown;
use crate::snapshot::{Hold, SnapshotStore};
use crate::telemetry::Telemetry;

/// Changes within this time after the last page are rendered together: Prometheus' shortest usual interval is five times
/// that.
const PAUSE: Duration = Duration::from_secs(1);
/// The pause is also this many times the duration of the last page, so that rendering uses at most a tenth of a core.
const REST: u32 = 9;

/// Renders a page whenever a value on it changes or becomes stale.
#[derive(Debug)]
pub struct PageRenderer {
    renderer: Renderer,
    clock: Clock,
    newest: watch::Sender<Arc<Page>>,
    requests: Arc<RenderRequests>,
    started: Timestamp,
}

/// An order to render.
struct Order {
    edition: u64,
    /// When the process started, where it is shown when counters began.
    started: Option<Timestamp>,
    variants: Vec<Variant>,
    done: oneshot::Sender<Rendered>,
}

struct Rendered {
    page: Arc<Page>,
    at: Tick,
}

impl PageRenderer {
    /// A renderer of `snapshots` and `telemetry`, and the cache of its pages.
    #[must_use]
    pub fn new(
        snapshots: Arc<SnapshotStore>,
        telemetry: Arc<Telemetry>,
        clock: Clock,
        hold: Hold,
    ) -> (Self, PageCache) {
        let (sender, newest) = watch::channel(Arc::new(Page::empty()));
        let requests = Arc::new(RenderRequests::default());
        let cache = PageCache {
            newest,
            requests: Arc::clone(&requests),
            telemetry: Arc::clone(&telemetry),
            clock: clock.clone(),
            known: Arc::new(KnownFamilies::new(&telemetry)),
        };
        // Once, so that it does not move with corrections of the clock: a later time would look like a restart.
        let started = clock.wall() - clock.tick().since(Tick::default());
        (Self { renderer: Renderer::new(snapshots, telemetry, hold), clock, newest: sender, requests, started }, cache)
    }

    /// Renders until `stop` is requested and ends its thread. Returns before that only if rendering panicked.
    pub async fn run(self, stop: Shutdown) {
        let Self { renderer, clock, newest, requests, started } = self;
        let (snapshots, telemetry, time) =
            (Arc::clone(renderer.snapshots()), Arc::clone(renderer.telemetry()), clock.clone());
        // The loop waits for each page, so that no order grows stale in a queue.
        let (orders, taken) = mpsc::channel(1);
        let (alive, over) = oneshot::channel();
        // Not one of the runtime's threads for blocking work: those are shared with name look-ups, and a name server
        // that hangs must not hold up a page.
        let thread = std::thread::Builder::new().name("renderer".into()).spawn(move || {
            work(renderer, &time, taken);
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
            // A page that becomes stale is not delayed by the pause: its scrapes would wait for it.
            let due = if changed { Some(stale.map_or(rested, |stale| stale.min(rested))) } else { stale };
            // In this order: shutdown must not wait for a fleet that never stops changing, nor a waiting scrape either.
            tokio::select! {
                biased;
                () = stop.requested() => break,
                () = requests.urgent.notified() => {}
                () = clock.sleep_until(due.unwrap_or(now)), if due.is_some() => {
                    // A sleep ends after a day, whether or not the page is due.
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
            let (done, rendered) = oneshot::channel();
            let (edition, variants) = (requests.edition(), requests.variants(clock.tick()).collect());
            let started = requests.are_counters_dated().then_some(started);
            if orders.send(Order { edition, started, variants, done }).await.is_err() {
                break;
            }
            let Ok(Rendered { page, at }) = rendered.await else { break };
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

fn work(mut renderer: Renderer, clock: &Clock, mut orders: mpsc::Receiver<Order>) {
    while let Some(Order { edition, started, variants, done }) = orders.blocking_recv() {
        let at = clock.tick();
        renderer.date(started);
        let page = renderer.render(at, edition, &variants);
        // The request may come from a task that is being shut down.
        let _ = done.send(Rendered { page, at });
    }
}

#[cfg(test)]
mod tests;
