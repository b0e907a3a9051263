//! The configuration: what a YAML file says, as types that cannot be wrong. A raw twin takes any shape of file, so that
//! every mistake is reported at once; what leaves this module has been checked. Knows nothing of how it is used.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use url::Url;

use crate::base::release::Release;
use crate::base::secret::Secret;
use crate::base::shard::Shard;
use crate::base::window::Grid;
use crate::catalogue::tracking::Search;
use crate::catalogue::{Group, ScopeKind};

mod appliance;
mod auth;
mod custom;
mod field;
mod file_reader;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzz;
mod groups;
mod identity;
mod location;
mod overlap;
mod password;
mod path;
mod polling;
mod problem;
mod proxy;
mod raw;
mod redacted;
mod searches;
mod sharding;
mod status_options;
mod tls;
mod trust;
mod watched;
mod web;

use files::Files;

pub use auth::{
    Auth, ClientAuth, Demand, Encoding, Grant, Oidc, Passcode, Provider, TokenKind, Totp, TotpHash, TwoFactor,
};
pub use password::SecretFile;
pub use problem::{ConfigError, Problem};
pub use tls::{Identity, TlsVersion};
pub use watched::{ConfigFile, WebFile};
pub use web::{ClientCertificates, Web, WebTls};

/// A fleet to watch, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The appliances that are ours, in the order of the file, names unique; none where all are other shards'.
    pub appliances: Vec<Appliance>,
    /// What makes them ours.
    pub share: Share,
    /// Counter groups that the file describes and the catalogue lacks.
    pub custom_groups: Vec<Group>,
    /// Whether OpenMetrics shows when counters began.
    pub created_timestamps: bool,
    /// What is allowed and yet should be known.
    pub warnings: Vec<Problem>,
}

/// Which of the appliances in a file are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those that this shard owns.
    pub shard: Shard,
    /// How many are in the file, ours or not; at least 1.
    pub configured: usize,
}

/// One appliance that is polled.
#[derive(Clone, Debug, PartialEq)]
pub struct Appliance {
    /// The value of the label `appliance`.
    pub name: String,
    /// Scheme, host and port; never a path, a query or user information.
    pub url: Url,
    /// Which of the two products answers there.
    pub product: Product,
    /// How requests are authorised.
    pub auth: Auth,
    /// Who says what.
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
    /// Where its XML status page is, if that is to be read.
    pub xml_status: Option<Url>,
    /// The quarantines whose messages are counted.
    pub quarantines: Quarantines,
    /// Managed appliances, privileges of the account, time zone, and the time span of reporting data.
    pub inventory: bool,
}

/// Quarantines whose messages are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quarantines {
    /// The spam quarantine and all that the appliance names.
    All,
    /// These; `spam` is the spam quarantine.
    Named(Vec<String>),
}

/// The two products of AsyncOS for mail; Cloud Gateway is an ESA or SMA hosted by the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Secure Email Gateway.
    Esa,
    /// Secure Email and Web Manager.
    Sma,
}

impl Product {
    /// The value of the label `product`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Esa => "esa",
            Self::Sma => "sma",
        }
    }

    /// How long after its end a window is asked for unless configured. A gateway reports its own traffic; a manager
    /// is fed in files of 15 minutes, so its figures are that much younger than they look.
    #[must_use]
    pub const fn default_settle(self) -> Duration {
        match self {
            Self::Esa => Duration::from_secs(2 * 60),
            Self::Sma => Duration::from_secs(20 * 60),
        }
    }
}

/// An account on the appliance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Never empty. Of an account that is a client of an identity provider, its client id.
    pub username: String,
    /// Of a client, its client secret.
    pub password: Passphrase,
    /// What proves the account besides: the secret of its second factor, or that of the client which asks in its name.
    pub second: Option<Passphrase>,
}

/// A secret text that is never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passphrase {
    /// The text.
    pub text: Secret,
    /// The file that holds it, if one does.
    pub file: Option<SecretFile>,
}

