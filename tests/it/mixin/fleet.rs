//! Two simulated fleets on a time lapse, one as it should be and one with every fault a limit is about; their pages become
//! the history of a real Prometheus.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{Appliance, Fault, FaultBody, Feature, Offer, On, Settings, TimeRemaining};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::prometheus::{Prometheus, promtool};
use crate::rig::{self, BEGINNING, Rig, entry, lapse, simulate};
use crate::tls_proxy::{Authority, Proxy, usual};

/// Five minutes of the time lapse are four seconds.
pub(super) const RATE: u32 = 75;
/// How long the fleets are watched: more than three times the shortest range that rates are over.
pub(super) const SPAN: u64 = 75 * 60;
/// Seldom enough to be cheap, and more often than anything looks back.
pub(super) const SCRAPE: Duration = Duration::from_secs(120);
pub(super) const WEEK: u64 = 7 * 86_400;

/// What both fleets are asked for beside the profile: what is on the board of rankings.
pub(super) const GROUPS: &str = "counter_groups: [full, {name: mail_incoming_domain_detail, top: 10}, \
    {name: mail_destination_domain_detail, top: 10}, {name: mail_virus_type_detail, top: 10}, \
    {name: mail_url_domain_summary, top: 10}]";
const SEARCHES: &str =
    "tracking_searches: [{name: ceo_spoofed, filters: {envelope_sender: {operator: contains, value: e}}}]\n";
const ALL: &str = "health: true, delivery_status: {top: 5}, xml_status: true, quarantines: true, inventory: true";

/// What a Prometheus knows of both fleets: the jobs `asyncos` and `faulty`.
pub(super) struct History {
    pub(super) prometheus: Prometheus,
    /// The newest scrape, in seconds since 1970.
    pub(super) end: u64,
    _data: TempDir,
}

impl History {
    /// Stores the samples, with what the recording rules would have recorded of the last `span` seconds.
    pub(super) async fn of(samples: &Samples, end: u64, span: u64) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        import(data.path(), &samples.now);
        import(data.path(), &samples.week_ago);
        record(data.path(), end, span).await;
        Self { prometheus: Prometheus::on(data.path()).await, end, _data: data }
    }
}

/// Makes the history.
pub(super) async fn history() -> History {
    let clock = lapse(RATE);
    let good = Good::start(&clock).await;
    let bad = Bad::start(&clock).await;
    let mut samples = Samples::default();
    let until = BEGINNING + SPAN;
    let (mut end, mut is_behind) = (0, true);
    // On a busy machine the fleet may be behind, and there would be no figures of the last minutes.
    while end < until || (is_behind && end < 2 * until - BEGINNING) {
        end = clock.wall().as_secs();
        let page = good.rig.text().await;
        is_behind = self::is_behind(&page);
        samples.page("asyncos", end, &page);
        samples.page("faulty", end, &bad.rig.text().await);
        if end > BEGINNING + SPAN / 2 {
            bad.worsen().await;
        }
        samples.added(end);
        clock.sleep(SCRAPE).await;
    }
    let Good { rig, .. } = good;
    rig.end().await;
    bad.rig.end().await;
    History::of(&samples, end, SPAN / 3).await
}

/// Whether more windows wait than one, which may be under way.
pub(super) fn is_behind(page: &str) -> bool {
    page.lines().any(|line| {
        let pending = line.strip_prefix("asyncos_windows_pending{").and_then(|rest| rest.rsplit_once(' '));
        pending.is_some_and(|(_, pending)| !matches!(pending, "0" | "1"))
    })
}

pub(super) fn import(data: &Path, samples: &str) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), format!("{samples}# EOF\n")).expect("a file");
    let (file, data) = (file.path().display().to_string(), data.display().to_string());
    let (code, said) = promtool(&["tsdb", "create-blocks-from", "openmetrics", &file, &data], Stdio::null());
    assert_eq!(code, Some(0), "{said}");
}

