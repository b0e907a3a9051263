//! The newest page, for scrapes. Remembers the forms in which pages were requested, so that the renderer makes those and
//! no others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::body::Body;
use super::known_families::KnownFamilies;
use super::page::Page;
use super::scrape::{Scrape, Unanswered, Variant};
use crate::base::clock::{Clock, Tick};
use crate::catalogue::Group;
use crate::telemetry::Telemetry;

/// The time that pages are rendered in a form after it was last requested: longer than the interval of any scraper.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// The newest page. Clones share it.
#[derive(Clone, Debug)]
pub struct PageCache {
    pub(super) newest: watch::Receiver<Arc<Page>>,
    pub(super) requests: Arc<RenderRequests>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) clock: Clock,
    pub(super) known: Arc<KnownFamilies>,
}

/// Requests of scrapes to the renderer.
#[derive(Debug, Default)]
pub(super) struct RenderRequests {
    /// When each form was last requested, in milliseconds after the clock's beginning and one; zero for never.
    asked: [AtomicU64; Variant::ALL.len()],
    /// Pages of earlier editions are no longer to be shown.
    edition: AtomicU64,
    /// Whether OpenMetrics shows when counters began.
    dates: AtomicBool,
    /// Somebody waits for a page.
    pub(super) urgent: Notify,
}

impl PageCache {
    /// Answers a scrape from the newest page. Waits for the renderer only if that page is stale, or was not made in this
    /// form yet. Families can come from reports of the catalogue, and from `custom` groups.
    ///
    /// # Errors
    /// When a name does not exist.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn scrape(&self, scrape: &Scrape, custom: &[Group]) -> Result<Body, Unanswered> {
        // A selection is not remembered as a form: it is cut from the lines of the whole page, at the cost of the scrape.
        if !scrape.is_whole() {
            let page = self.page(|_| true).await?;
            let own = if scrape.appliances.is_empty() { self.telemetry.own() } else { vec![] };
            self.known.check(&scrape.families, custom, &page, &own).await?;
            return page.selection(scrape, &own).await;
        }
        self.requests.note(scrape.variant, self.clock.tick());
        let page = self.page(|page| page.has(scrape.variant)).await?;
        page.whole(scrape.variant, &self.telemetry.own()).ok_or(Unanswered::Stopping)
    }

    /// Pages rendered from now on show in OpenMetrics when counters began, or do not.
    pub fn date_counters(&self, dates: bool) {
        self.requests.dates.store(dates, Ordering::Release);
    }

    /// Scrapes that come after this see the current snapshots and telemetry.
    pub fn outdate(&self) {
        // First the edition, then the signal: a renderer that wakes up must see the edition that scrapes wait for.
        self.requests.edition.fetch_add(1, Ordering::AcqRel);
        self.requests.urgent.notify_one();
    }

    /// The newest page that is current and `usable`.
    async fn page(&self, usable: impl Fn(&Page) -> bool) -> Result<Arc<Page>, Unanswered> {
        let (now, edition) = (self.clock.tick(), self.requests.edition());
        let is_good = |page: &Arc<Page>| page.edition() >= edition && page.is_current(now) && usable(page);
        let newest = Arc::clone(&self.newest.borrow());
        if is_good(&newest) {
            return Ok(newest);
        }
        drop(newest);
        self.requests.urgent.notify_one();
        // A clone of the receiver has its own position: scrapes that wait at once each see every page.
        let mut newest = self.newest.clone();
        let page = newest.wait_for(is_good).await.map_err(|_| Unanswered::Stopping)?;
        Ok(Arc::clone(&page))
    }
}

impl RenderRequests {
    fn note(&self, variant: Variant, now: Tick) {
        // Relaxed is enough: `urgent` orders this before the page that the scrape waits for.
        self.asked[variant.index()].store(millis(now) + 1, Ordering::Relaxed);
    }

    /// Whether OpenMetrics shows when counters began.
    pub(super) fn are_counters_dated(&self) -> bool {
        self.dates.load(Ordering::Acquire)
    }

    /// The version of a page that is begun now.
    pub(super) fn edition(&self) -> u64 {
        self.edition.load(Ordering::Acquire)
    }

    /// The forms that pages are made in.
    pub(super) fn variants(&self, now: Tick) -> impl Iterator<Item = Variant> {
        Variant::ALL.into_iter().zip(&self.asked).filter_map(move |(variant, asked)| {
            let asked = asked.load(Ordering::Relaxed).checked_sub(1)?;
            (millis(now).saturating_sub(asked) <= REMEMBERED.as_millis() as u64).then_some(variant)
        })
    }
}

fn millis(tick: Tick) -> u64 {
    u64::try_from(tick.since(Tick::default()).as_millis()).unwrap_or(u64::MAX - 1)
}
