//! The configuration: a YAML file as types that cannot be wrong. A raw twin accepts any shape of file, so that every
//! mistake is reported at once; values that leave this module have been checked. Knows nothing of their use.

use std::fmt;
use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use url::Url;

use crate::base::release::Release;
use crate::base::shard::Shard;
use crate::base::window::Grid;
use crate::catalogue::tracking::Search;
use crate::catalogue::{Group, ScopeKind};

mod appliance;
mod auth;
mod custom;
mod detections;
mod document;
mod field;
mod file_reader;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod groups;
mod location;
mod overlap;
mod password;
mod path;
mod polling;
mod problem;
mod product;
mod proxy;
mod raw;
mod redacted;
mod schema;
mod searches;
mod sharding;
mod status_options;
mod suggestion;
mod tls;
mod trust;
mod watched;
mod web;

use files::Files;

pub use auth::{
    Auth, ClientAuth, Demand, Encoding, Grant, Oidc, Passcode, Provider, TokenKind, Totp, TotpHash, TwoFactor,
};
pub use password::{NotAPassphrase, Passphrase, SecretFile};
pub use polling::RefusalLimit;
pub use problem::{ConfigError, Problem};
pub use product::Product;
pub use tls::{Identity, TlsVersion};
pub use watched::{ConfigFile, WebFile};
pub use web::{ClientCertificates, Web, WebTls};

/// A fleet to watch, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The appliances that are ours, in the order of the file, names unique; none where all are other shards'.
    pub appliances: Vec<Appliance>,
    /// The shard that owns them.
    pub share: Share,
    /// Counter groups that the file describes and the catalogue lacks.
    pub custom_groups: Vec<Group>,
    /// Whether OpenMetrics shows when counters began.
    pub created_timestamps: bool,
    /// Warnings: allowed, but probably a mistake or a risk.
    pub warnings: Vec<Problem>,
}

/// Which of the appliances in a file are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that this shard owns.
    pub shard: Shard,
    /// Number of appliances in the file, ours or not; at least 1.
    pub configured: usize,
}

/// One appliance that is polled.
#[derive(Clone, Debug, PartialEq)]
pub struct Appliance {
    /// The value of the label `appliance`.
    pub name: String,
    /// Scheme, host and port; never a path, a query or user information.
    pub url: Url,
    /// The product at this address.
    pub product: Product,
    /// Authorization of requests.
    pub auth: Auth,
    /// Login credentials.
    pub credentials: Credentials,
    /// Verification of its certificate, and the TLS settings.
    pub trust: Trust,
    /// The proxy in front of it; requests are direct where absent, whatever the environment says.
    pub proxy: Option<Proxy>,
    /// Its polling: windows, delays and limits.
    pub polling: Polling,
    /// The scopes of its reports: the appliance itself first, then device groups, then devices.
    pub scopes: Vec<Scope>,
    /// The counter groups requested in each scope.
    pub groups: Vec<GroupChoice>,
    /// Searches of its message tracking that are counted.
    pub searches: Vec<SearchChoice>,
    /// Its status requests.
    pub status_options: StatusOptions,
    /// The oldest AsyncOS release that is accepted; any where absent.
    pub minimum_release: Option<Release>,
    /// Whether its serial number is shown.
    pub serial: bool,
}

/// A search of the message tracking that is counted in windows.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchChoice {
    /// The value of the label `search`.
    pub name: String,
    /// The search itself.
    pub search: Arc<Search>,
    /// Its windows.
    pub grid: Grid,
}

/// Status requests of an appliance, besides reports for windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusOptions {
    /// Its load, queues and stores; of an ESA only.
    pub health: bool,
    /// Its system status, where it is offered; of an ESA only.
    pub system_status: bool,
    /// The number of destinations of its mail with series of their own, where they are to be read; of an ESA only.
    pub delivery_status: Option<NonZeroUsize>,
    /// Where its XML status page is, if that is to be read.
    pub xml_status: Option<Url>,
    /// The quarantines whose messages are counted.
    pub quarantines: Quarantines,
    /// Managed appliances, privileges of the account, time zone, and the time span of reporting data.
    pub inventory: bool,
    /// Those of the keys that the file has: what only the default switches on may be missing on an appliance.
    pub named: Vec<&'static str>,
}

/// Quarantines whose messages are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quarantines {
    /// The spam quarantine and all that the appliance names.
    All,
    /// These; `spam` is the spam quarantine.
    Named(Vec<String>),
}

/// An account on the appliance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Never empty. Of an account that is a client of an identity provider, its client id.
    pub username: String,
    /// Of a client, its client secret.
    pub password: Passphrase,
    /// A second secret: of the second factor, or of the client that requests tokens in the account's name.
    pub second: Option<Passphrase>,
}

/// Verification of an appliance's certificate, and the TLS settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Reason to trust a certificate.
    pub anchor: Anchor,
    /// The name in the certificate where it is not the host of the URL.
    pub server_name: Option<String>,
    /// The client certificate for an appliance that requests one.
    pub identity: Option<Identity>,
    /// The oldest version of TLS that is accepted.
    pub min_version: TlsVersion,
    /// The TLS library.
    pub backend: Backend,
}

