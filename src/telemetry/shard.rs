//! Metrics about the part of the fleet that is ours.

use prometheus::{GaugeVec, IntGauge, Opts, Registry};

use super::MetricError;
use crate::config::Share;

/// Which shard this is, and how much of the fleet it has.
#[derive(Debug)]
pub(super) struct ShardMetrics {
    info: GaugeVec,
    configured: IntGauge,
    owned: IntGauge,
}

impl ShardMetrics {
    pub(super) fn try_new(registry: &Registry) -> Result<Self, MetricError> {
        let info = GaugeVec::new(
            Opts::new("asyncos_exporter_shard_info", "Which of how many exporters this is, counted from 0; always 1"),
            &["shards", "index"],
        )?;
        let configured = IntGauge::new(
            "asyncos_exporter_appliances_configured",
            "Appliances in the configuration, those of other shards included",
        )?;
        let owned = IntGauge::new("asyncos_exporter_appliances_owned", "Appliances that this exporter polls")?;
        registry.register(Box::new(info.clone()))?;
        registry.register(Box::new(configured.clone()))?;
        registry.register(Box::new(owned.clone()))?;
        Ok(Self { info, configured, owned })
    }

    /// Takes in a configuration that is in force from now on.
    pub(super) fn set(&self, share: Share, owned: usize) {
        let Share { shard, configured } = share;
        self.info.reset();
        self.info.with_label_values(&[shard.shards().to_string(), shard.index().to_string()]).set(1.0);
        // No count of appliances comes near the end of the type.
        self.configured.set(i64::try_from(configured).unwrap_or(i64::MAX));
        self.owned.set(i64::try_from(owned).unwrap_or(i64::MAX));
    }
}
