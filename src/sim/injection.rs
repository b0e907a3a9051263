//! Mail that is injected into the traffic of an appliance: attacks, incidents and probe messages, which message tracking
//! finds and reports count.

use crate::sim::span::Span;
use crate::sim::table::{Cell, Row, Table};

/// Mail beyond the usual traffic, on each device of the appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The kind of mail.
    pub mail: InjectedMail,
    /// From when on, in seconds since 1970.
    pub since: u64,
    /// Number of messages in a minute; of [`InjectedMail::UnscannableFile`], of files.
    pub per_minute: u64,
}

/// A kind of mail that is injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InjectedMail {
    /// A virus that is delivered.
    MaliciousAttachment,
    /// A malicious link that is delivered.
    MaliciousLink,
    /// Goes to the outbreak quarantine.
    Outbreak,
    /// Leaves although it violates a data-loss policy.
    DlpViolation,
    /// Fails DMARC and is delivered.
    DmarcFailure,
    /// Comes from outside with the sender [`SPOOFED_SENDER`], and is delivered.
    SpoofedSender,
    /// Is dropped.
    Dropped,
    /// Comes from [`PROBE_SENDER`] and is delivered.
    Probe,
    /// Fails SPF.
    SpfFailure,
    /// Fails DKIM.
    DkimFailure,
    /// Has a file that cannot be scanned.
    UnscannableFile,
    /// Is taken for spoofed.
    Spoofed,
    /// Comes from a domain of the worst reputation.
    PoorSender,
    /// Arrives unencrypted.
    PlainIncoming,
    /// Leaves unencrypted.
    PlainOutgoing,
    /// Cannot be removed from a mailbox.
    FailedRemediation,
}

/// The sender of [`InjectedMail::SpoofedSender`]: of the domain of the simulated users.
pub const SPOOFED_SENDER: &str = "ceo@example.com";
/// The sender of [`InjectedMail::Probe`].
pub const PROBE_SENDER: &str = "probe@monitoring.example";

/// The group that has a row for each batch of remediations.
const BATCHES: &str = "mail_mor_batch_summary";

impl InjectedMail {
    /// Whether message tracking has a record of it.
    pub(super) fn is_tracked(self) -> bool {
        self.status().is_some()
    }

    /// Its delivery status; `None` where tracking does not show it.
    pub(super) fn status(self) -> Option<&'static str> {
        match self {
            Self::MaliciousAttachment
            | Self::MaliciousLink
            | Self::DlpViolation
            | Self::DmarcFailure
            | Self::SpoofedSender
            | Self::Probe => Some("DELIVERED"),
            Self::Dropped => Some("DROPPED"),
            // It waits.
            Self::Outbreak => Some("ABORTED"),
            Self::SpfFailure
            | Self::DkimFailure
            | Self::UnscannableFile
            | Self::Spoofed
            | Self::PoorSender
            | Self::PlainIncoming
            | Self::PlainOutgoing
            | Self::FailedRemediation => None,
        }
    }

    pub(super) fn is_incoming(self) -> bool {
        self != Self::DlpViolation
    }

    /// Its sender where that matters.
    pub(super) fn sender(self) -> Option<&'static str> {
        match self {
            Self::SpoofedSender => Some(SPOOFED_SENDER),
            Self::Probe => Some(PROBE_SENDER),
            _ => None,
        }
    }

    /// Whether a filter of message tracking with this word admits it; a flag has none.
    pub(super) fn has(self, filter: &str, word: Option<&str>) -> bool {
        let property = match self {
            Self::MaliciousAttachment => ("virusPositive", None),
            Self::MaliciousLink => ("containedMaliciousUrls", None),
            Self::Outbreak => ("inOutbreakQuarantine", None),
            Self::DlpViolation => ("dlpAction", Some("delivered")),
            Self::DmarcFailure => ("dmarcAction", Some("failed")),
            _ => return false,
        };
        property == (filter, word)
    }

    /// The counters of reports that count it.
    fn counters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::DlpViolation => &[("mail_system_capacity", "outgoing_messages")],
            Self::SpfFailure => &[("mail_incoming_traffic_summary", "failed_spf")],
            Self::DkimFailure => &[("mail_incoming_traffic_summary", "failed_dkim")],
            Self::Spoofed => &[("mail_incoming_traffic_summary", "total_spoofed_emails")],
            Self::UnscannableFile => &[("mail_incoming_amp_summary", "unscannable")],
            Self::PoorSender => &[("mail_sender_domain_reputation", "awful")],
            Self::PlainIncoming => {
                &[("mail_security_summary", "received_unencrypted"), ("mail_security_summary", "received_total")]
            }
            Self::PlainOutgoing => {
                &[("mail_security_summary", "sent_unencrypted"), ("mail_security_summary", "sent_total")]
            }
            Self::FailedRemediation => &[(BATCHES, "msgs_failed"), (BATCHES, "msgs_total")],
            _ => &[("mail_system_capacity", "incoming_messages")],
        }
    }
}

impl Injection {
    /// Number of messages in the minute, counted since 1970.
    pub(super) fn in_minute(&self, minute: u64) -> u64 {
        if minute * 60 >= self.since { self.per_minute } else { 0 }
    }

    /// Number of messages in `span`.
    fn in_span(&self, span: &Span) -> u64 {
        span.minutes().map(|minute| self.in_minute(minute)).sum()
    }
}

/// Events that `injections` add to a counter of a report about so many devices.
pub(super) fn counted(injections: &[Injection], group: &str, counter: &str, devices: usize, span: &Span) -> u64 {
    let counts = |one: &&Injection| one.mail.counters().contains(&(group, counter));
    injections.iter().filter(counts).map(|one| one.in_span(span) * devices as u64).sum()
}

/// Adds the row of `injections` to a keyed report, if they have one.
pub(super) fn add_row(injections: &[Injection], group: &str, devices: usize, span: &Span, table: &mut Table) {
    let cells: Vec<u64> =
        table.columns.iter().map(|counter| counted(injections, group, counter, devices, span)).collect();
    let rank = cells.iter().copied().max().unwrap_or(0);
    if rank > 0 {
        let cells = cells.into_iter().map(Cell::Events).collect();
        table.rows.push(Row { key: "injected".to_owned(), host: None, rank: rank as f64, cells });
    }
}
