//! The press as those who scrape see it, on a time lapse.

use bytes::Buf;
use tokio::task::JoinSet;

use super::*;
use crate::base::clock::Timestamp;
use crate::exposition::{Body, Encoding, Format, Scrape, Unanswered};
use crate::sample::status_metrics::StatusMetrics;
use crate::sample::{Family, Sample};
use crate::snapshot::{AspectView, Hold, Snapshot};

/// The longest wait for an outcome; never a bound on the time that something may take.
const PATIENCE: Duration = Duration::from_secs(120);
const GAUGE: &str = "asyncos_health_ratio{appliance=\"a\"}";

struct Rig {
    snapshots: Arc<SnapshotStore>,
    telemetry: Arc<Telemetry>,
    cache: PageCache,
    clock: Clock,
    stop: Shutdown,
    tasks: JoinSet<()>,
}

impl Rig {
    fn start(rate: u32) -> Self {
        let clock = Clock::lapse(Timestamp::from_secs(0), rate);
        let (snapshots, telemetry) = (Arc::<SnapshotStore>::default(), Arc::new(Telemetry::try_new().unwrap()));
        let (renderer, cache) =
            PageRenderer::new(Arc::clone(&snapshots), Arc::clone(&telemetry), clock.clone(), Hold::No);
        let (stop, mut tasks) = (Shutdown::new(), JoinSet::new());
        tasks.spawn(renderer.run(stop.clone()));
        Self { snapshots, telemetry, cache, clock, stop, tasks }
    }

    fn publish(&self, value: f64, expires: Tick) {
        publish(&self.snapshots, value, expires);
    }

    fn far(&self) -> Tick {
        self.clock.tick() + Duration::from_secs(24 * 3600)
    }

    async fn text(&self) -> String {
        text(soon(self.cache.scrape(&Scrape::default(), &[])).await.unwrap())
    }

    async fn end(mut self) -> PageCache {
        self.stop.request();
        while let Some(ended) = soon(self.tasks.join_next()).await {
            ended.unwrap();
        }
        self.cache
    }
}

/// The condition that is awaited before the test gives up.
async fn soon<T>(wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.expect("the press does what it is asked for")
}

/// Publishes an appliance with one gauge.
fn publish(snapshots: &SnapshotStore, value: f64, expires: Tick) {
    let family = Arc::new(Family { name: "asyncos_health_ratio".into(), help: "Health".into(), counter: None });
    let gauges = vec![Sample { family, labels: vec![], value }];
    let view = AspectView {
        name: "health",
        option: "health",
        is_wanted: false,
        success: true,
        last_success: None,
        refusal: None,
        trouble: None,
        status_metrics: StatusMetrics { gauges, ..StatusMetrics::default() },
        unusable: Default::default(),
        expires,
    };
    snapshots.publish(Snapshot {
        appliance: "a".into(),
        up_until: Some(Tick::LAST),
        round: None,
        clock_skew_seconds: None,
        clock: None,
        centralized: None,
        trouble: None,
        product: "esa",
        identity: None,
        minimum_release: None,
        groups: vec![],
        aspects: vec![Arc::new(view)],
    });
}

