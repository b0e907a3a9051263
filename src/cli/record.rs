//! The flags of `record`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `record`.
#[derive(Debug, Args)]
pub struct Record {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// Name of the appliance in the configuration
    #[arg(long, value_name = "NAME")]
    pub appliance: String,
    /// File to write the bundle to; the file must not exist
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// Print the bundle and ask before it is written; without a terminal it is printed and not written
    #[arg(long)]
    pub review: bool,
}
