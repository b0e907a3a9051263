//! Web groups, which only an SMA has. **Source:** the WSA 12.5 API addendum for their names and the attributes they
//! take, the SMA 13.0 guide for `blocked_malware` by client. Their counters are not published: the others are assumed,
//! and so is which group has which.

use crate::sim::keyed::key::{self as k, pool};
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Column, KeyPool, KeyedGroup, Part, VERDICTS, Value, group, sum, text};
use crate::sim::scalar::{Contents, Counter, ScalarGroup, sum as scalar};
use crate::sim::traffic::DeviceMinute;

/// Attributes that a web group does not take. **Source:** the matrix of the addendum.
pub(in crate::sim) struct WebLimits {
    /// Neither order nor `top`: so it is taken to be scalar.
    pub(in crate::sim) unranked: bool,
    pub(in crate::sim) unfiltered: bool,
    /// Not by device; it is always about all of them.
    pub(in crate::sim) undivided: bool,
}

/// Attributes that the web group of this name does not take; `None` when there is no such group.
pub(in crate::sim) fn limits(name: &str) -> Option<WebLimits> {
    const UNFILTERED: [&str; 6] = [
        "web_amp_detail_by_filename",
        "web_amp_file_analysis_by_filename",
        "web_malware_category",
        "web_port_detail",
        "web_wbrs_score_detail",
        "web_wbrs_threat_type_detail",
    ];
    const DIVIDED: [&str; 5] = [
        "web_application_type_detail",
        "web_malware_category",
        "web_services_summary",
        "web_user_detail",
        "web_webcat_detail",
    ];
    let unranked = SCALAR.iter().any(|group| group.name == name);
    let known = unranked || KEYED.iter().any(|group| group.name == name);
    let unfiltered = unranked || UNFILTERED.contains(&name);
    known.then(|| WebLimits { unranked, unfiltered, undivided: !DIVIDED.contains(&name) })
}

const ALLOWED: Part = p::events(401, 20_000);
const CATEGORY_BLOCKED: Part = p::events(402, 400);
const CATEGORY_WARNED: Part = p::events(403, 120);
const APPLICATION_BLOCKED: Part = p::events(404, 90);
const WBRS_BLOCKED: Part = p::events(405, 300);
const MALWARE_BLOCKED: Part = p::events(406, 40);
const MALWARE_MONITORED: Part = p::events(407, 15);
const AMP_BLOCKED: Part = p::events(408, 8);
const AMP_MONITORED: Part = p::events(409, 5);
const POLICY_BLOCKED: Part = p::events(410, 60);
const L4_BLOCKED: Part = p::events(411, 25);
const L4_MONITORED: Part = p::events(412, 70);
const SOCKS_ALLOWED: Part = p::events(413, 150);
const SOCKS_BLOCKED: Part = p::events(414, 9);
const VERDICTS_CHANGED: Part = p::events(415, 12);
const AMP_DETECTED: &[Part] = &[AMP_BLOCKED, AMP_MONITORED];
const MALWARE_DETECTED: &[Part] = &[MALWARE_BLOCKED, MALWARE_MONITORED];
const L4_DETECTED: &[Part] = &[L4_BLOCKED, L4_MONITORED];
const SOCKS_ALL: &[Part] = &[SOCKS_ALLOWED, SOCKS_BLOCKED];
/// In bytes: 30 kB for each transaction that was allowed.
const BANDWIDTH: Part = p::of(190, |m| ALLOWED.at(m) * 30_000);

/// Transactions that were not allowed.
const HIGH_RISK: &[Part] =
    &[CATEGORY_BLOCKED, APPLICATION_BLOCKED, WBRS_BLOCKED, MALWARE_BLOCKED, AMP_BLOCKED, POLICY_BLOCKED];
/// Every transaction; a warning does not count apart.
const ALL: &[Part] =
    &[ALLOWED, CATEGORY_BLOCKED, APPLICATION_BLOCKED, WBRS_BLOCKED, MALWARE_BLOCKED, AMP_BLOCKED, POLICY_BLOCKED];

fn high_risk(m: &DeviceMinute) -> u64 {
    HIGH_RISK.iter().map(|part| part.at(m)).sum()
}

/// Every transaction of a minute.
pub(in crate::sim) fn transactions(m: &DeviceMinute) -> u64 {
    ALLOWED.at(m) + high_risk(m)
}