fn text(mut body: Body) -> String {
    String::from_utf8(body.copy_to_bytes(body.remaining()).to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_scrape_that_begins_after_its_expiry_sees_a_gauge() {
    let rig = Rig::start(600);
    for round in 0..20 {
        let expires = rig.clock.tick() + Duration::from_secs(10 + round);
        rig.publish(round as f64, expires);
        let mut seen = false;
        loop {
            let began = rig.clock.tick();
            if rig.text().await.contains(&format!("{GAUGE} {round}\n")) {
                assert!(began < expires);
                seen = true;
            } else if seen || began >= expires {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert!(rig.text().await.contains("asyncos_up{appliance=\"a\"} 1\n"), "the rest stays");
    rig.end().await;
}

#[test]
fn a_gauge_is_shown_until_the_instant_it_expires_and_no_longer() {
    let (snapshots, telemetry) = (Arc::<SnapshotStore>::default(), Arc::new(Telemetry::try_new().unwrap()));
    let life = Duration::from_secs(10);
    let (last, expires) = (Tick::default() + (life - Duration::from_nanos(1)), Tick::default() + life);
    publish(&snapshots, 1.0, expires);
    let mut renderer = Renderer::new(snapshots, telemetry, Hold::No);
    let mut print = |now| {
        let page = renderer.render(now, 0, &[Variant::default()]);
        let shown = text(page.whole(Variant::default(), &[]).unwrap()).contains(&format!("{GAUGE} 1\n"));
        (page, shown)
    };
    let (page, shown) = print(last);
    assert!(shown);
    assert_eq!(page.expires(), Some(expires));
    assert!(page.is_current(last) && !page.is_current(expires));
    assert!(!print(expires).1, "nothing has changed but the time");
}

#[test]
fn pages_take_a_tenth_of_the_time_at_most_and_come_once_a_second_at_most() {
    let millis = Duration::from_millis;
    for (took, rest) in [(0, 1000), (1, 1000), (111, 1000), (112, 1008), (500, 4500), (20_000, 180_000)] {
        assert_eq!(rest_after(millis(took)), millis(rest), "after {took} ms");
    }
}

#[tokio::test]
async fn changes_of_one_second_are_one_page() {
    let rig = Rig::start(1);
    rig.publish(0.0, rig.far());
    rig.text().await;
    let mut newest = rig.cache.newest.clone();
    newest.mark_unchanged();
    for value in 1..=50 {
        rig.publish(f64::from(value), rig.far());
        // Lets the press have a turn.
        tokio::task::yield_now().await;
    }
    soon(newest.changed()).await.unwrap();
    assert!(rig.text().await.contains(&format!("{GAUGE} 50\n")));
    assert!(!newest.has_changed().unwrap(), "one page for all of them");
    rig.end().await;
}

#[tokio::test]
async fn pages_are_printed_in_forms_that_are_asked_for_and_no_others() {
    let rig = Rig::start(600);
    rig.publish(1.0, rig.far());
    for (asked, variant) in Variant::ALL.into_iter().enumerate() {
        let made = |page: &Page| Variant::ALL.into_iter().filter(|variant| page.has(*variant)).count();
        assert_eq!(made(&rig.cache.newest.borrow()), asked, "{variant:?}");
        soon(rig.cache.scrape(&Scrape { variant, ..Scrape::default() }, &[])).await.unwrap();
        assert_eq!(made(&rig.cache.newest.borrow()), asked + 1, "{variant:?}");
    }
    // They are kept up without being asked for again.
    let mut newest = rig.cache.newest.clone();
    newest.mark_unchanged();
    rig.publish(2.0, rig.far());
    soon(newest.changed()).await.unwrap();
    assert!(Variant::ALL.into_iter().all(|variant| newest.borrow().has(variant)));
    drop(newest);
    rig.end().await;
}

#[tokio::test]
async fn an_old_page_goes_with_its_last_reader() {
    let rig = Rig::start(600);
    rig.publish(1.0, rig.far());
    let slow = soon(rig.cache.scrape(&Scrape::default(), &[])).await.unwrap();
    let old = Arc::downgrade(&rig.cache.newest.borrow());
    rig.publish(2.0, rig.far());
    rig.cache.outdate();
    let new = rig.text().await;
    assert!(new.contains(&format!("{GAUGE} 2\n")));
    assert!(old.upgrade().is_none(), "nobody holds the page, and its reader only the bytes");
    assert!(text(slow).contains(&format!("{GAUGE} 1\n")), "which are those of the page it began with");
    rig.end().await;
}

#[tokio::test]
async fn what_is_outdated_is_not_shown_any_more() {
    let rig = Rig::start(1);
    rig.publish(1.0, rig.far());
    for value in 2..20 {
        rig.text().await;
        rig.publish(f64::from(value), rig.far());
        rig.cache.outdate();
        assert!(rig.text().await.contains(&format!("{GAUGE} {value}\n")));
    }
    rig.end().await;
}

#[tokio::test]
async fn after_its_end_there_are_no_new_pages() {
    let rig = Rig::start(1);
    rig.text().await;
    let cache = rig.end().await;
    let gzip = Variant { format: Format::OpenMetrics, encoding: Encoding::Gzip };
    let refused = soon(cache.scrape(&Scrape { variant: gzip, ..Scrape::default() }, &[])).await;
    assert_eq!(refused.unwrap_err(), Unanswered::Stopping);
    assert!(soon(cache.scrape(&Scrape::default(), &[])).await.is_ok(), "the last one is still there");
}

#[tokio::test]
async fn no_family_is_both_of_the_process_and_of_an_appliance() {
    let rig = Rig::start(1);
    rig.publish(1.0, rig.far());
    let (metrics, _) = rig.telemetry.appliance("a").unwrap();
    let traffic = metrics.gather();
    rig.telemetry.show(metrics);
    let own: Vec<String> = rig.telemetry.own().into_iter().map(|family| family.name).collect();
    assert!(own.len() > 10 && traffic.len() > 3);
    let about = crate::exposition::ABOUT_DATA.iter().chain(crate::sample::ABOUT_NOW).map(|about| about.name);
    for name in traffic.iter().map(|family| &*family.name).chain(about) {
        assert!(!own.iter().any(|own| own == name), "`{name}` would come twice");
    }
    for counted in crate::catalogue::groups().flat_map(|group| {
        group
            .counters
            .iter()
            .flat_map(move |it| crate::catalogue::ScopeKind::ALL.map(|scope| it.gauge_name(group, scope)))
    }) {
        assert!(!own.contains(&counted), "`{counted}` would come twice");
    }
    let text = rig.text().await;
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    rig.end().await;
}
