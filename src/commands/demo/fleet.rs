//! The fleet of `demo`: simulated appliances, their faults, and the configuration that polls them. Knows nothing of how
//! the exporter is run.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::json;

use crate::catalogue::{self, Profile};
use crate::sim::{self, Fault, FaultBody, Feature, On, TimeRemaining};

/// Whether all appliances of the fleet are well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// They are: no alert fires.
    Healthy,
    /// Those of [`TROUBLES`] are there too.
    Troubled,
}

impl Condition {
    /// The faults of the fleet.
    #[must_use]
    pub const fn troubles(self) -> &'static [Trouble] {
        match self {
            Self::Healthy => &[],
            Self::Troubled => &TROUBLES,
        }
    }
}

/// A fault of one appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The name of the appliance in the configuration.
    pub appliance: &'static str,
    /// The fault in a few words.
    pub cause: &'static str,
    /// The alerts that fire because of it, within two hours.
    pub alerts: &'static [&'static str],
}

/// The faults, one appliance each, so that every alert has one cause.
pub const TROUBLES: [Trouble; 4] = [
    Trouble {
        appliance: "esa6",
        cause: "feature keys expire, data leak, viruses are delivered, and delivered mail turned out to be malicious",
        alerts: &[
            "AsyncosDlpCritical",
            "AsyncosLicenceExpired",
            "AsyncosLicenceExpiring",
            "AsyncosMaliciousAttachmentDelivered",
            "AsyncosRetrospectiveVerdict",
        ],
    },
    Trouble {
        appliance: "esa7",
        cause: "the work queue is paused and the queue is full, so it accepts no mail",
        alerts: &[
            "AsyncosQueueSpaceFull",
            "AsyncosRefusingMail",
            "AsyncosWorkQueueBacklog",
            "AsyncosWorkQueueImbalance",
        ],
    },
    Trouble {
        appliance: "esa8",
        cause: "its API answers nothing but 503",
        alerts: &["AsyncosApplianceUnreachable", "AsyncosRequestsFailing"],
    },
    Trouble {
        appliance: "esa9",
        cause: "it refuses the password, and logins have stopped before the account is locked",
        alerts: &[
            "AsyncosApplianceUnreachable",
            "AsyncosLoginBlocked",
            "AsyncosLoginRefused",
            "AsyncosRequestsFailing",
        ],
    },
];

/// ESAs that report for themselves.
const LOCAL: [&str; 2] = ["esa1.healthy.example.com", HOUR_ONLY];
/// An ESA of a release that accepts whole hours only.
const HOUR_ONLY: &str = "esa2.healthy.example.com";
/// An ESA in centralized mode: it is polled for its health and capacity, the SMA for its mail.
const CENTRALIZED: &str = "esa3.healthy.example.com";
const SMA: &str = "sma1.healthy.example.com";
/// The device groups of the SMA. No other appliance reports the mail of their devices, so every mail is counted once.
const DEVICE_GROUPS: [(&str, &[&str]); 2] =
    [("europe", &[CENTRALIZED, "esa4.healthy.example.com"]), ("americas", &["esa5.healthy.example.com"])];
/// The report that an ESA in centralized mode keeps. The SMA is not polled for it, or its messages would count twice.
const CAPACITY: &str = "mail_system_capacity";

/// The running appliances.
pub struct Fleet(Vec<Member>);

struct Member {
    appliance: sim::Appliance,
    entry: String,
}

impl Fleet {
    /// Starts the appliances on free ports: the ESAs, the SMA, those with faults.
    ///
    /// # Errors
    /// There is no free port.
    pub async fn start(condition: Condition, now: &sim::Now) -> std::io::Result<Self> {
        let mut members = Vec::new();
        for (settings, rest) in healthy() {
            members.push(Member::start(settings, &rest, now).await?);
        }
        for trouble in condition.troubles() {
            let mut settings = well(sim::Settings::esa(&format!("{}{}", trouble.appliance, sim::HEALTHY_DOMAIN)));
            let faults = spoil(trouble.appliance, &mut settings);
            let member = Member::start(settings, LOCAL_POLLING, now).await?;
            for (fault, on) in faults {
                member.appliance.inject(fault, on);
            }
            members.push(member);
        }
        Ok(Self(members))
    }

    /// The configuration that an operator would write for this fleet. The short windows and the short history make the page live at once.
    #[must_use]
    pub fn configuration(&self) -> String {
        let entries: String = self.0.iter().map(|member| &*member.entry).collect();
        format!(
            "defaults: {{window: 1m, start: 30m}}\n\
             tracking_searches: [{{name: ceo_spoofed, filters: {{envelope_sender: {{operator: contains, value: ceo@}}}}}}]\n\
             detections: {{window: 5m, internal_domains: [example.com]}}\n\
             appliances:\n{entries}"
        )
    }

    /// In the order of the configuration.
    pub fn appliances(&self) -> impl Iterator<Item = &sim::Appliance> {
        self.0.iter().map(|member| &member.appliance)
    }