/// What the recording rules would have recorded.
async fn record(data: &Path, end: u64, span: u64) {
    let prometheus = Prometheus::on(data).await;
    crate::prometheus::until(async || prometheus.ask("/api/v1/query", &[("query", "up")]).await).await;
    let (start, end) = ((end - span).to_string(), end.to_string());
    let (url, data) = (format!("--url=http://{}", prometheus.address()), format!("--output-dir={}", data.display()));
    let arguments =
        ["tsdb", "create-blocks-from", "rules", "--start", &start, "--end", &end, "--eval-interval=2m", &url, &data];
    let (code, said) = promtool(&[&arguments[..], &["deploy/prometheus/asyncos.rules.yaml"]].concat(), Stdio::null());
    assert_eq!(code, Some(0), "{said}");
}

/// Samples in the OpenMetrics format.
#[derive(Default)]
pub(super) struct Samples {
    pub(super) now: String,
    week_ago: String,
}

impl Samples {
    /// What a scrape of `page` at `time` would store.
    pub(super) fn page(&mut self, job: &str, time: u64, page: &str) {
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            // The process was started by the clock of this machine, which is another.
            let begun = format!("process_start_time_seconds {}", BEGINNING - 3600);
            let line = if line.starts_with("process_start_time_seconds") { &begun } else { line };
            let (series, value) = line.rsplit_once(' ').expect("a sample");
            let target = format!("job=\"{job}\",instance=\"localhost:10042\"");
            let series = match series.strip_suffix('}') {
                Some(series) => format!("{series},{target}}}"),
                None => format!("{series}{{{target}}}"),
            };
            writeln!(self.now, "{series} {value} {time}").expect("a String takes all");
            // The same traffic a week before, for what is compared with it.
            let compared = [
                "asyncos_mail_incoming_traffic_summary_",
                "asyncos_mail_outgoing_traffic_summary_",
                "asyncos_appliance_info",
                "asyncos_window_seconds",
            ];
            if compared.iter().any(|it| line.starts_with(it)) {
                writeln!(self.week_ago, "{series} {value} {}", time - WEEK).expect("a String takes all");
            }
        }
    }

    /// The same, with what Prometheus adds to it.
    pub(super) fn scrape(&mut self, job: &str, time: u64, page: &str) {
        self.page(job, time, page);
        writeln!(self.now, "up{{job=\"{job}\",instance=\"localhost:10042\"}} 1 {time}").expect("a String takes all");
    }

    /// What Prometheus adds to a scrape, and what it makes of rules that fire.
    fn added(&mut self, time: u64) {
        let lines = [
            "up{job=\"asyncos\",instance=\"localhost:10042\"} 1",
            "up{job=\"faulty\",instance=\"localhost:10042\"} 1",
            "up{job=\"faulty\",instance=\"gone:10042\"} 0",
            // Somebody else's target, which has nothing to do with us.
            "up{job=\"node\",instance=\"gone:9100\"} 0",
            "process_open_fds{job=\"node\",instance=\"gone:9100\"} 1",
            "process_max_fds{job=\"node\",instance=\"gone:9100\"} 1",
            "scrape_duration_seconds{job=\"asyncos\",instance=\"localhost:10042\"} 0.02",
            "scrape_samples_scraped{job=\"asyncos\",instance=\"localhost:10042\"} 4000",
            "ALERTS{alertname=\"AsyncosRefusingMail\",alertstate=\"firing\",severity=\"critical\",job=\"faulty\",instance=\"localhost:10042\",appliance=\"sick\"} 1",
        ];
        let since = time - 600;
        writeln!(self.now, "ALERTS_FOR_STATE{{alertname=\"AsyncosRefusingMail\",severity=\"critical\",job=\"faulty\",instance=\"localhost:10042\",appliance=\"sick\"}} {since} {time}")
            .expect("a String takes all");
        let was = "asyncos_exporter_build_info{job=\"faulty\",instance=\"gone:10042\"} 1";
        for line in lines.into_iter().chain((time < BEGINNING + SPAN / 2).then_some(was)) {
            writeln!(self.now, "{line} {time}").expect("a String takes all");
        }
    }
}