const TRAFFIC: &[Column] = &[
    sum("bandwidth_used", &[BANDWIDTH]),
    sum("blocked_transaction_total", HIGH_RISK),
    sum("completed_transaction_total", &[ALLOWED]),
    sum("transaction_total", ALL),
];
const USERS: &[Column] = &[
    sum("bandwidth_used", &[BANDWIDTH]),
    sum("blocked_malware", &[MALWARE_BLOCKED]),
    sum("blocked_transaction_total", HIGH_RISK),
    sum("completed_transaction_total", &[ALLOWED]),
    sum("transaction_total", ALL),
];
const MALWARE_FOUND: &[Column] = &[
    sum("blocked_malware", &[MALWARE_BLOCKED]),
    sum("detected_malware_total", MALWARE_DETECTED),
    sum("monitored_malware", &[MALWARE_MONITORED]),
];
const FILES: &[Column] = &[
    sum("blocked_by_amp", &[AMP_BLOCKED]),
    sum("detected_by_amp", AMP_DETECTED),
    text("threat_name", Value::OneOf(&["W32.Generic", "Doc.Dropper.Macro"])),
];
const FILE_ANALYSIS: &[Column] = &[
    text("completed_timestamp", Value::Time),
    text("interim_verdict", Value::OneOf(VERDICTS)),
    text("score", Value::Score),
    text("status", Value::OneOf(&["complete", "pending"])),
];
const VERDICT_UPDATE: &[Column] =
    &[text("old_disposition", Value::OneOf(VERDICTS)), text("timestamped_tuple", Value::Time)];
const LAYER_4: &[Column] = &[
    sum("blocked_traffic", &[L4_BLOCKED]),
    sum("detected_by_traffic_monitor", L4_DETECTED),
    sum("monitored_traffic", &[L4_MONITORED]),
];
const SCORES: &[Column] = &[
    sum("allowed_transaction_total", &[ALLOWED]),
    sum("blocked_by_wbrs", &[WBRS_BLOCKED]),
    sum("transaction_total", ALL),
];
const THREATS: &[Column] = &[sum("blocked_by_wbrs", &[WBRS_BLOCKED])];
const SOCKS: &[Column] = &[
    sum("allowed_transaction_total", &[SOCKS_ALLOWED]),
    sum("blocked_transaction_total", &[SOCKS_BLOCKED]),
    sum("transaction_total", SOCKS_ALL),
];

/// The groups without keys.
pub(in crate::sim) const SCALAR: &[ScalarGroup] = &[
    ScalarGroup { name: "web_amp_detail_summary", contents: Contents::Numbers(&AMP_DETAIL_SUMMARY) },
    ScalarGroup { name: "web_amp_summary", contents: Contents::Numbers(&AMP_SUMMARY) },
    ScalarGroup { name: "web_services_summary", contents: Contents::Numbers(&SERVICES_SUMMARY) },
];

const AMP_DETAIL_SUMMARY: [Counter; 2] = [
    scalar("detected_by_amp", |m| AMP_BLOCKED.at(m) + AMP_MONITORED.at(m)),
    scalar("verdict_updates", |m| VERDICTS_CHANGED.at(m)),
];

const AMP_SUMMARY: [Counter; 3] = [
    scalar("blocked_by_amp", |m| AMP_BLOCKED.at(m)),
    scalar("detected_by_amp", |m| AMP_BLOCKED.at(m) + AMP_MONITORED.at(m)),
    scalar("monitored_by_amp", |m| AMP_MONITORED.at(m)),
];

const SERVICES_SUMMARY: [Counter; 10] = [
    scalar("allowed_transaction_total", |m| ALLOWED.at(m)),
    scalar("blocked_by_admin_policy", |m| POLICY_BLOCKED.at(m)),
    scalar("blocked_by_avc", |m| APPLICATION_BLOCKED.at(m)),
    scalar("blocked_by_wbrs", |m| WBRS_BLOCKED.at(m)),
    scalar("blocked_or_warned_by_webcat", |m| CATEGORY_BLOCKED.at(m) + CATEGORY_WARNED.at(m)),
    scalar("detected_by_amp", |m| AMP_BLOCKED.at(m) + AMP_MONITORED.at(m)),
    scalar("detected_by_traffic_monitor", |m| L4_BLOCKED.at(m) + L4_MONITORED.at(m)),
    scalar("detected_malware_total", |m| MALWARE_BLOCKED.at(m) + MALWARE_MONITORED.at(m)),
    scalar("high_risk_transaction_total", high_risk),
    scalar("transaction_total", transactions),
];

