//! The command line, as Prometheus exporters have it. Secrets are never flags: a process list shows those.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::http::Listen;
use crate::logging;

/// Prometheus exporter for Cisco Secure Email Gateway, Cloud Gateway and Secure Email and Web Manager.
#[derive(Debug, Parser)]
#[command(name = "asyncos_exporter", version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Cli {
    /// What is to be done; serving unless another command is named.
    #[must_use]
    pub fn command(self) -> Command {
        match self.command {
            Some(command) => command,
            None if self.serve.config_check => {
                let Serve { config_file, web_config_file, .. } = self.serve;
                Command::Check(Check { config_file, web_config_file })
            }
            None => Command::Serve(self.serve),
        }
    }
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Poll the appliances of the configuration and serve their metrics (the default)
    Serve(Serve),
    /// Print every problem of the configuration with its line; opens no socket
    Check(Check),
    /// Ask one appliance what it offers and write a configuration for it
    Discover(Discover),
    /// Ask a running exporter whether it is healthy, as a container's health check
    Healthcheck(Healthcheck),
    /// Run a simulated fleet and the exporter on it; needs no configuration
    Demo(Demo),
    /// Run one simulated appliance
    Simulate(Simulate),
    /// Print the bundled dashboards for Grafana
    Dashboards(Dashboards),
    /// Print the bundled rules for Prometheus
    Rules(Rules),
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// Only check the configuration, like the command `check`
    #[arg(long = "config.check")]
    pub config_check: bool,
    /// Read the configuration again when its file, or a certificate it names, has changed
    #[arg(long = "config.enable-auto-reload")]
    pub config_enable_auto_reload: bool,
    /// How often to look for changes then, at least 1s
    #[arg(long = "config.auto-reload-interval", value_name = "DURATION", default_value = "30s", value_parser = interval)]
    pub config_auto_reload_interval: Duration,
    /// Directory for the totals, so that they outlive a restart; without it they are in memory
    #[arg(long = "storage.path", value_name = "DIRECTORY")]
    pub storage_path: Option<PathBuf>,
    /// Forget that logins were refused before; for one start, not for a unit that restarts by itself
    #[arg(long = "login.reset")]
    pub login_reset: bool,
    /// Flags of the web side.
    #[command(flatten)]
    pub web: Web,
    /// File with TLS and users for the web side, in the format of Prometheus' exporters
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Allow POST to /-/reload, /-/login-reset and /-/quit
    #[arg(long = "web.enable-lifecycle")]
    pub web_enable_lifecycle: bool,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Flags of what is served where.
#[derive(Debug, Args)]
pub struct Web {
    /// Address to listen on, or unix: and the path of a socket; port 0 picks a free one; may be repeated
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":10042")]
    pub listen_addresses: Vec<String>,
    /// Listen on the sockets that systemd has opened, in place of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = path)]
    pub telemetry_path: String,
    /// Scrapes served at once, 0 for any number
    #[arg(long = "web.max-requests", value_name = "NUMBER", default_value_t = 40)]
    pub max_requests: usize,
}

impl Web {
    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> Listen {
        match self.systemd_socket {
            true => Listen::Systemd,
            false => Listen::Addresses(self.listen_addresses.clone()),
        }
    }
}

/// Flags of the log, which goes to standard error.
#[derive(Clone, Copy, Debug, Args)]
pub struct Log {
    /// Least severity that is logged
    #[arg(long = "log.level", value_enum, default_value_t = Level::Info)]
    pub level: Level,
    /// Form of a line
    #[arg(long = "log.format", value_enum, default_value_t = Format::Logfmt)]
    pub format: Format,
}

/// Severities.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Level {
    /// Only our own bugs and what stops us
    Error,
    /// What went bad
    Warn,
    /// Start, end and recovery
    Info,
    /// Every request
    Debug,
    /// Everything, libraries included
    Trace,
}

impl From<Level> for logging::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warn => Self::Warn,
            Level::Info => Self::Info,
            Level::Debug => Self::Debug,
            Level::Trace => Self::Trace,
        }
    }
}

/// Forms of a log line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Format {
    /// key=value pairs
    Logfmt,
    /// One JSON object
    Json,
}

impl From<Format> for logging::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Logfmt => Self::Logfmt,
            Format::Json => Self::Json,
        }
    }
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// File with TLS and users for the web side, to be checked too
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
}

