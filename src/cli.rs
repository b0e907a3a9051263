//! The command line, in the style of Prometheus exporters. Secrets are never flags: a process list shows flags.

mod backfill;
mod check;
mod demo;
mod record;
mod simulate;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;

use crate::app::logging;
use crate::http::{self, Listen, WebPaths};

pub use backfill::{Backfill, RemoteWrite, TimePoint};
pub use check::{Check, CheckFormat, Connect};
pub use demo::Demo;
pub use record::Record;
pub use simulate::{Product, Simulate, TotalCount};

/// Prometheus exporter for Cisco Secure Email Gateway, Cloud Gateway and Secure Email and Web Manager.
#[derive(Debug, Parser)]
#[command(name = "asyncos_exporter", version = env!("ASYNCOS_EXPORTER_VERSION"), about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

impl Cli {
    /// Returns the selected command; `serve` is the default.
    #[must_use]
    pub fn command(self) -> Command {
        match self.command {
            Some(command) => command,
            None if self.serve.config_check => {
                let Serve { config_file, web_config_file, .. } = self.serve;
                let connect = Connect { connect: false, storage_path: None, format: CheckFormat::Text };
                Command::Check(Check { config_file, web_config_file, connect })
            }
            None => Command::Serve(self.serve),
        }
    }
}

/// Commands of the program.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Poll the configured appliances and serve their metrics (the default)
    Serve(Serve),
    /// Check the configuration and print every problem with its line; with --connect, contact the appliances too
    Check(Check),
    /// Query one appliance and generate a configuration for it
    Discover(Discover),
    /// Request the past of the configured appliances and write it as samples for Prometheus
    Backfill(Backfill),
    /// Check whether a running exporter is healthy, for use as a container health check
    Healthcheck(Healthcheck),
    /// Run a simulated fleet together with the exporter; needs no configuration
    Demo(Demo),
    /// Run one simulated appliance
    Simulate(Simulate),
    /// Record one round of requests to an appliance, without names, addresses and secrets, for a bug report
    Record(Record),
    /// Print the bundled Grafana dashboards
    Dashboards(Dashboards),
    /// Print the bundled Prometheus rules
    Rules(Rules),
}

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// Check the configuration and exit, like the command `check`
    #[arg(long = "config.check")]
    pub config_check: bool,
    /// Reload the configuration when its file or a certificate file changes
    #[arg(long = "config.enable-auto-reload")]
    pub config_enable_auto_reload: bool,
    /// Interval between checks for changes, at least 1s
    #[arg(long = "config.auto-reload-interval", value_name = "DURATION", default_value = "30s", value_parser = interval)]
    pub config_auto_reload_interval: Duration,
    /// Directory for the totals, so that they survive a restart; without it they are kept in memory
    #[arg(long = "storage.path", value_name = "DIRECTORY")]
    pub storage_path: Option<PathBuf>,
    /// Reset the recorded login failures; for a single start, not for a unit that restarts automatically
    #[arg(long = "login.reset")]
    pub login_reset: bool,
    /// Flags of the web server.
    #[command(flatten)]
    pub web: Web,
    /// File with TLS settings and users for the web server, in the format of the Prometheus exporter toolkit
    #[arg(long = "web.config.file", value_name = "FILE")]
    pub web_config_file: Option<PathBuf>,
    /// Allow POST to /-/reload, /-/login-reset and /-/quit
    #[arg(long = "web.enable-lifecycle")]
    pub web_enable_lifecycle: bool,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Flags of the web server.
#[derive(Debug, Args)]
pub struct Web {
    /// Address to listen on, or unix:PATH for a socket; port 0 selects a free port; may be repeated
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":10042")]
    pub listen_addresses: Vec<String>,
    /// Listen on the sockets passed by systemd instead of --web.listen-address
    #[arg(long = "web.systemd-socket")]
    pub systemd_socket: bool,
    /// Path of the metrics
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value = "/metrics", value_parser = telemetry_path)]
    pub telemetry_path: String,
    /// URL under which people reach the pages, for example behind a reverse proxy; its path is the default of
    /// --web.route-prefix
    #[arg(long = "web.external-url", value_name = "URL", value_parser = external_url)]
    pub external_url: Option<Url>,
    /// Prefix of all paths, /metrics included [default: path of --web.external-url]
    #[arg(long = "web.route-prefix", value_name = "PATH", value_parser = path)]
    pub route_prefix: Option<String>,
    /// Leave out the metrics process_* and asyncos_exporter_http_connections
    #[arg(long = "web.disable-exporter-metrics")]
    pub disable_exporter_metrics: bool,
    /// Maximum number of concurrent scrapes, 0 for no limit
    #[arg(long = "web.max-requests", value_name = "NUMBER", default_value_t = 40)]
    pub max_requests: usize,
}

