//! Requests for the current status of an appliance, beside reports for windows.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use url::Url;

use crate::api::http::transport::Answer;
use crate::api::login_failures::PASSWORD_CHECK_INTERVAL;
use crate::api::wire::delivery_status::DeliveryStatus;
use crate::api::wire::health::Health;
use crate::api::wire::inventory::{Inventory, LocalTime, ManagedAppliance, Privileges};
use crate::api::wire::quarantine::{QuarantineMessages, QuarantineSize, Quarantines};
use crate::api::wire::query;
use crate::api::wire::reporting_status::ReportingStatus;
use crate::api::wire::system_status::SystemStatus;
use crate::api::wire::xml_status::XmlStatus;
use crate::api::{Client, Count, Failure, Pace, Reason, UnusableCounts};
use crate::base::clock::Timestamp;
use crate::base::window::Grid;
use crate::config::{self, Product, Scope, StatusOptions};

/// The name of the spam quarantine, which the appliance does not name.
const SPAM: &str = "spam";
/// Policy, virus and outbreak quarantines that every appliance has, for one that does not name its own.
///
/// **Source:** names that published clients ask for.
const USUAL_QUARANTINES: [&str; 4] = ["Outbreak", "Policy", "Unclassified", "Virus"];
/// More quarantines than this are not counted: each is a request at least.
const MOST_QUARANTINES: usize = 32;
/// A message is kept in a quarantine for less; counted are those that came within this time.
const LONGEST_STAY: Duration = Duration::from_secs(400 * 24 * 3600);

/// One thing that can be asked about the appliance itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// Load, queues and stores; of a gateway.
    Health,
    /// Gauges, counters since the start, and facts; of a gateway that offers it.
    SystemStatus,
    /// Destinations of mail, of which so many have series of their own; of a gateway that offers it.
    DeliveryStatus(NonZeroUsize),
    /// The status page of the web interface at this place.
    XmlStatus(Url),
    /// Messages in quarantines: in these, or in the spam quarantine and all that the appliance names.
    Quarantines(Option<Vec<String>>),
    /// The appliances that an SMA manages.
    Managed,
    /// The privileges of the account.
    Privileges,
    /// The time up to which reporting has data.
    Reporting,
    /// The time zone.
    TimeZone,
}

impl StatusKind {
    /// The kinds that are configured for an appliance.
    #[must_use]
    pub fn configured(options: &StatusOptions, product: Product) -> Vec<Self> {
        let mut kinds = Vec::new();
        if options.health {
            kinds.push(Self::Health);
        }
        if options.system_status {
            kinds.push(Self::SystemStatus);
        }
        kinds.extend(options.delivery_status.map(Self::DeliveryStatus));
        kinds.extend(options.xml_status.clone().map(Self::XmlStatus));
        match &options.quarantines {
            config::Quarantines::All => kinds.push(Self::Quarantines(None)),
            config::Quarantines::Named(names) if names.is_empty() => {}
            config::Quarantines::Named(names) => kinds.push(Self::Quarantines(Some(names.clone()))),
        }
        if options.inventory {
            if product == Product::Sma {
                kinds.push(Self::Managed);
            }
            kinds.extend([Self::Reporting, Self::TimeZone, Self::Privileges]);
        }
        kinds
    }

    /// Whether an appliance may not have it, in which case it is not a problem.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        match self {
            Self::SystemStatus | Self::DeliveryStatus(_) => true,
            Self::Health
            | Self::XmlStatus(_)
            | Self::Quarantines(_)
            | Self::Managed
            | Self::Privileges
            | Self::Reporting
            | Self::TimeZone => false,
        }
    }

    /// The value of the label `group`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::SystemStatus => "system_status",
            Self::DeliveryStatus(_) => "delivery_status",
            Self::XmlStatus(_) => "xml_status",
            Self::Quarantines(_) => "quarantines",
            Self::Managed => "managed_appliances",
            Self::Privileges => "privileges",
            Self::Reporting => "reporting_system_status",
            Self::TimeZone => "system_time",
        }
    }

    /// The key of the configuration that switches it on or off.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        match self {
            Self::Health | Self::SystemStatus | Self::DeliveryStatus(_) | Self::XmlStatus(_) | Self::Quarantines(_) => {
                self.name()
            }
            Self::Managed | Self::Privileges | Self::Reporting | Self::TimeZone => "inventory",
        }
    }
}

