//! Metrics about the state on disk.

use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGauge, Opts};

use super::MetricError;
use super::registry::Registry;
use crate::base::clock::Timestamp;
use crate::sample::MetricDef;

pub(super) const REFUSED: MetricDef =
    MetricDef::counter("asyncos_state_refused_total", "Damaged or missing state at startup; absent if there was none");

/// Parts of the state that were not usable at the start. A closed set: it is a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateLoss {
    /// The whole file was damaged and set aside.
    DamagedFile,
    /// The file was missing or empty although there was one before.
    MissingFile,
    /// Records were damaged.
    DamagedRecord,
}

impl StateLoss {
    const fn label(self) -> &'static str {
        match self {
            Self::DamagedFile => "file",
            Self::MissingFile => "missing_file",
            Self::DamagedRecord => "record",
        }
    }
}

#[derive(Debug)]
pub(super) struct StateMetrics {
    durable: IntGauge,
    file_present: IntGauge,
    file_rewrites: IntCounter,
    persist_failures: IntCounter,
    last_persist: GaugeVec,
    refused: IntCounterVec,
}

impl StateMetrics {
    pub(super) fn try_new(registry: &mut Registry) -> Result<Self, MetricError> {
        let durable = IntGauge::new(
            "asyncos_state_durable",
            "Whether totals survive a restart; 0 when they are kept in memory only",
        )?;
        let file_present = IntGauge::new(
            "asyncos_state_file_present",
            "Whether the open state file still exists at its path; 1 if totals are kept in memory only",
        )?;
        file_present.set(1);
        let file_rewrites = IntCounter::new(
            "asyncos_state_file_rewrites_total",
            "Deleted state files recreated while the exporter was running",
        )?;
        let persist_failures =
            IntCounter::new("asyncos_state_persist_failures_total", "Failed attempts to write totals to disk")?;
        let last_persist = GaugeVec::new(
            Opts::new(
                "asyncos_state_last_persist_timestamp_seconds",
                "Unix time at which totals were last written to disk",
            ),
            &[],
        )?;
        let refused = IntCounterVec::new(Opts::new(REFUSED.name, REFUSED.help), &["what"])?;
        registry.register(Box::new(durable.clone()))?;
        registry.register(Box::new(file_present.clone()))?;
        registry.register(Box::new(file_rewrites.clone()))?;
        registry.register(Box::new(persist_failures.clone()))?;
        registry.register(Box::new(last_persist.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        Ok(Self { durable, file_present, file_rewrites, persist_failures, last_persist, refused })
    }

    pub(super) fn durable(&self) {
        self.durable.set(1);
    }

    pub(super) fn file_found(&self, is_found: bool) {
        self.file_present.set(i64::from(is_found));
    }

    pub(super) fn file_rewritten(&self) {
        self.file_rewrites.inc();
    }

    pub(super) fn persisted(&self, at: Timestamp) {
        self.last_persist.with_label_values::<&str>(&[]).set(at.as_secs_f64());
    }

    pub(super) fn persist_failed(&self) {
        self.persist_failures.inc();
    }

    pub(super) fn refused(&self, loss: StateLoss, count: usize) {
        self.refused.with_label_values(&[loss.label()]).inc_by(count as u64);
    }
}