/// The TLS library for connections to an appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// rustls.
    Modern,
    /// OpenSSL, for appliances with none but old ciphers.
    #[cfg(feature = "legacy-tls")]
    Legacy,
}

/// An HTTP proxy before an appliance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Scheme `http`, host and port; never a path, a query or user information.
    pub url: Url,
    /// The account at the proxy, if it requires one.
    pub credentials: Option<Credentials>,
}

/// Reason to trust a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It chains to a CA in the trust store of the operating system.
    System,
    /// It chains to one of these certificates, or is one of them.
    /// Appliances with the same file share them.
    File(Arc<[CertificateDer<'static>]>),
    /// The SHA-256 of its DER form is this.
    Fingerprint([u8; 32]),
    /// Any certificate is accepted.
    Nothing,
}

/// Polling of an appliance: windows, delays and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The windows of groups that name none of their own.
    pub grid: Grid,
    /// The settle delay: time between the end of a window and its first request.
    pub settle: Settle,
    /// Time limit of one request.
    pub timeout: Duration,
    /// Requests in flight.
    pub concurrency: NonZeroUsize,
    /// Requests that may start in a minute, including logins; as many may start at once.
    pub requests_per_minute: NonZeroU32,
    /// Consecutive refused logins after which logins stop.
    pub max_login_refusals: RefusalLimit,
    /// The oldest age of a missed window that is still fetched.
    pub catch_up: Duration,
    /// Age of the first watermark on an empty store; one window where absent.
    pub start: Option<Duration>,
    /// The windows that the appliance is assumed to support.
    pub alignment: Alignment,
    /// Whether the hour that is not over is requested where the appliance answers for whole hours only.
    pub running_hour: bool,
    /// Treatment of data that arrive after their window was counted.
    pub late: Late,
}

/// The settle delay: time between the end of a window and its first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Always this long.
    Fixed(Duration),
    /// This long at first, then as long as the appliance is observed to need.
    Auto(Duration),
}

impl Settle {
    /// The delay before anything was learned.
    #[must_use]
    pub const fn initial(self) -> Duration {
        match self {
            Self::Fixed(delay) | Self::Auto(delay) => delay,
        }
    }
}

/// Treatment of data that arrive after their window was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// They are added to the totals when they are found.
    Add,
    /// They are counted as late and are in no total.
    Ignore,
}

/// Which windows an appliance answers; some releases accept whole hours only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// As configured, whole hours once it answers that it supports no others.
    Auto,
    /// As configured, whatever it answers.
    Minute,
    /// Whole hours from the start; `window` is the interval of the requests.
    Hour,
}

/// The part of the fleet that one report covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everything the appliance knows.
    Appliance,
    /// One group of devices of an SMA.
    DeviceGroup(String),
    /// One device of an SMA.
    Device(String),
}

impl Scope {
    /// The kind of scope, which decides the names of its metrics.
    #[must_use]
    pub const fn kind(&self) -> ScopeKind {
        match self {
            Self::Appliance => ScopeKind::Appliance,
            Self::DeviceGroup(_) => ScopeKind::DeviceGroup,
            Self::Device(_) => ScopeKind::Device,
        }
    }

    /// The value of the label `device_group`; empty where the scope is none.
    #[must_use]
    pub fn device_group(&self) -> &str {
        match self {
            Self::DeviceGroup(name) => name,
            Self::Appliance | Self::Device(_) => "",
        }
    }

    /// The value of the label `device`; empty where the scope is none.
    #[must_use]
    pub fn device(&self) -> &str {
        match self {
            Self::Device(name) => name,
            Self::Appliance | Self::DeviceGroup(_) => "",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appliance => out.write_str("the appliance"),
            Self::DeviceGroup(name) => write!(out, "device group `{name}`"),
            Self::Device(name) => write!(out, "device `{name}`"),
        }
    }
}

/// One counter group to poll and its windows.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChoice {
    /// The group.
    pub group: Arc<Group>,
    /// Number of rows with the highest values; all of them where absent.
    pub top: Option<usize>,
    /// Its windows.
    pub grid: Grid,
    /// The most series in one scope; rows beyond it are dropped and counted.
    pub series_limit: usize,
}

impl Config {
    /// Reads and checks `file`. Opens no socket.
    ///
    /// # Errors
    /// When the file cannot be read, is not YAML, or has a mistake: every problem at once.
    pub fn load(file: &FilePath) -> Result<Self, ConfigError> {
        ConfigFile::new(file.to_owned()).read()
    }

    /// Checks `text`; `name` is the file in messages.
    ///
    /// # Errors
    /// When the text is not YAML or has a mistake: every problem at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        appliance::fleet(name, text, &mut Files::of_text())
    }
}

/// The keys of every table of the file, for the example and the manual to be held against.
#[must_use]
pub fn known_keys() -> Vec<(&'static str, &'static [&'static str])> {
    raw::known_keys()
}

/// The JSON Schema of the file, for editors.
#[must_use]
pub fn json_schema() -> String {
    format!("{:#}\n", schema::schema())
}

/// The keys of every table of the web side's file, for the manual to be held against.
#[must_use]
pub fn known_web_keys() -> Vec<(&'static str, &'static [&'static str])> {
    raw::web_keys()
}

/// Whether the host of `url` is this machine, which a password in clear text then does not leave.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
