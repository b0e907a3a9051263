//! Metrics about the part of the fleet that is ours: none where it is all of it.

use prometheus::{GaugeVec, IntGaugeVec, Opts};

use super::MetricError;
use super::registry::Registry;
use crate::config::Share;
use crate::sample::MetricDef;

pub(super) const INFO: MetricDef = MetricDef::gauge(
    "asyncos_exporter_shard_info",
    "Index of this shard, counted from 0; always 1, absent without sharding",
);
pub(super) const CONFIGURED: MetricDef =
    MetricDef::gauge("asyncos_exporter_appliances_configured", "Appliances in the configuration, over all shards");
pub(super) const OWNED: MetricDef =
    MetricDef::gauge("asyncos_exporter_appliances_owned", "Appliances that this shard polls");

/// Which shard this is, and how much of the fleet it has.
#[derive(Debug)]
pub(super) struct ShardMetrics {
    info: GaugeVec,
    configured: IntGaugeVec,
    owned: IntGaugeVec,
}

impl ShardMetrics {
    pub(super) fn try_new(registry: &mut Registry) -> Result<Self, MetricError> {
        let info = GaugeVec::new(Opts::new(INFO.name, INFO.help), &["shards", "index"])?;
        let configured = IntGaugeVec::new(Opts::new(CONFIGURED.name, CONFIGURED.help), &[])?;
        let owned = IntGaugeVec::new(Opts::new(OWNED.name, OWNED.help), &[])?;
        registry.register(Box::new(info.clone()))?;
        registry.register(Box::new(configured.clone()))?;
        registry.register(Box::new(owned.clone()))?;
        Ok(Self { info, configured, owned })
    }

    /// Shows the share of a configuration that is used from now on.
    pub(super) fn set(&self, share: Share, owned: usize) {
        let Share { shard, configured } = share;
        self.info.reset();
        if shard.shards() == 1 {
            self.configured.reset();
            self.owned.reset();
            return;
        }
        self.info.with_label_values(&[shard.shards().to_string(), shard.index().to_string()]).set(1.0);
        // No count of appliances comes near the end of the type.
        self.configured.with_label_values::<&str>(&[]).set(i64::try_from(configured).unwrap_or(i64::MAX));
        self.owned.with_label_values::<&str>(&[]).set(i64::try_from(owned).unwrap_or(i64::MAX));
    }
}
