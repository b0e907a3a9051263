//! The counter groups this appliance has, with the counters as the API spells them and where each number comes from.
//! Groups of scalars; for the others see [`keyed`](super::keyed).
//! **Source:** the Swagger client kribsi/esa_python; counters it lacks are those of recorded answers and clients.

use crate::sim::traffic::{self as t, Cpu, DeviceMinute};

/// A counter group.
pub(super) struct ScalarGroup {
    pub(super) name: &'static str,
    pub(super) contents: Contents,
}

/// The contents of a group.
pub(super) enum Contents {
    /// One number per counter.
    Numbers(&'static [Counter]),
    /// Texts about the reporting system itself.
    ReportingSystem(&'static [&'static str]),
}

/// A counter with a number.
pub(super) struct Counter {
    pub(super) name: &'static str,
    pub(super) merge: Merge,
    /// The value of one minute; hundredths when it is a mean.
    pub(super) at: fn(&DeviceMinute) -> u64,
}

/// Rule that makes one value of many minutes and devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    Sum,
    Mean,
    Max,
}

const fn group(name: &'static str, counters: &'static [Counter]) -> ScalarGroup {
    ScalarGroup { name, contents: Contents::Numbers(counters) }
}

/// A counter of events.
pub(super) const fn sum(name: &'static str, at: fn(&DeviceMinute) -> u64) -> Counter {
    Counter { name, merge: Merge::Sum, at }
}

const fn mean(name: &'static str, at: fn(&DeviceMinute) -> u64) -> Counter {
    Counter { name, merge: Merge::Mean, at }
}

const fn max(name: &'static str, at: fn(&DeviceMinute) -> u64) -> Counter {
    Counter { name, merge: Merge::Max, at }
}

/// Every mail group.
pub(super) const GROUPS: &[ScalarGroup] = &[
    group("advanced_phishing_protection_summary", &ADVANCED_PHISHING_PROTECTION_SUMMARY),
    group("mail_amp_threat_summary", &MAIL_AMP_THREAT_SUMMARY),
    group("mail_authentication_summary", &MAIL_AUTHENTICATION_SUMMARY),
    group("mail_dlp_outgoing_traffic_summary", &MAIL_DLP_OUTGOING_TRAFFIC_SUMMARY),
    group("mail_incoming_amp_summary", &MAIL_INCOMING_AMP_SUMMARY),
    group("mail_incoming_malware_threat_file_detail_summary", &MAIL_INCOMING_MALWARE_THREAT_FILE_DETAIL_SUMMARY),
    group("mail_incoming_traffic_summary", &MAIL_INCOMING_TRAFFIC_SUMMARY),
    group("mail_mar_summary", &MAIL_MAR_SUMMARY),
    group("mail_mor_summary", &MAIL_MOR_SUMMARY),
    group("mail_outgoing_amp_summary", &MAIL_OUTGOING_AMP_SUMMARY),
    group("mail_outgoing_malware_threat_file_detail_summary", &MAIL_OUTGOING_MALWARE_THREAT_FILE_DETAIL_SUMMARY),
    group("mail_outgoing_traffic_summary", &MAIL_OUTGOING_TRAFFIC_SUMMARY),
    group("mail_security_summary", &MAIL_SECURITY_SUMMARY),
    group("mail_sender_domain_reputation", &MAIL_SENDER_DOMAIN_REPUTATION),
    group("mail_sender_group_summary", &MAIL_SENDER_GROUP_SUMMARY),
    group("mail_system_capacity", &MAIL_SYSTEM_CAPACITY),
    group("mail_threatfeeds_indicator_summary", &MAIL_THREATFEEDS_INDICATOR_SUMMARY),
    group("mail_vof_specific_threat_summary", &MAIL_VOF_SPECIFIC_THREAT_SUMMARY),
    ScalarGroup { name: "reporting_system", contents: Contents::ReportingSystem(&REPORTING_SYSTEM) },
];

