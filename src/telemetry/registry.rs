//! A registry that knows its families by name, those without a sample among them: the crate's own shows no such family.

use std::collections::BTreeSet;

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;

use super::MetricError;

#[derive(Debug, Default)]
pub(super) struct Registry {
    inner: prometheus::Registry,
    names: BTreeSet<String>,
}

impl Registry {
    /// Adds the families of `collector`.
    ///
    /// # Errors
    /// When one of them is there already.
    pub(super) fn register(&mut self, collector: Box<dyn Collector>) -> Result<(), MetricError> {
        let names: Vec<String> = collector.desc().into_iter().map(|family| family.fq_name.clone()).collect();
        self.inner.register(collector)?;
        self.names.extend(names);
        Ok(())
    }

    /// The families that have samples, sorted by name.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.inner.gather()
    }

    /// The names of all families.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }
}