impl Web {
    /// Returns the addresses to listen on.
    #[must_use]
    pub fn listen(&self) -> Listen {
        match self.systemd_socket {
            true => Listen::Systemd,
            false => Listen::Addresses(self.listen_addresses.clone()),
        }
    }

    /// Returns the addresses of the pages, inside and outside.
    #[must_use]
    pub fn paths(&self) -> WebPaths {
        WebPaths::new(self.telemetry_path.clone(), self.route_prefix.as_deref(), self.external_url.clone())
    }
}

/// Flags of the log, which goes to standard error.
#[derive(Clone, Copy, Debug, Args)]
pub struct Log {
    /// Only log messages of this severity or above
    #[arg(long = "log.level", value_enum, default_value_t = Level::Info)]
    pub level: Level,
    /// Format of log lines
    #[arg(long = "log.format", value_enum, default_value_t = Format::Logfmt)]
    pub format: Format,
}

/// Severities.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Level {
    /// Bugs and fatal errors only
    Error,
    /// Failures and degraded operation
    Warn,
    /// Start, shutdown and recovery
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

/// Formats of log lines.
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

/// Flags of `discover`.
#[derive(Debug, Args)]
pub struct Discover {
    /// URL of its API: scheme, host and port
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// User name of the account to log in with
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// Source of its password.
    #[command(flatten)]
    pub password: PasswordSource,
    /// Verification of its certificate.
    #[command(flatten)]
    pub trust: TrustSource,
    /// Authentication method of requests
    #[arg(long, value_enum, default_value_t = Auth::Jwt)]
    pub auth: Auth,
    /// Write the configuration to this file instead of standard output; the file must not exist
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Flags of the log.
    #[command(flatten)]
    pub log: Log,
}

/// Source of a password; there is no flag for the password itself. Text and not a path: it goes into a YAML file.
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

/// Verification of a certificate that does not chain to a CA in the trust store of the operating system.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct TrustSource {
    /// PEM file with the certificate of the issuer, or of the appliance itself
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<String>,
    /// SHA-256 fingerprint of the appliance's certificate
    #[arg(long, value_name = "HEX")]
    pub fingerprint_sha256: Option<String>,
    /// Accept any certificate: an attacker on the network can read the password
    #[arg(long)]
    pub insecure_skip_verify: bool,
}

/// Authentication methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Log in once and use a token
    Jwt,
    /// Send the password with every request
    Basic,
}

/// Flags of `healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// URL to check; certificates are not verified
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:10042/-/healthy")]
    pub url: Url,
    /// Maximum time to wait for the response
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
}

/// Flags of `dashboards`.
#[derive(Debug, Args)]
pub struct Dashboards {
    /// UID of the dashboard to print; without it, list all dashboards
    #[arg(value_name = "UID")]
    pub uid: Option<String>,
    /// Write all dashboards to this directory instead of printing one
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "uid")]
    pub write: Option<PathBuf>,
    /// URL of the runbook, for links from the firing alerts to its sections
    #[arg(long = "runbook-url", value_name = "URL")]
    pub runbook: Option<String>,
}

/// Flags of `rules`.
#[derive(Debug, Args)]
pub struct Rules {
    /// File of the bundle to print
    #[arg(value_name = "FILE", default_value = "asyncos.rules.yaml")]
    pub file: String,
    /// Write the rules, the PrometheusRule for the Prometheus operator and the runbook to this directory instead of printing
    #[arg(long, value_name = "DIRECTORY")]
    pub write: Option<PathBuf>,
    /// Name of the exporter's scrape job
    #[arg(long, value_name = "NAME")]
    pub job: Option<String>,
    /// URL of Grafana, for links from alerts to dashboards
    #[arg(long = "grafana-url", value_name = "URL")]
    pub grafana: Option<String>,
    /// URL of the runbook, for links from alerts to its sections
    #[arg(long = "runbook-url", value_name = "URL")]
    pub runbook: Option<String>,
}

/// A path for the metrics, which must not hide another page. The start page may be hidden: some exporters have none.
fn telemetry_path(text: &str) -> Result<String, String> {
    let path = path(text)?;
    match path != "/" && http::is_page(&path) {
        true => Err("is the path of another page".into()),
        false => Ok(path),
    }
}

fn path(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#'));
    match text.starts_with('/') && plain {
        true => Ok(text.into()),
        false => Err("must begin with `/` and contain no `?`, `#` or space".into()),
    }
}

fn external_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain {
        true => Ok(url),
        false => Err("expected a URL such as `https://monitoring.example.com/mail`".into()),
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(interval) if interval >= Duration::from_secs(1) => Ok(interval),
        Ok(_) => Err("must be at least 1s".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