/// The fleet as it should be.
struct Good {
    rig: Rig,
    _appliances: Vec<Appliance>,
    _proxy: Proxy,
    _storage: TempDir,
}

impl Good {
    async fn start(clock: &Clock) -> Self {
        let mut settings = young(Settings::esa("esa1.example.com"));
        well(&mut settings);
        let esa1 = simulate(settings.clone(), clock).await;
        settings.name = "esa2.example.com".into();
        let esa2 = simulate(settings, clock).await;
        let sma = young(Settings::sma("sma1")).with_group("europe", &["esa1.example.com"]);
        let sma = simulate(sma.with_group("americas", &["esa2.example.com"]), clock).await;
        let proxy = Proxy::terminate(usual(&Authority::new().issue_until("127.0.0.1", 2049)), esa1.address()).await;
        let behind_tls = entry("esa1", &esa1, &format!("tls: {{insecure_skip_verify: true}}, {ALL}"))
            .replace(&esa1.url(), &format!("https://127.0.0.1:{}", proxy.port));
        let text = format!(
            "defaults: {{minimum_release: 15.0.0, timeout: 300s, start: 30m, requests_per_minute: 1000}}\n{GROUPS}\n{SEARCHES}appliances:\n{behind_tls}{}{}",
            entry("esa2", &esa2, "health: true, counter_groups: default"),
            entry(
                "sma1",
                &sma,
                "product: sma, quarantines: true, inventory: true, device_groups: [europe], devices: [esa2.example.com], \
                 counter_groups: default"
            ),
        );
        let storage = tempfile::tempdir().expect("a folder");
        let rig = Rig::start_stored(&text, storage.path(), clock).await;
        Self { rig, _appliances: vec![esa1, esa2, sma], _proxy: proxy, _storage: storage }
    }
}

/// An appliance that has not much to add up for each answer: it is asked every half second.
pub(super) fn young(mut settings: Settings) -> Settings {
    settings.birth = Some(BEGINNING - 6 * 3600);
    settings
        .behaviour
        .quarantines
        .iter_mut()
        .for_each(|quarantine| quarantine.retention = Duration::from_secs(3 * 3600));
    settings
}

/// No limit is passed, whatever the simulator thinks up.
fn well(settings: &mut Settings) {
    offering(settings);
    let fields = &mut settings.behaviour.health_fields;
    fields.insert("percentage_ram_utilization".into(), Some(json!(30)));
    fields.insert("percentage_swap_utilization".into(), Some(json!(1)));
    settings.behaviour.features = vec![
        Feature::new("Sophos", TimeRemaining::AfterStart(300 * 86_400)),
        Feature::new("IronPort Anti-Spam", TimeRemaining::AfterStart(200 * 86_400)),
        Feature::new("Bounce Verification", TimeRemaining::DormantOrPerpetual),
    ];
}

/// The fleet in which nothing is as it should be.
struct Bad {
    rig: Rig,
    file: tempfile::NamedTempFile,
    gone: Appliance,
    _appliances: Vec<Appliance>,
    _proxy: Proxy,
}

