//! The flags of `simulate`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Log;

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Address to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6080")]
    pub listen: SocketAddr,
    /// Answer from this bundle, which `record` has written; only --listen, --latency and --http11 apply then
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// Product to simulate
    #[arg(long, value_enum, default_value_t = Product::Esa)]
    pub product: Product,
    /// Host name of the appliance; it determines the simulated traffic
    #[arg(long, default_value = "esa1.example.com")]
    pub name: String,
    /// Device group of an SMA and its devices, as NAME=DEVICE,DEVICE; may be repeated
    #[arg(long = "device-group", value_name = "NAME=DEVICES", value_parser = device_group)]
    pub device_groups: Vec<(String, Vec<String>)>,
    /// Lifetime of a token
    #[arg(long = "token-life", default_value = "30m", value_parser = humantime::parse_duration)]
    pub token_life: Duration,
    /// Support whole hours only, as some releases do
    #[arg(long = "hour-only")]
    pub hour_only: bool,
    /// Respond with HTTP/1.1 instead of 1.0
    #[arg(long = "http11")]
    pub http11: bool,
    /// Age of its newest data
    #[arg(long, value_parser = humantime::parse_duration)]
    pub lag: Option<Duration>,
    /// Delay before each response
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub latency: Duration,
    /// Meaning of totalCount in message tracking and quarantines; by default the page and all matches, respectively
    #[arg(long = "total-count", value_enum)]
    pub total_count: Option<TotalCount>,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Meaning of the count of a search.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TotalCount {
    /// Rows of the page
    Page,
    /// All matches
    Matches,
}

/// The two products.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Product {
    /// Secure Email Gateway
    Esa,
    /// Secure Email and Web Manager
    Sma,
}

pub(super) fn device_group(text: &str) -> Result<(String, Vec<String>), String> {
    match text.split_once('=') {
        Some((name, devices)) if !name.is_empty() && !devices.is_empty() => {
            Ok((name.into(), devices.split(',').map(str::to_owned).collect()))
        }
        Some(_) | None => Err("expected NAME=DEVICE,DEVICE".into()),
    }
}
