//! Metrics about ourselves and about the traffic with the appliances; one method an event. The only place that names the
//! crate `prometheus`. What the appliances say of mail is not here: that is in snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::{GaugeVec, IntGauge, IntGaugeVec, Opts};
use tokio::sync::Notify;

use crate::api::Listener;
use crate::base::clock::Timestamp;
use crate::config::Share;
use crate::sample::MetricDef;

mod facts;
mod process;
mod registry;
mod shard;
mod state;
mod traffic;

pub use facts::{ExporterState, TrafficFacts};
pub use registry::{GatheredFamily, Line};
pub use state::StateLoss;

use registry::{Registry, gather};
use traffic::Traffic;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit it was built from, if the build found it: see `deploy/release/revision.rs`.
pub const REVISION: Option<&str> = match option_env!("ASYNCOS_EXPORTER_REVISION") {
    // An image that is built without a revision sets the variable all the same.
    Some(text) if text.is_empty() => None,
    revision => revision,
};

const WEB_CONFIG: MetricDef = MetricDef::gauge(
    "asyncos_exporter_web_config_last_reload_successful",
    "Whether the last load of the web configuration file, its certificates and keys succeeded; absent without one",
);

/// The metric about the web server.
const CONNECTIONS: &str = "asyncos_exporter_http_connections";

/// Metrics that appear only after a failure or with certain keys of the configuration. A test compares them with the manual.
pub const SELDOM: &[MetricDef] = &[
    WEB_CONFIG,
    shard::INFO,
    shard::CONFIGURED,
    shard::OWNED,
    state::REFUSED,
    traffic::LOGIN_FAILURES,
    traffic::LOGIN_REFUSALS,
    traffic::VERIFICATION_DISABLED,
];

/// A metric could not be registered: two of them have one name, which is our mistake.
pub type MetricError = prometheus::Error;

/// All metrics about ourselves.
#[derive(Debug)]
pub struct Telemetry {
    registry: Registry,
    families: BTreeSet<String>,
    /// Whether metrics about the process and its web server are shown.
    process_metrics: bool,
    reload_successful: IntGauge,
    reload_success_timestamp: GaugeVec,
    web_reload_successful: IntGaugeVec,
    state: state::StateMetrics,
    connections: IntGauge,
    shard: shard::ShardMetrics,
    /// A registry an appliance, so that a removed appliance takes its series along.
    appliances: Mutex<BTreeMap<Arc<str>, Arc<ApplianceMetrics>>>,
    /// Whether anything of the appliances has.
    changed: Arc<Notify>,
    known: Mutex<ExporterState>,
}

impl Telemetry {
    /// The metrics of a process that has begun.
    ///
    /// # Errors
    /// When two metrics share a name.
    pub fn try_new() -> Result<Self, MetricError> {
        let mut registry = Registry::default();
        let build = GaugeVec::new(
            Opts::new("asyncos_exporter_build_info", "Version and commit of this exporter; always 1"),
            &["version", "revision"],
        )?;
        build.with_label_values(&[VERSION, REVISION.unwrap_or("unknown")]).set(1.0);
        registry.register(Box::new(build))?;
        registry.register(Box::new(process::Process::new()))?;
        let reload_successful = IntGauge::new(
            "asyncos_config_last_reload_successful",
            "Whether the last attempt to load the configuration succeeded",
        )?;
        registry.register(Box::new(reload_successful.clone()))?;
        let reload_success_timestamp = GaugeVec::new(
            Opts::new(
                "asyncos_config_last_reload_success_timestamp_seconds",
                "Unix time at which the current configuration was loaded",
            ),
            &[],
        )?;
        registry.register(Box::new(reload_success_timestamp.clone()))?;
        let web_reload_successful = IntGaugeVec::new(Opts::new(WEB_CONFIG.name, WEB_CONFIG.help), &[])?;
        registry.register(Box::new(web_reload_successful.clone()))?;
        let state = state::StateMetrics::try_new(&mut registry)?;
        let connections = IntGauge::new(CONNECTIONS, "Open client connections, including those of Prometheus")?;
        registry.register(Box::new(connections.clone()))?;
        let shard = shard::ShardMetrics::try_new(&mut registry)?;
        let mut of_appliances = Registry::default();
        Traffic::try_new(&mut of_appliances, "")?;
        let families = registry.names() | of_appliances.names();
        Ok(Self {
            registry,
            families,
            process_metrics: true,
            reload_successful,
            reload_success_timestamp,
            web_reload_successful,
            state,
            connections,
            shard,
            appliances: Mutex::default(),
            changed: Arc::default(),
            known: Mutex::default(),
        })
    }