impl Bad {
    async fn start(clock: &Clock) -> Self {
        let mut settings = young(Settings::esa("esa3.example.com"));
        ill(&mut settings);
        let sick = simulate(settings, clock).await;
        for (group, counter, value) in [
            ("mail_outgoing_traffic_summary", "total_hard_bounces", 900),
            ("mail_outgoing_traffic_summary", "detected_spam", 900),
            ("mail_outgoing_traffic_summary", "total_recipients_processed", 2000),
            ("mail_security_summary", "received_conn_tls_fail", 500),
            ("mail_security_summary", "sent_conn_tls_fail", 500),
            ("mail_authentication_summary", "received_conn_auth_fail", 900),
            ("mail_system_capacity", "workqueue_maximum_messages", 20_000),
        ] {
            sick.inject(Fault::SetCounter(counter.into(), json!(value)), On::group(group));
        }
        // For longer than windows can be fetched afterwards, so that some are lost with the first one that comes again.
        let failing = Fault::Status { code: 418, body: FaultBody::Html, retry_after: None };
        sick.inject(failing, On::group("mail_incoming_traffic_summary").after(1).times(6));
        let gone = simulate(young(Settings::esa("esa4.example.com")), clock).await;
        let mut settings = young(Settings::esa("esa5.example.com"));
        settings.passphrase = "another".into();
        let locked = simulate(settings, clock).await;
        let mut settings = young(Settings::sma("sma2")).with_group("europe", &["esa3.example.com"]);
        settings.behaviour.forbidden_groups.insert("mail_outgoing_traffic_summary".into());
        let manager = simulate(settings, clock).await;
        let queue = Fault::SetCounter("workqueue_maximum_messages".into(), json!(20_000));
        manager.inject(queue, On::group("mail_system_capacity"));
        let proxy = Proxy::terminate(usual(&Authority::new().issue_expired("127.0.0.1")), sick.address()).await;
        let behind_tls =
            entry("sick", &sick, &format!("tls: {{insecure_skip_verify: true}}, {ALL}, counter_groups: default"))
                .replace(&sick.url(), &format!("https://127.0.0.1:{}", proxy.port));
        let text = format!(
            "defaults: {{minimum_release: 15.0.0, timeout: 300s, start: 5m, catch_up: 10m}}\ncounter_groups: minimal\nappliances:\n{behind_tls}{}{}{}",
            entry("gone", &gone, "quarantines: true"),
            entry("locked", &locked, ""),
            entry("manager", &manager, "product: sma, device_groups: [europe], devices: [esa3.example.com]"),
        );
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("the configuration");
        let rig = Rig::start_held(file.path(), clock).await;
        Self { rig, file, gone, _appliances: vec![sick, locked, manager], _proxy: proxy }
    }

    /// What has to have been well before: an appliance goes away, and somebody spoils the configuration.
    async fn worsen(&self) {
        let outage = Fault::Status { code: 503, body: FaultBody::Html, retry_after: None };
        self.gone.inject(outage, On::every());
        std::fs::write(self.file.path(), "appliances: no\n").expect("the configuration");
        let url = format!("http://{}/-/reload", self.rig.address);
        rig::client().request(Method::POST, url).send().await.expect("an answer");
    }
}

/// It has the endpoints that few appliances are known to have.
fn offering(settings: &mut Settings) {
    let behaviour = &mut settings.behaviour;
    (behaviour.system_status_offer, behaviour.delivery_status) = (Offer::AsSeen, Offer::AsSeen);
}

fn ill(settings: &mut Settings) {
    offering(settings);
    let behaviour = &mut settings.behaviour;
    behaviour.resource_conservation = 999;
    behaviour.work_queue = Some(20_000);
    behaviour.system_status = "suspended".into();
    behaviour.oldest_message = Some(6 * 3600);
    behaviour.clock_offset_secs = 300;
    for (field, percent) in [
        ("percentage_cpu_load", 97),
        ("percentage_ram_utilization", 70),
        ("percentage_diskio", 96),
        ("percentage_queue_utilization", 95),
    ] {
        behaviour.health_fields.insert(field.into(), Some(json!(percent)));
    }
    behaviour.status_gauges.insert("log_used".into(), Some("95".into()));
    behaviour.features = vec![Feature::new("Sophos", TimeRemaining::AfterStart(3 * 86_400))];
    behaviour.forbidden_groups.insert("mail_policy_incoming".into());
}