const ADVANCED_PHISHING_PROTECTION_SUMMARY: [Counter; 2] =
    [sum("failure", |m| m.count(t::PHISHING_FAILED)), sum("success", |m| m.count(t::PHISHING_SENT))];

const MAIL_AMP_THREAT_SUMMARY: [Counter; 2] =
    [sum("incoming_malicious", |m| m.files_in()[4]), sum("outgoing_malicious", |m| m.files_out()[4])];

const MAIL_AUTHENTICATION_SUMMARY: [Counter; 9] = [
    sum("received_auth", |m| m.authenticated()[0]),
    sum("received_conn_auth_fail", |m| m.authentication()[0]),
    sum("received_conn_auth_success", |m| m.authentication()[1]),
    sum("received_conn_cert_fail", |m| m.authentication()[2]),
    sum("received_conn_cert_success", |m| m.authentication()[3]),
    sum("received_conn_noauth", |m| m.authentication()[4]),
    sum("received_conn_total", DeviceMinute::connections_in),
    sum("received_noauth", |m| m.authenticated()[1]),
    sum("received_total", DeviceMinute::messages_in),
];

const MAIL_DLP_OUTGOING_TRAFFIC_SUMMARY: [Counter; 5] = [
    sum("dlp_incidents_critical", |m| m.count(t::DLP_CRITICAL)),
    sum("dlp_incidents_high", |m| m.count(t::DLP_HIGH)),
    sum("dlp_incidents_low", |m| m.count(t::DLP_LOW)),
    sum("dlp_incidents_medium", |m| m.count(t::DLP_MEDIUM)),
    sum("total_dlp_incidents", DeviceMinute::dlp),
];

const MAIL_INCOMING_AMP_SUMMARY: [Counter; 8] = [
    sum("blockedlist", |m| m.files_in()[5]),
    sum("clamav_lowrisk", |m| m.files_in()[3]),
    sum("clean", |m| m.files_in()[0]),
    sum("custom_threshold", |m| m.files_in()[6]),
    sum("lowrisk", |m| m.files_in()[2]),
    sum("malware", |m| m.files_in()[4]),
    sum("unknown", |m| m.files_in()[1]),
    sum("unscannable", |m| m.files_in()[7]),
];

const MAIL_INCOMING_MALWARE_THREAT_FILE_DETAIL_SUMMARY: [Counter; 2] =
    [sum("detected_amp", DeviceMinute::amp_in), sum("detected_amp_files", |m| m.files_in()[4])];

/// In the order of the recorded answer.
const MAIL_INCOMING_TRAFFIC_SUMMARY: [Counter; 26] = [
    sum("failed_dkim", |m| m.count(t::FAILED_DKIM)),
    sum("total_graymail_recipients", DeviceMinute::graymail),
    sum("detected_spam", DeviceMinute::spam_in),
    sum("malicious_url", |m| m.count(t::URL_IN)),
    sum("total_spoofed_emails", |m| m.count(t::SPOOFED)),
    sum("verif_decrypt_success", |m| m.count(t::DECRYPTED)),
    sum("detected_virus", |m| m.count(t::VIRUS_IN)),
    sum("threat_content_filter", |m| m.count(t::FILTERED_IN)),
    sum("blocked_invalid_recipient", |m| m.count(t::INVALID_RECIPIENT)),
    sum("blocked_sdr", |m| m.count(t::SDR_BLOCKED)),
    sum("marketing_mail", |m| m.count(t::MARKETING)),
    sum("ims_spam_increment_over_case", DeviceMinute::multi_scan_in),
    sum("total_mailbox_auto_remediated_recipients", DeviceMinute::remediated),
    sum("detected_spam_certain", |m| m.count(t::SPAM_CERTAIN)),
    sum("detected_spam_suspect", |m| m.count(t::SPAM_SUSPECT)),
    sum("blocked_dmarc", |m| m.count(t::DMARC)),
    sum("total_threat_recipients", DeviceMinute::threat_in),
    sum("total_recipients", DeviceMinute::total_in),
    sum("verif_decrypt_fail", |m| m.count(t::NOT_DECRYPTED)),
    sum("detected_amp", DeviceMinute::amp_in),
    sum("bulk_mail", |m| m.count(t::BULK)),
    sum("social_mail", |m| m.count(t::SOCIAL)),
    sum("total_clean_recipients", DeviceMinute::clean_in),
    sum("detected_virus_per_msg", DeviceMinute::virus_messages_in),
    sum("failed_spf", |m| m.count(t::FAILED_SPF)),
    sum("blocked_reputation", DeviceMinute::blocked_reputation),
];