/// What is believed about an appliance's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// On what grounds a certificate is accepted.
    pub anchor: Anchor,
    /// The name the certificate must carry where it is not the host of the URL.
    pub server_name: Option<String>,
    /// The certificate that is shown to an appliance that asks for one.
    pub identity: Option<Identity>,
    /// The oldest version of TLS that is spoken.
    pub min_version: TlsVersion,
    /// Who speaks TLS.
    pub backend: Backend,
}

/// Who speaks TLS to an appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// rustls.
    Modern,
    /// OpenSSL, for appliances with none but old ciphers.
    #[cfg(feature = "legacy-tls")]
    Legacy,
}

/// A proxy before an appliance, spoken to in HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Scheme `http`, host and port; never a path, a query or user information.
    pub url: Url,
    /// The account at the proxy, where it wants one.
    pub credentials: Option<Credentials>,
}

/// On what grounds a certificate is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It chains to a root of the operating system.
    System,
    /// It chains to one of these certificates, or is one of them.
    /// Appliances with the same file share them.
    File(Arc<[CertificateDer<'static>]>),
    /// The SHA-256 of its DER form is this.
    Fingerprint([u8; 32]),
    /// Any certificate is accepted.
    Nothing,
}

/// How an appliance is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// The windows of groups that name none of their own.
    pub grid: Grid,
    /// How long after its end a window may be asked for.
    pub settle: Settle,
    /// How long one request may take.
    pub timeout: Duration,
    /// Requests in flight; at least 1.
    pub concurrency: usize,
    /// Requests that may start in a minute, logins included; so many may start at once.
    pub requests_per_minute: NonZeroU32,
    /// Refused logins in a row after which none is tried any more; from 1 to 4.
    pub max_login_refusals: u32,
    /// How far back missed windows are fetched.
    pub catch_up: Duration,
    /// How far back the first watermark lies when nothing was polled before; one window where absent.
    pub start: Option<Duration>,
    /// Which windows the appliance is believed to answer.
    pub alignment: Alignment,
    /// Whether the hour that is not over is requested where the appliance answers for whole hours only.
    pub running_hour: bool,
    /// What becomes of data that arrive after their window was counted.
    pub late: Late,
}

/// How long after its end a window may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Always this long.
    Fixed(Duration),
    /// This long at first, then as long as the appliance is seen to need.
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

/// What becomes of data that arrive after their window was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// They go into the totals when they are found.
    Add,
    /// They are counted as late and are in no total.
    Ignore,
}

/// Which windows an appliance answers; some releases accept whole hours only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// As configured, whole hours once it says that it takes no others.
    Auto,
    /// As configured, whatever it says.
    Minute,
    /// Whole hours from the start; `window` tells how often they are requested.
    Hour,
}

/// What one report is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everything the appliance knows.
    Appliance,
    /// One group of devices of a manager.
    DeviceGroup(String),
    /// One device of a manager.
    Device(String),
}

impl Scope {
    /// What decides the names of its metrics.
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

/// One counter group to poll and the windows it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupChoice {
    /// The group.
    pub group: Arc<Group>,
    /// So many rows with the highest values; all of them where absent.
    pub top: Option<usize>,
    /// Its windows.
    pub grid: Grid,
    /// Rows beyond so many series in one scope have none of their own.
    pub series_limit: usize,
}

impl Config {
    /// Reads and checks `file`. Opens no socket.
    ///
    /// # Errors
    /// When the file cannot be read, is no YAML, or says anything that is wrong: every problem at once.
    pub fn load(file: &FilePath) -> Result<Self, ConfigError> {
        ConfigFile::new(file.to_owned()).read()
    }

    /// Checks `text`; `name` is what messages call the file.
    ///
    /// # Errors
    /// When the text is no YAML or says anything that is wrong: every problem at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        appliance::fleet(name, text, &mut Files::of_text())
    }
}

/// The keys of every table of the file, for the example and the manual to be held against.
#[must_use]
pub fn known_keys() -> Vec<(&'static str, &'static [&'static str])> {
    raw::known_keys()
}

/// The keys of every table of the web side's file, for the manual to be held against.
#[must_use]
pub fn known_web_keys() -> Vec<(&'static str, &'static [&'static str])> {
    raw::web_keys()
}

/// Whether `host` names this machine, where a password in clear text does not leave it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