    /// Ends them all.
    pub async fn stop(self) {
        for Member { appliance, .. } in &self.0 {
            appliance.stop().await;
        }
    }
}

impl Member {
    /// Starts the appliance; `rest` ends its entry in the configuration, which has the password that a healthy appliance
    /// accepts.
    async fn start(settings: sim::Settings, rest: &str, now: &sim::Now) -> std::io::Result<Self> {
        let name = settings.name.trim_end_matches(sim::HEALTHY_DOMAIN).to_owned();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let appliance = sim::Appliance::start(settings, anywhere, now.clone()).await?;
        let (url, sim::Settings { username, passphrase, .. }) = (appliance.url(), sim::Settings::esa(&name));
        let entry =
            format!("  - {{name: {name}, url: '{url}', username: {username}, password: {passphrase}, {rest}}}\n");
        Ok(Self { appliance, entry })
    }
}

/// The polling of an ESA with local reports.
const LOCAL_POLLING: &str = "xml_status: true, polling: {settle: 10s}";

/// The healthy appliances, each with the rest of its entry in the configuration. The SMA takes more requests a minute than
/// a real one should, because each of its reports comes for six scopes.
fn healthy() -> Vec<(sim::Settings, String)> {
    let mut centralized = well(sim::Settings::esa(CENTRALIZED));
    centralized.behaviour.centralized = sim::Centralized::Zeros;
    let mut local = LOCAL.map(|name| well(sim::Settings::esa(name)));
    for settings in local.iter_mut().filter(|settings| settings.name == HOUR_ONLY) {
        settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].to_owned());
    }
    let sma = sim::Settings::sma(SMA).with_web_group("proxies", &["wsa1.example.com"]);
    let sma = DEVICE_GROUPS.iter().fold(sma, |sma, (name, devices)| sma.with_group(name, devices));
    let list = |names: Vec<&str>| names.join(", ");
    let reports = catalogue::profile(Profile::Default).map(|group| &*group.name).filter(|name| *name != CAPACITY);
    let of_sma = format!(
        "product: sma, device_groups: [{}], devices: [{}], counter_groups: [{}, {{name: mail_incoming_domain_detail, \
         top: 5}}, {{name: web_user_detail, top: 5}}], polling: {{settle: 20m, requests_per_minute: 6000}}",
        list(DEVICE_GROUPS.iter().map(|(name, _)| *name).collect()),
        list(DEVICE_GROUPS.iter().flat_map(|(_, devices)| *devices).copied().collect()),
        list(reports.collect()),
    );
    let of_centralized =
        format!("{LOCAL_POLLING}, counter_groups: [{CAPACITY}], tracking_searches: [], detections: false");
    let local = local.map(|settings| (settings, LOCAL_POLLING.to_owned()));
    local.into_iter().chain([(centralized, of_centralized), (sma, of_sma)]).collect()
}

/// An ESA whose feature keys last.
fn well(mut settings: sim::Settings) -> sim::Settings {
    const DAY: i64 = 86_400;
    settings.behaviour.features = vec![
        Feature::new("Sophos", TimeRemaining::AfterStart(300 * DAY)),
        Feature::new("IronPort Anti-Spam", TimeRemaining::AfterStart(200 * DAY)),
        Feature::new("Outbreak Filters", TimeRemaining::AfterStart(200 * DAY)),
        Feature::new("Bounce Verification", TimeRemaining::DormantOrPerpetual),
    ];
    settings
}

/// Makes the appliance of that name sick as [`TROUBLES`] has it; what it cannot be from the start are faults.
fn spoil(name: &str, settings: &mut sim::Settings) -> Vec<(Fault, On)> {
    const DAY: i64 = 86_400;
    let behaviour = &mut settings.behaviour;
    match name {
        "esa6" => {
            behaviour.features = vec![
                Feature::new("Sophos", TimeRemaining::AfterStart(20 * DAY)),
                Feature::new("IronPort Anti-Spam", TimeRemaining::AfterStart(2 * DAY)),
            ];
            behaviour.injections =
                vec![sim::Injection { mail: sim::InjectedMail::MaliciousAttachment, since: 0, per_minute: 1 }];
            let counted = |group: &str, counter: &str| (Fault::SetCounter(counter.into(), json!(1)), On::group(group));
            vec![
                counted("mail_dlp_outgoing_traffic_summary", "dlp_incidents_critical"),
                counted("mail_incoming_traffic_summary", "total_mailbox_auto_remediated_recipients"),
            ]
        }
        "esa7" => {
            behaviour.work_queue = Some(20_000);
            behaviour.resource_conservation = 999;
            Vec::new()
        }
        "esa8" => vec![(Fault::Status { code: 503, body: FaultBody::Html, retry_after: None }, On::every())],
        "esa9" => {
            "another".clone_into(&mut settings.passphrase);
            Vec::new()
        }
        _ => Vec::new(),
    }
}