const MAIL_MAR_SUMMARY: [Counter; 4] = [
    sum("msgs_deleted", |m| m.count(t::MAR_DELETED)),
    sum("msgs_forwarded", |m| m.count(t::MAR_FORWARDED)),
    sum("msgs_forwarded_deleted", |m| m.count(t::MAR_BOTH)),
    sum("msgs_total", DeviceMinute::remediated),
];

const MAIL_MOR_SUMMARY: [Counter; 3] = [
    sum("msgs_deleted", |m| m.count(t::MOR_DELETED)),
    sum("msgs_forwarded", |m| m.count(t::MOR_FORWARDED)),
    sum("msgs_forwarded_deleted", |m| m.count(t::MOR_BOTH)),
];

const MAIL_OUTGOING_AMP_SUMMARY: [Counter; 8] = [
    sum("blockedlist", |m| m.files_out()[5]),
    sum("clamav_lowrisk", |m| m.files_out()[3]),
    sum("clean", |m| m.files_out()[0]),
    sum("custom_threshold", |m| m.files_out()[6]),
    sum("lowrisk", |m| m.files_out()[2]),
    sum("malware", |m| m.files_out()[4]),
    sum("unknown", |m| m.files_out()[1]),
    sum("unscannable", |m| m.files_out()[7]),
];

const MAIL_OUTGOING_MALWARE_THREAT_FILE_DETAIL_SUMMARY: [Counter; 2] =
    [sum("detected_amp", DeviceMinute::amp_out), sum("detected_amp_files", |m| m.files_out()[4])];

const MAIL_OUTGOING_TRAFFIC_SUMMARY: [Counter; 12] = [
    sum("detected_amp", DeviceMinute::amp_out),
    sum("detected_spam", |m| m.count(t::SPAM_OUT)),
    sum("detected_virus", |m| m.count(t::VIRUS_OUT)),
    sum("ims_spam_increment_over_case", DeviceMinute::multi_scan_out),
    sum("malicious_url", |m| m.count(t::URL_OUT)),
    sum("threat_content_filter", |m| m.count(t::FILTERED_OUT)),
    sum("total_clean_recipients", DeviceMinute::clean_out),
    sum("total_dlp_incidents", DeviceMinute::dlp),
    sum("total_hard_bounces", |m| m.delivery()[1]),
    sum("total_recipients", DeviceMinute::processed_out),
    sum("total_recipients_delivered", |m| m.delivery()[0]),
    sum("total_recipients_processed", DeviceMinute::processed_out),
];

const MAIL_SECURITY_SUMMARY: [Counter; 20] = [
    sum("received_conn_plain", |m| m.tls_in()[0]),
    sum("received_conn_tls_fail", |m| m.tls_in()[1]),
    sum("received_conn_tls_opt_fail", |m| m.tls_in()[2]),
    sum("received_conn_tls_opt_success", |m| m.tls_in()[3]),
    sum("received_conn_tls_success", |m| m.tls_in()[4]),
    sum("received_conn_total", DeviceMinute::connections_in),
    sum("received_encrypted_tls", |m| m.encryption_in()[0]),
    sum("received_total", DeviceMinute::messages_in),
    sum("received_unencrypted", |m| m.encryption_in()[1]),
    sum("sent_conn_dane_fail", |m| m.tls_out()[5]),
    sum("sent_conn_dane_success", |m| m.tls_out()[6]),
    sum("sent_conn_plain", |m| m.tls_out()[0]),
    sum("sent_conn_tls_fail", |m| m.tls_out()[1]),
    sum("sent_conn_tls_opt_fail", |m| m.tls_out()[2]),
    sum("sent_conn_tls_opt_success", |m| m.tls_out()[3]),
    sum("sent_conn_tls_success", |m| m.tls_out()[4]),
    sum("sent_conn_total", DeviceMinute::connections_out),
    sum("sent_encrypted_tls", |m| m.encryption_out()[0]),
    sum("sent_total", DeviceMinute::messages_out),
    sum("sent_unencrypted", |m| m.encryption_out()[1]),
];

