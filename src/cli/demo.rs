//! Flags of `demo`.

use clap::Args;

use super::{Log, Web};

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Add appliances with faults that the dashboards and alerts show
    #[arg(long)]
    pub troubles: bool,
    /// Flags of the web server.
    #[command(flatten)]
    pub web: Web,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}