const CATEGORY: KeyPool = k::URL_CATEGORY;
const DOMAIN: KeyPool = k::URL_DOMAIN;
const CLIENT: KeyPool = pool(&[
    "192.0.2.50",
    "192.0.2.51",
    "EXAMPLE\\alice",
    "EXAMPLE\\bob",
    "198.51.100.8",
    "guest",
    "EXAMPLE\\o'heidi",
    "2001:db8::50",
    "rare user",
]);
const APPLICATION: KeyPool = pool(&["YouTube", "Facebook General", "Webex", "Dropbox", "BitTorrent", "Rare & Obscure"]);
const APPLICATION_TYPE: KeyPool = pool(&["Media", "Facebook", "Collaboration", "File Sharing", "Peer To Peer"]);
const BEHAVIOUR: KeyPool = pool(&["Upload", "Download", "Posting Text", "Video Chat"]);
const MALWARE: KeyPool = pool(&["Trojan.Generic", "Adware.Bundler", "Phish.Login", "Worm.Rare"]);
const MALWARE_CATEGORY: KeyPool = pool(&["Adware", "Trojan Horse", "Phishing URL", "Other Malware", "Worm"]);
const THREAT_TYPE: KeyPool = pool(&["Phishing", "Malware", "Otherwise Malicious", "Adware"]);
const SCORE: KeyPool = pool(&["6.0 to 10.0", "0.1 to 5.9", "No Score", "-5.9 to -0.1", "-10.0 to -6.0"]);
const PORT: KeyPool = pool(&["443", "80", "22", "6667", "31337"]);
const HOST: KeyPool = pool(&["203.0.113.80", "example.com", "bad.example", "198.51.100.80", "rare.example"]);
const POLICY: KeyPool = pool(&["DefaultGroup", "Guests", "Finance & Legal", "Kiosks"]);
const FILE_NAME: KeyPool = pool(&["setup.exe", "invoice.pdf", "photo (1).zip", "日本.docx"]);

/// The keyed groups, in the order of their names.
pub(in crate::sim) const KEYED: &[KeyedGroup] = &[
    group("domains", DOMAIN, ALL, TRAFFIC),
    group("policy_by_user", POLICY, ALL, TRAFFIC),
    group("users_by_app", CLIENT, ALL, TRAFFIC),
    group("users_by_app_type", CLIENT, ALL, TRAFFIC),
    group("users_by_category", CLIENT, ALL, TRAFFIC),
    group("web_amp_detail_by_filename", k::FILE, AMP_DETECTED, FILES),
    group("web_amp_file_analysis_by_filename", k::FILE, AMP_DETECTED, FILE_ANALYSIS),
    group("web_amp_reputation_update", k::FILE, &[VERDICTS_CHANGED], VERDICT_UPDATE),
    group("web_application_name_application_behavior_detail", BEHAVIOUR, ALL, TRAFFIC),
    group("web_application_name_application_type_detail", APPLICATION, ALL, TRAFFIC),
    group("web_application_name_detail", APPLICATION, ALL, TRAFFIC),
    group("web_application_type_application_name_detail", APPLICATION, ALL, TRAFFIC),
    group("web_application_type_detail", APPLICATION_TYPE, ALL, TRAFFIC),
    group("web_filenames_by_sha", FILE_NAME, AMP_DETECTED, FILES),
    group("web_host_by_traffic_monitor", HOST, L4_DETECTED, LAYER_4),
    group("web_malware_category", MALWARE_CATEGORY, MALWARE_DETECTED, MALWARE_FOUND),
    group("web_malware_category_malware_name_detail", MALWARE, MALWARE_DETECTED, MALWARE_FOUND),
    group("web_malware_category_malware_name_user_detail", CLIENT, MALWARE_DETECTED, MALWARE_FOUND),
    group("web_malware_name_malware_category_detail", MALWARE, MALWARE_DETECTED, MALWARE_FOUND),
    group("web_port_detail", PORT, L4_DETECTED, LAYER_4),
    group("web_socks_destinations", HOST, SOCKS_ALL, SOCKS),
    group("web_socks_users", CLIENT, SOCKS_ALL, SOCKS),
    group("web_user_amp_detail", k::FILE, AMP_DETECTED, FILES),
    group("web_user_application_detail", APPLICATION, ALL, TRAFFIC),
    group("web_user_by_traffic_monitor", CLIENT, L4_DETECTED, LAYER_4),
    group("web_user_detail", CLIENT, ALL, USERS),
    group("web_user_malware_name_malware_category_detail", MALWARE, MALWARE_DETECTED, MALWARE_FOUND),
    group("web_user_webcat_detail", CATEGORY, ALL, TRAFFIC),
    group("web_users_by_sha_detail", CLIENT, AMP_DETECTED, FILES),
    group("web_wbrs_score_detail", SCORE, ALL, SCORES),
    group("web_wbrs_threat_type_detail", THREAT_TYPE, &[WBRS_BLOCKED], THREATS),
    group("web_webcat_detail", CATEGORY, ALL, TRAFFIC),
];