const MAIL_SENDER_DOMAIN_REPUTATION: [Counter; 9] = [
    sum("awful", |m| m.reputation()[0]),
    sum("good", |m| m.reputation()[1]),
    sum("neutral", |m| m.reputation()[2]),
    sum("not_scanned", |m| m.reputation()[3]),
    sum("poor", |m| m.reputation()[4]),
    sum("tainted", |m| m.reputation()[5]),
    sum("unknown", |m| m.reputation()[6]),
    sum("unscannable", |m| m.reputation()[7]),
    sum("weak", |m| m.reputation()[8]),
];

const MAIL_SENDER_GROUP_SUMMARY: [Counter; 4] = [
    sum("connections_accept", DeviceMinute::accepted_connections),
    sum("connections_reject", |m| m.count(t::REJECTED)),
    sum("connections_relay", DeviceMinute::relayed_connections),
    sum("connections_tcp_refuse", |m| m.count(t::REFUSED)),
];

const MAIL_SYSTEM_CAPACITY: [Counter; 20] = [
    mean("average_incoming_message_size_in_bytes", |m| m.size_in() * 100),
    mean("average_memory_page_swapping", DeviceMinute::swapping),
    mean("average_outgoing_message_size_in_bytes", |m| m.size_out() * 100),
    sum("bytes_in", |m| m.messages_in() * m.size_in()),
    sum("bytes_out", |m| m.messages_out() * m.size_out()),
    sum("incoming_connections", DeviceMinute::connections_in),
    sum("incoming_messages", DeviceMinute::messages_in),
    sum("outgoing_connections", DeviceMinute::connections_out),
    sum("outgoing_messages", DeviceMinute::messages_out),
    mean("overall_percent_cpu_usage", DeviceMinute::cpu_total),
    mean("overall_percent_cpu_usage_for_antispam", |m| m.cpu(Cpu::AntiSpam)),
    mean("overall_percent_cpu_usage_for_antivirus", |m| m.cpu(Cpu::AntiVirus)),
    mean("overall_percent_cpu_usage_for_mail_count", |m| m.cpu(Cpu::Mail)),
    mean("overall_percent_cpu_usage_for_quarantine", |m| m.cpu(Cpu::Quarantine)),
    mean("overall_percent_cpu_usage_for_reporting", |m| m.cpu(Cpu::Reporting)),
    sum("res_con_start_count", |m| m.count(t::CONSERVATION)),
    mean("workqueue_average_messages", DeviceMinute::queue),
    mean("workqueue_average_time_spent", DeviceMinute::queue_time),
    max("workqueue_maximum_messages", DeviceMinute::queue_peak),
    max("workqueue_messages_max", DeviceMinute::queue_peak),
];

const MAIL_THREATFEEDS_INDICATOR_SUMMARY: [Counter; 3] = [
    sum("domain", |m| m.count(t::FEED_DOMAIN)),
    sum("file_hash", |m| m.count(t::FEED_HASH)),
    sum("url", |m| m.count(t::FEED_URL)),
];

const MAIL_VOF_SPECIFIC_THREAT_SUMMARY: [Counter; 1] =
    [sum("threat_detected_virus_or_malware", |m| m.count(t::OUTBREAK))];

const REPORTING_SYSTEM: [&str; 5] =
    ["begin_time", "end_time", "heartbeat", "centralized_reporting_enabled", "centralized_reporting_expired"];
