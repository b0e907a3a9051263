//! The words that a bundle keeps: what the vendor or this program named, and nothing that a customer did. Every other
//! text is replaced, so that a word that is missing here costs a name and never a secret.

use std::collections::HashSet;

use crate::api::{DeliveryStatus, SystemStatus};
use crate::catalogue::detections::{CANARY, detections};
use crate::catalogue::tracking::{ValueKind, filters};
use crate::catalogue::{self, Group};

/// Parts of paths, parameters, fields of answers and their usual values, one a word.
const WORDS: &str = "
    esa sma wsa api v2.0 reporting config health login two_factor privileges xml status quarantine messages
    message-tracking appliances quarantines local_quarantines system_time ng-login euq-login centralized_services
    device_type device_group_name device_name startDate endDate query_type orderBy orderDir offset limit top filterBy
    filterValue filterOperator duration asc desc export graph begins_with contains is
    searchOption rejected_connections ciscoHost All_Hosts quarantineType quarantine_type pvo spam
    envelopeRecipientFilterOperator envelopeRecipientFilterValue originatingEsaIp subjectFilterBy subjectFilterValue
    meta data totalCount num_bad_records type resultSet key value error message code explanation
    counter_names time_intervals begin_time end_time begin_timestamp end_timestamp keys counter_values ip_domain
    heartbeat centralized_reporting_enabled uri resource methods
    GET POST PUT DELETE HEAD OPTIONS
    product_type pvo_enabled connection_established tracking_enabled reporting_enabled host_name spam_enabled ip_address
    ESA SMA WSA timezone continent time America Europe Asia
    userName is2FactorRedirectRequired role email jwtToken Administrator Operator
    attributes envelopeRecipient toAddress fromAddress subject date size mid icid hostName timestamp senderIp senderGroup
    sbrs serialNumber direction sender senderDomain recipient mailPolicy messageStatus isCompleteData verdictChart
    incoming outgoing inbound outbound DELIVERED DROPPED ABORTED BOUNCED QUARANTINED PROCESSING
    None N/A null true false True False online offline suspended suspend receiving delivery
    received scheduledExit esaHostName esaMid inQuarantines numberOfMessages quarantineForReason
    quarantineForReasonDict quarantineName reason totalSize averageMessageSize policyName ruleId threatType
    quarantine_automatic_action quarantine_created_by quarantine_created_on quarantine_custom_roles quarantine_groups
    quarantine_name quarantine_normal_actions quarantine_overflow_actions quarantine_retention_period
    quarantine_retention_units quarantine_size_used quarantine_users hours days delete release
    policy virus outbreak unclassified
    space_used num_messages used_space name retention_period default_action
    DEFAULT UNKNOWNLIST ACCEPTLIST ALLOWED_LIST WHITELIST RELAYLIST SUSPECTLIST BLOCKED_LIST BLACKLIST BLOCKLIST THROTTLED
    Neutral Questionable Untrusted Favorable Trusted Unknown Unscannable Spam Malware Phishing Spoofed Phish Scam Virus
    Outbreak Policy Unclassified Uncategorized
    percentage_ram_utilization percentage_diskio resource_conservation percentage_cpu_load percentage_swap_utilization
    percentage_queue_utilization messages_in_workqueue messages_in_pvo_quarantines
    build hostname birth_time last_counter_reset system oldest_message secs features feature time_remaining counters
    counter reset uptime lifetime current_ids message_id injection_conn_id delivery_conn_id rates rate last_1_min
    last_5_min last_15_min gauges gauge current version encoding standalone yes no
    1.0 ISO-8859-1 UTF-8 utf-8
    inj_msgs inj_recips gen_bounce_recips rejected_recips dropped_msgs soft_bounced_evts completed_recips
    hard_bounced_recips dns_hard_bounced_recips 5xx_hard_bounced_recips filter_hard_bounced_recips
    expired_hard_bounced_recips other_hard_bounced_recips delivered_recips deleted_recips global_unsub_hits
    ram_utilization total_utilization cpu_utilization av_utilization case_utilization bm_utilization disk_utilization
    log_used log_available conn_in conn_out active_recips unattempted_recips attempted_recips msgs_in_work_queue
    dests_in_memory kbytes_used kbytes_free msgs_in_policy_virus_outbreak_quarantine
    kbytes_in_policy_virus_outbreak_quarantine reporting_utilization quarantine_utilization
    mail_system_status version_details messages_received_rate_one
    Active Up Down Unknown UP DOWN UNKNOWN Online Offline Suspended Optimal Degraded
    127.0.0.1 0.0.0.0 localhost
";