/// Flags of `discover`.
#[derive(Debug, Args)]
pub struct Discover {
    /// Where its API is: scheme, host and port
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// The account to ask as
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// Where its password is.
    #[command(flatten)]
    pub password: PasswordSource,
    /// What is believed about the certificate.
    #[command(flatten)]
    pub trust: TrustSource,
    /// How requests are authorised
    #[arg(long, value_enum, default_value_t = Auth::Jwt)]
    pub auth: Auth,
    /// Write the configuration to this file, which must not exist, in place of standard output
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Where a password is; there is no flag for the password itself. Text and not a path: it goes into a YAML file.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct PasswordSource {
    /// File with the password
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<String>,
    /// Environment variable with the password
    #[arg(long, value_name = "VARIABLE")]
    pub password_env: Option<String>,
}

/// On what grounds a certificate is accepted where no root of the operating system vouches for it.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct TrustSource {
    /// Certificates in PEM form: of the issuer, or the appliance's own
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// SHA-256 of the appliance's certificate
    #[arg(long, value_name = "HEX")]
    pub fingerprint_sha256: Option<String>,
    /// Accept any certificate: whoever sits between can read the password
    #[arg(long)]
    pub insecure_skip_verify: bool,
}

/// How requests are authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// A login for a token
    Jwt,
    /// The password with every request
    Basic,
}

/// Flags of `healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// Where to ask; certificates are not verified
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:10042/-/healthy")]
    pub url: Url,
    /// How long to wait for the answer
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Flags of `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Flags of the web side.
    #[command(flatten)]
    pub web: Web,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6080")]
    pub listen: SocketAddr,
    /// What the appliance is
    #[arg(long, value_enum, default_value_t = Product::Esa)]
    pub product: Product,
    /// Its host name, which its traffic depends on
    #[arg(long, default_value = "esa1.example.com")]
    pub name: String,
    /// Device group of a manager and its devices, as NAME=DEVICE,DEVICE; may be repeated
    #[arg(long = "device-group", value_name = "NAME=DEVICES", value_parser = device_group)]
    pub device_groups: Vec<(String, Vec<String>)>,
    /// Life of a token
    #[arg(long = "token-life", default_value = "30m", value_parser = humantime::parse_duration)]
    pub token_life: Duration,
    /// Answer whole hours only, as some releases do
    #[arg(long = "hour-only")]
    pub hour_only: bool,
    /// Answer with HTTP/1.1 in place of 1.0
    #[arg(long = "http11")]
    pub http11: bool,
    /// How much younger than now its newest data are
    #[arg(long, value_parser = humantime::parse_duration)]
    pub lag: Option<Duration>,
    /// How long it takes to answer
    #[arg(long, default_value = "0s", value_parser = humantime::parse_duration)]
    pub latency: Duration,
    /// What totalCount of message tracking and of quarantines counts; without it the page and all matches, respectively
    #[arg(long = "total-count", value_enum)]
    pub total_count: Option<TotalCount>,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Flags of `dashboards`.
#[derive(Debug, Args)]
pub struct Dashboards {
    /// Print this one, by its uid; without it their names are listed
    #[arg(value_name = "UID")]
    pub uid: Option<String>,
    /// Write all of them into this directory, in place of printing
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "uid")]
    pub write: Option<PathBuf>,
}

/// Flags of `rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// Print this file of the bundle
    #[arg(value_name = "FILE", default_value = "asyncos.rules.yaml")]
    pub file: String,
    /// Write the rules, the same for the Prometheus operator, and the runbook into this directory, in place of printing
    #[arg(long, value_name = "DIRECTORY")]
    pub write: Option<PathBuf>,
    /// Name of the exporter's scrape job
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,
    /// Address of Grafana, for links from alerts to boards
    #[arg(long = "grafana-url", value_name = "URL")]
    pub grafana: Option<String>,
    /// Address of the runbook, for links from alerts to its parts
    #[arg(long = "runbook-url", value_name = "URL")]
    pub runbook: Option<String>,
}

/// What a count of a search may be of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum TotalCount {
    /// The rows of the page
    Page,
    /// Everything that matches
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

fn path(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
    match text.starts_with('/') && plain {
        true => Ok(text.into()),
        false => Err("must begin with `/` and hold no `?`, `#` or blank".into()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(interval) if interval >= Duration::from_secs(1) => Ok(interval),
        Ok(_) => Err("must be at least 1s".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn device_group(text: &str) -> Result<(String, Vec<String>), String> {
    match text.split_once('=') {
        Some((name, devices)) if !name.is_empty() && !devices.is_empty() => {
            Ok((name.into(), devices.split(',').map(str::to_owned).collect()))
        }
        Some(_) | None => Err("expected NAME=DEVICE,DEVICE".into()),
    }
}

#[cfg(test)]
mod tests;