/// The content of a status answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// See [`StatusKind::Health`].
    Health(Health),
    /// See [`StatusKind::SystemStatus`].
    SystemStatus {
        /// The answer.
        status: Box<SystemStatus>,
        /// The appliance's clock when it was read.
        at: Timestamp,
    },
    /// See [`StatusKind::XmlStatus`].
    XmlStatus {
        /// The page.
        status: Box<XmlStatus>,
        /// The appliance's clock when it was read.
        at: Timestamp,
    },
    /// See [`StatusKind::DeliveryStatus`].
    DeliveryStatus(DeliveryStatus),
    /// See [`StatusKind::Quarantines`].
    Quarantines(Vec<Quarantine>),
    /// See [`StatusKind::Managed`].
    Managed(Vec<ManagedAppliance>),
    /// The number of parts of the API that the account may use.
    Privileges(usize),
    /// See [`StatusKind::Reporting`].
    Reporting(ReportingStatus),
    /// Its name, where it has one.
    TimeZone(Option<String>),
}

impl Observation {
    /// The pace that the appliance bears; none where it says nothing of the resources it has to conserve.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        let level = match self {
            Self::Health(health) => health.resource_conservation,
            Self::XmlStatus { status, .. } => {
                status.gauges.iter().find(|(name, _)| name == "resource_conservation").map(|(_, level)| *level)
            }
            Self::SystemStatus { .. }
            | Self::DeliveryStatus(_)
            | Self::Quarantines(_)
            | Self::Managed(_)
            | Self::Privileges(_)
            | Self::Reporting(_)
            | Self::TimeZone(_) => None,
        };
        level.map(|level| if level > 0.0 { Pace::Eased } else { Pace::Usual })
    }
}

/// One quarantine.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarantine {
    /// Its name; `spam` for the spam quarantine.
    pub name: String,
    /// The value of the label `type`: `spam`, or `pvo` for policy, virus and outbreak.
    pub kind: &'static str,
    /// Messages in it.
    pub messages: Count,
    /// Its size in bytes; none where the appliance does not report it.
    pub size: Option<f64>,
    /// Values that are no usable number.
    pub unusable: UnusableCounts,
}

impl Client {
    /// Asks for something about the appliance itself.
    ///
    /// # Errors
    /// Why there is no answer. A 401 has led to at most one new login by then; one of the status page to none.
    ///
    /// # Cancel safety
    /// As [`Client::fetch`].
    pub async fn observe(&self, aspect: &StatusKind) -> Result<Observation, Failure> {
        match aspect {
            StatusKind::Health => self.ask(Health::PATH, "", Health::parse).await.map(Observation::Health),
            StatusKind::SystemStatus => {
                let east = *self.seconds_east.lock().unwrap_or_else(PoisonError::into_inner);
                let mut status = self.ask_optional(SystemStatus::PATH, |body| SystemStatus::parse(body, east)).await?;
                status.serial = status.serial.filter(|_| self.serial);
                Ok(Observation::SystemStatus { status: Box::new(status), at: self.now() })
            }
            StatusKind::DeliveryStatus(_) => {
                let status = self.ask_optional(DeliveryStatus::PATH, DeliveryStatus::parse).await?;
                Ok(Observation::DeliveryStatus(status))
            }
            StatusKind::XmlStatus(url) => self.status(url).await,
            StatusKind::Quarantines(named) => self.quarantines(named.as_deref()).await.map(Observation::Quarantines),
            StatusKind::Managed => {
                let inventory = self.ask(Inventory::PATH, &Inventory::query(), Inventory::parse).await?;
                Ok(Observation::Managed(inventory.appliances))
            }
            StatusKind::Privileges => {
                let privileges = self.ask(Privileges::PATH, "", Privileges::parse).await?;
                Ok(Observation::Privileges(privileges.names.len()))
            }
            StatusKind::Reporting => {
                let now = self.now();
                // Whole hours, which every release takes.
                let end = Grid::HOURS.floor(now);
                let parameters = query::of_reporting(end - Duration::from_secs(3600), end, "esa", &Scope::Appliance);
                self.ask(ReportingStatus::PATH, &parameters, ReportingStatus::parse).await.map(Observation::Reporting)
            }
            StatusKind::TimeZone => {
                let time = self.ask(LocalTime::PATH, &LocalTime::query(self.product), LocalTime::parse).await?;
                if let Some(east) = time.seconds_east(self.now()) {
                    *self.seconds_east.lock().unwrap_or_else(PoisonError::into_inner) = Some(east);
                }
                Ok(Observation::TimeZone(time.timezone))
            }
        }
    }

