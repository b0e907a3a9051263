//! Leaves that everything else may use: time, secrets, shutdown, windows, hashes, names in certificates. None of them knows an appliance, a
//! configuration or a metric.

pub mod clock;
pub mod hash;
pub mod heartbeat;
pub(crate) mod period;
pub mod release;
pub mod secret;
pub mod shard;
pub mod shutdown;
pub(crate) mod spelling;
pub(crate) mod subject_alt_name;
pub mod window;