    /// Without the metrics about the process and its web server, which are not about appliances.
    #[must_use]
    pub fn without_exporter_metrics(mut self) -> Self {
        self.families.retain(|name| !is_about_process(name));
        self.process_metrics = false;
        self
    }

    /// Totals are kept on disk.
    pub fn state_durable(&self) {
        self.state.durable();
        self.known().state_durable = true;
    }

    /// A batch of totals was written down.
    pub fn state_persisted(&self, at: Timestamp) {
        self.state.persisted(at);
        let mut known = self.known();
        (known.state_written, known.state_failing) = (Some(at), false);
    }

    /// A batch of totals could not be written down.
    pub fn state_persist_failed(&self) {
        self.state.persist_failed();
        self.known().state_failing = true;
    }

    /// The open state file is the one at its path, or no longer is.
    pub fn state_file_found(&self, is_found: bool) {
        self.state.file_found(is_found);
        self.known().state_file_found = is_found;
    }

    /// The state file was deleted and has been written again.
    pub fn state_file_rewritten(&self) {
        self.state.file_rewritten();
        self.known().state_rewrites += 1;
    }

    /// State was not usable at the start; `count` is of records where it was those.
    pub fn state_refused(&self, loss: StateLoss, count: usize) {
        self.state.refused(loss, count);
        self.known().state_lost |= loss != StateLoss::DamagedRecord;
    }

    /// The configuration was read and is in force.
    pub fn config_loaded(&self, at: Timestamp) {
        self.reload_successful.set(1);
        self.reload_success_timestamp.with_label_values::<&str>(&[]).set(at.as_secs_f64());
        let mut known = self.known();
        (known.config_read, known.config_since) = (Some(true), Some(at));
    }

    /// The configuration could not be read; the one before it stays in force.
    pub fn config_refused(&self) {
        self.reload_successful.set(0);
        self.known().config_read = Some(false);
    }

    /// So much of the fleet is polled here from now on.
    pub fn sharded(&self, share: Share, owned: usize) {
        self.shard.set(share, owned);
    }

    /// TLS and users of the web side were read again, or could not be.
    pub fn web_config_read(&self, successful: bool) {
        self.web_reload_successful.with_label_values::<&str>(&[]).set(i64::from(successful));
        self.known().web_config_read = successful;
    }

