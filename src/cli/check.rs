//! The flags of `check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// File with TLS settings and users for the web server, checked as well
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// The contact with the appliances.
    #[command(flatten)]
    pub connect: Connect,
}

/// Flags of `check --connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Contact every appliance: test connection, login, clock and access to everything that is configured
    #[arg(long)]
    pub connect: bool,
    /// Directory of the exporter's totals, to respect and record refused logins; stop the exporter first
    #[arg(long = "storage.path", value_name = "DIRECTORY", requires = "connect")]
    pub storage_path: Option<PathBuf>,
    /// Format of the result
    #[arg(long, value_enum, default_value_t = CheckFormat::Text, requires = "connect")]
    pub format: CheckFormat,
}

/// Formats of the result of `check --connect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// A table
    Text,
    /// One JSON object with all details
    Json,
}