    /// The status page, for which the password goes out. An account that is refused elsewhere is not tried here.
    async fn status(&self, page: &Url) -> Result<Observation, Failure> {
        let page = XmlStatus::url(page);
        self.connect().await?;
        let page_permit = self.session.page_permit(&page).await?;
        let (_, permit) = self.admitted().await?;
        self.session.page_begins(&page_permit).await?;
        let answer = self.transport.page(permit, "xml/status", page.clone(), &page_permit.header).await;
        let outcome = answer.and_then(|(body, at)| {
            let status = self.record_failure(XmlStatus::parse(&body, at))?;
            Ok(Observation::XmlStatus { status: Box::new(status), at })
        });
        self.session.page_ended(page_permit, &page, &outcome).await;
        outcome.map_err(|failure| match failure.reason {
            // The account is good elsewhere, or nothing would have been asked. The file may hold another password soon.
            Reason::Unauthorized | Reason::NotAllowed => {
                Failure { retry_after: Some(PASSWORD_CHECK_INTERVAL), ..failure.because(Reason::NotAllowed) }
            }
            _ => failure,
        })
    }

    async fn quarantines(&self, named: Option<&[String]>) -> Result<Vec<Quarantine>, Failure> {
        let mut names = match named {
            Some(names) => names.to_vec(),
            None => [vec![SPAM.to_owned()], self.quarantine_names().await?].concat(),
        };
        // An appliance may name one twice, or one `spam`.
        let mut known = BTreeSet::new();
        names.retain(|name| known.insert(name.clone()));
        names.truncate(MOST_QUARANTINES);
        let mut found = Vec::new();
        let mut first_failure = None;
        for name in names {
            match self.quarantine(&name).await {
                Ok(quarantine) => found.push(quarantine),
                // One that is off or not allowed costs no other.
                Err(failure) if failure.reason.is_refusal() => {
                    first_failure.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        match first_failure {
            Some(failure) if found.is_empty() => Err(failure),
            Some(_) | None => Ok(found),
        }
    }

    /// The policy, virus and outbreak quarantines that the appliance names, or those that all have.
    async fn quarantine_names(&self) -> Result<Vec<String>, Failure> {
        match self.ask(Quarantines::PATH, &Quarantines::query(self.product), Quarantines::parse).await {
            Ok(quarantines) => Ok(quarantines.names),
            Err(failure) if failure.reason.is_refusal() || failure.reason == Reason::Empty => {
                Ok(USUAL_QUARANTINES.map(str::to_owned).to_vec())
            }
            Err(failure) => Err(failure),
        }
    }

    async fn quarantine(&self, name: &str) -> Result<Quarantine, Failure> {
        let end = self.now();
        let (kind, parameters) = match name {
            SPAM => ("spam", QuarantineMessages::spam_query(end - LONGEST_STAY, end)),
            _ => ("pvo", QuarantineMessages::named_query(name, end - LONGEST_STAY, end)),
        };
        let messages = self.quarantine_messages(&parameters).await?;
        let size = match kind {
            "pvo" => self.quarantine_size(name).await,
            _ => QuarantineSize::default(),
        };
        let QuarantineSize { used_bytes, unusable } = size;
        Ok(Quarantine { name: name.to_owned(), kind, messages, size: used_bytes, unusable })
    }

    /// The number of messages in a quarantine: one request where the appliance reports the whole number. One full page
    /// of one row may be all there is, or the first page of many.
    async fn quarantine_messages(&self, parameters: &str) -> Result<Count, Failure> {
        let path = QuarantineMessages::PATH;
        match self.count(path, parameters, QuarantineMessages::SMALLEST_PAGE).await?.count {
            Count::AtLeast(_) => Ok(self.count(path, parameters, QuarantineMessages::PAGES).await?.count),
            exact @ Count::Exact(_) => Ok(exact),
        }
    }

    /// The space that a quarantine takes; only gateways tell it, and not all of them.
    async fn quarantine_size(&self, name: &str) -> QuarantineSize {
        let is_declined = self.product == Product::Sma || self.sizes_declined.load(Ordering::Relaxed);
        let Some(path) = QuarantineSize::path(name).filter(|_| !is_declined) else { return QuarantineSize::default() };
        match self.get_as(QuarantineSize::ENDPOINT, &path, &QuarantineSize::query()).await {
            Ok(answer) => self.record_failure(QuarantineSize::parse(answer.body())).unwrap_or_default(),
            Err(failure) => {
                if failure.reason.is_refusal() {
                    self.sizes_declined.store(true, Ordering::Relaxed);
                }
                QuarantineSize::default()
            }
        }
    }

    /// Asks for what an appliance may not have: that it has not is [`Reason::Declined`], whatever status says so.
    async fn ask_optional<T>(&self, path: &str, parse: impl Fn(&str) -> Result<T, Failure>) -> Result<T, Failure> {
        let answer = self.get_checked(path, path, "", Answer::checked_optional).await?;
        self.record_failure(parse(answer.body()))
    }

    async fn ask<T>(
        &self,
        path: &str,
        parameters: &str,
        parse: impl Fn(&str) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let answer = self.get(path, parameters).await?;
        self.record_failure(parse(answer.body()))
    }
}