    /// So many clients are connected now.
    pub fn connections_open(&self, count: usize) {
        self.connections.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Metrics of an appliance, all at zero, and who feeds them. They are shown once [`Telemetry::show`] takes them.
    ///
    /// # Errors
    /// When two metrics share a name.
    pub fn appliance(&self, name: &str) -> Result<(ApplianceMetrics, Listener), MetricError> {
        let mut registry = Registry::default();
        let traffic = Traffic::try_new(&mut registry, name)?;
        let metrics = ApplianceMetrics { name: name.into(), registry, version: Arc::default(), facts: Arc::default() };
        let (version, changed) = (Arc::clone(&metrics.version), Arc::clone(&self.changed));
        let facts = Arc::clone(&metrics.facts);
        let listener = Listener::new(move |event| {
            traffic.record(event);
            facts.lock().unwrap_or_else(PoisonError::into_inner).record(event);
            version.fetch_add(1, Ordering::Release);
            changed.notify_one();
        });
        Ok((metrics, listener))
    }

    /// Shows the metrics of an appliance, in place of those it had.
    pub fn show(&self, metrics: ApplianceMetrics) {
        self.appliances().insert(Arc::clone(&metrics.name), Arc::new(metrics));
        self.changed.notify_one();
    }

    /// Facts about the traffic with each appliance that is shown.
    #[must_use]
    pub fn traffic(&self) -> BTreeMap<Arc<str>, TrafficFacts> {
        let facts = |shown: &ApplianceMetrics| *shown.facts.lock().unwrap_or_else(PoisonError::into_inner);
        self.appliances().iter().map(|(name, shown)| (Arc::clone(name), facts(shown))).collect()
    }

    /// Facts about the exporter itself.
    #[must_use]
    pub fn facts(&self) -> ExporterState {
        *self.known()
    }

    /// Drops the metrics of an appliance.
    pub fn remove(&self, appliance: &str) {
        self.appliances().remove(appliance);
        self.changed.notify_one();
    }

    /// The metrics of every appliance that is shown, by name.
    #[must_use]
    pub fn shown(&self) -> Vec<Arc<ApplianceMetrics>> {
        self.appliances().values().map(Arc::clone).collect()
    }

    /// Waits for a change of [`Telemetry::shown`] or of what is in it since the last time that this came true. For one
    /// reader.
    ///
    /// # Cancel safety
    /// No change is missed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The names of all families about the exporter and its traffic, those without a sample among them.
    #[must_use]
    pub fn families(&self) -> &BTreeSet<String> {
        &self.families
    }

    /// The metrics of the process as they are now, sorted by name; none of an appliance is among them.
    #[must_use]
    pub fn own(&self) -> Vec<GatheredFamily> {
        let mut families = gather(&self.registry);
        families.retain(|family| self.process_metrics || !is_about_process(&family.name));
        families
    }

    fn appliances(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Arc<ApplianceMetrics>>> {
        self.appliances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, ExporterState> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the metric is about the process or its web server, as `process_…` and `promhttp_…` are in other exporters.
fn is_about_process(name: &str) -> bool {
    name.starts_with("process_") || name == CONNECTIONS
}

/// Metrics about the traffic with one appliance.
#[derive(Debug)]
pub struct ApplianceMetrics {
    name: Arc<str>,
    registry: Registry,
    version: Arc<AtomicU64>,
    /// Fed by the same listener: reading metrics back would be to parse what was known.
    facts: Arc<Mutex<TrafficFacts>>,
}

impl ApplianceMetrics {
    /// The appliance's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Grows with every change: what is gathered afterwards is at least as new.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// All of them as they are now, sorted by name.
    #[must_use]
    pub fn gather(&self) -> Vec<GatheredFamily> {
        gather(&self.registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Event;

    /// The metrics about appliances as the crate itself would write them.
    fn page(telemetry: &Telemetry) -> String {
        let families: Vec<_> = telemetry.shown().iter().flat_map(|metrics| metrics.registry.gather()).collect();
        prometheus::TextEncoder::new().encode_to_string(&families).expect("text")
    }

    #[test]
    fn metrics_about_the_process_can_be_left_out() {
        let names = |telemetry: &Telemetry| {
            telemetry.own().into_iter().map(|family| family.name.to_string()).collect::<BTreeSet<_>>()
        };
        let all = Telemetry::try_new().expect("distinct names");
        let (before, families) = (names(&all), all.families().clone());
        let fewer = all.without_exporter_metrics();
        let gone: Vec<String> = before.difference(&names(&fewer)).cloned().collect();
        assert!(gone.len() > 3 && gone.iter().all(|name| is_about_process(name)), "{gone:?}");
        assert!(names(&fewer).contains("asyncos_exporter_build_info"));
        assert!(families.contains(CONNECTIONS) && !fewer.families().contains(CONNECTIONS));
    }

    #[test]
    fn an_appliance_begins_at_zero_and_leaves_nothing() {
        let telemetry = Telemetry::try_new().expect("distinct names");
        let (esa1, listener) = telemetry.appliance("esa1").expect("distinct names");
        let (esa2, _) = telemetry.appliance("esa2").expect("distinct names");
        telemetry.show(esa1);
        telemetry.show(esa2);
        let text = page(&telemetry);
        assert!(text.contains("asyncos_api_request_failures_total{appliance=\"esa1\",reason=\"\"} 0\n"));
        assert!(!text.contains("expiry_timestamp_seconds{"), "unknown is not zero");
        assert!(!text.contains("asyncos_tls_verification_disabled"), "nothing was spoken over TLS");
        listener.notify(Event::TokenExpires(Timestamp::from_secs(1_800)));
        listener.notify(Event::CertificateExpires(Some(Timestamp::from_secs(3_600))));
        telemetry.remove("esa2");
        let text = page(&telemetry);
        assert!(text.contains("asyncos_token_expiry_timestamp_seconds{appliance=\"esa1\"} 1800\n"));
        assert!(text.contains("asyncos_tls_certificate_expiry_timestamp_seconds{appliance=\"esa1\"} 3600\n"));
        assert!(text.contains("asyncos_tls_verification_disabled{appliance=\"esa1\"} 0\n"));
        assert!(!text.contains("esa2"));
        listener.notify(Event::CertificateExpires(None));
        assert!(!page(&telemetry).contains("asyncos_tls_certificate"), "a certificate that cannot be read");
    }
}