/// Texts of several words.
const PHRASES: &[&str] = &[
    "",
    " ",
    "unknown domain",
    "No network owner information",
    "Unknown Region",
    "Newly Seen Domain",
    "Dormant/Perpetual",
    "IronPort Anti-Spam",
    "Sophos Anti-Virus",
    "Sophos",
    "McAfee",
    "Outbreak Filters",
    "IronPort Email Encryption",
    "Incoming Mail Handling",
    "External Threat Feeds",
    "File Reputation",
    "File Analysis",
    "Bounce Verification",
    "Graymail Safe Unsubscription",
    "Intelligent Multi-Scan",
    "Data Loss Prevention",
    "RSA Email Data Loss Prevention",
    "Cloudmark SP",
    "Image Analysis",
    "Centralized Management",
];

/// Messages of appliances and of the server library in front of their API. Their words are kept in other messages too.
const MESSAGES: &str = "
    Unauthorized. Invalid username or passphrase. ExpiredSignatureError. InvalidTokenError. DecodeError.
    InvalidSignatureError. Not Found. Missing attribute - device_type. Missing attribute - startDate or endDate.
    duration attribute supports only 00 minutes.. startDate and endDate attribute supports only 00 seconds and 000
    microseconds. Invalid value for attribute - mid or icid. Unsupported attribute. Invalid credentials. Unexpected
    attribute - User not authorized. Token has expired. The session is not valid. Missing jwtToken. Operation not
    supported in the current cluster mode. for the parameter the report has expired. no data available on this appliance
    internal error server temporarily unavailable try again later too many requests timed out service busy disk full
    locked account disabled license feature key is not enabled centralized reporting
    401 = No permission -- see authorization schemes. 404 = Nothing matches the given URI. 400 = Bad request syntax or
    unsupported method. 403 = Request forbidden -- authorization will not help. 500 = Server got itself in trouble. 501 =
    Server does not support this operation. 503 = The server cannot process the request due to a high load. 405 =
    Specified method is invalid for this server. 408 = Request timed out; try again later. 502 = Invalid responses from
    another server/proxy. 504 = The gateway server did not receive a timely response
";

/// The words of a bundle that are kept.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    /// Whole texts.
    texts: HashSet<String>,
    /// Parts of names of counters and counter groups.
    parts: HashSet<String>,
    /// Words of messages, in lower case, without punctuation.
    words: HashSet<String>,
}

impl Vocabulary {
    /// The vocabulary of the catalogue and of the `custom` groups of a configuration, which are reports of the vendor.
    pub(super) fn new(custom: &[Group]) -> Self {
        let mut texts: HashSet<String> =
            WORDS.split_whitespace().chain(PHRASES.iter().copied()).map(str::to_owned).collect();
        texts.extend(SystemStatus::FIELDS.iter().chain(DeliveryStatus::FIELDS).map(|name| (*name).to_owned()));
        texts.extend(
            [SystemStatus::PATH, DeliveryStatus::PATH].into_iter().flat_map(|path| path.split('/')).map(str::to_owned),
        );
        let mut parts = HashSet::new();
        let of_catalogue: Vec<&Group> = catalogue::groups().collect();
        for group in of_catalogue.into_iter().chain(custom) {
            let names = std::iter::once(&group.name).chain(group.counters.iter().map(|counter| &counter.name));
            for name in names {
                texts.insert(name.to_string());
                parts.extend(name.split('_').map(str::to_owned));
            }
        }
        for filter in filters() {
            let words = match filter.value_kind {
                ValueKind::OneOf(words) => words,
                ValueKind::Comparison | ValueKind::Flag | ValueKind::Text => &[],
            };
            texts.extend(words.iter().map(|word| (*word).to_owned()));
            texts.extend(["", "Operator", "Value"].map(|end| format!("{}{end}", filter.api_name())));
        }
        texts.extend(detections().iter().map(|detection| detection.name.to_owned()).chain([CANARY.to_owned()]));
        parts.extend(WORDS.split_whitespace().flat_map(|word| word.split('_')).map(str::to_owned));
        parts.retain(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        let words = MESSAGES.split_whitespace().map(|word| bare(word).to_ascii_lowercase()).collect();
        Self { texts, parts, words }
    }

    /// Whether `text` as a whole is kept.
    pub(super) fn has(&self, text: &str) -> bool {
        self.texts.contains(text)
    }

    /// Whether `name` is a name of the vendor's kind, such as `detected_spam_certain`: a counter that a newer release has.
    pub(super) fn may_be_counter(&self, name: &str) -> bool {
        !name.is_empty() && name.split('_').all(|part| self.parts.contains(part))
    }

    /// Whether `word` of a message is kept.
    pub(super) fn has_word(&self, word: &str) -> bool {
        word.is_empty() || self.words.contains(&word.to_ascii_lowercase()) || (word.contains('_') && self.has(word))
    }
}

/// `word` without the punctuation around it.
pub(super) fn bare(word: &str) -> &str {
    word.trim_matches(|letter: char| letter.is_ascii_punctuation())
}
