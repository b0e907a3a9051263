//! Recipients by outcome, as several reports count them: the columns that domains, networks and addresses
//! share. Knows no group.
//!
//! **Source:** the vendor's Swagger description of the API 2.0.

use crate::catalogue::Source::Swagger;
use crate::catalogue::entry::{count, last, sum, text};
use crate::catalogue::{Counter, Unit};

const CONNECTIONS: Unit = count("connections");
const RECIPIENTS: Unit = count("recipients");

pub(super) const BLOCKED_DMARC: Counter =
    sum("blocked_dmarc", RECIPIENTS, Swagger, "Stopped because DMARC verification failed");
pub(super) const BLOCKED_INVALID_RECIPIENT: Counter = sum(
    "blocked_invalid_recipient",
    RECIPIENTS,
    Swagger,
    "Refused because the recipient is unknown to LDAP or the recipient access table",
);
pub(super) const BLOCKED_REPUTATION: Counter = sum(
    "blocked_reputation",
    RECIPIENTS,
    Swagger,
    "Stopped by the reputation of the sending address; an estimate of the appliance, which takes several recipients (3 \
     unless changed) for each rejected connection and adds throttled recipients",
);
pub(super) const BLOCKED_SDR: Counter =
    sum("blocked_sdr", RECIPIENTS, Swagger, "Stopped during SMTP by the reputation of the sender domain");

pub(super) const BULK_MAIL: Counter = sum("bulk_mail", RECIPIENTS, Swagger, "Graymail classed as bulk");
pub(super) const MARKETING_MAIL: Counter = sum("marketing_mail", RECIPIENTS, Swagger, "Graymail classed as marketing");
pub(super) const SOCIAL_MAIL: Counter = sum("social_mail", RECIPIENTS, Swagger, "Graymail classed as social network");

pub(super) const DETECTED_AMP: Counter =
    sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis");
pub(super) const DETECTED_SPAM: Counter =
    sum("detected_spam", RECIPIENTS, Swagger, "Spam, certain or suspected, by any engine");
pub(super) const DETECTED_VIRUS: Counter = sum("detected_virus", RECIPIENTS, Swagger, "Virus found");
pub(super) const THREAT_CONTENT_FILTER: Counter =
    sum("threat_content_filter", RECIPIENTS, Swagger, "Dropped, bounced or quarantined by a content filter");

pub(super) const TOTAL_CLEAN_RECIPIENTS: Counter =
    sum("total_clean_recipients", RECIPIENTS, Swagger, "Accepted as clean, neither threat nor graymail");
pub(super) const TOTAL_GRAYMAIL_RECIPIENTS: Counter =
    sum("total_graymail_recipients", RECIPIENTS, Swagger, "Graymail of all classes: marketing, social and bulk");
pub(super) const TOTAL_RECIPIENTS: Counter =
    sum("total_recipients", RECIPIENTS, Swagger, "Attempted in all: threats, clean and graymail");
pub(super) const TOTAL_THREAT_RECIPIENTS: Counter = sum(
    "total_threat_recipients",
    RECIPIENTS,
    Swagger,
    "Stopped for any threat, with the estimate for sender reputation",
);
pub(super) const TOTAL_THROTTLED_RECIPIENTS: Counter =
    sum("total_throttled_recipients", RECIPIENTS, Swagger, "Stopped because the sender sent to too many recipients");

pub(super) const TOTAL_ACCEPTED_CONNECTIONS: Counter =
    sum("total_accepted_connections", CONNECTIONS, Swagger, "Accepted from the sender");
pub(super) const TOTAL_REJECTED_CONNECTIONS: Counter =
    sum("total_rejected_connections", CONNECTIONS, Swagger, "Rejected from the sender");

/// A number that only identifies, so no sample.
pub(super) const LAST_SENDER_GROUP: Counter =
    text("last_sender_group", Swagger, "Number of the sender group that matched last");
pub(super) const LAST_SENDER_GROUP_NAME: Counter =
    text("last_sender_group_name", Swagger, "Name of the sender group that matched last");
/// A flag, which means nothing once rows are merged, so no sample.
pub(super) const DNS_VERIFIED: Counter =
    text("dns_verified", Swagger, "Whether the reverse DNS name of the address leads back to it");
pub(super) const SBRS_SCORE: Counter =
    last("sbrs_score", count("points"), Swagger, "Newest IP reputation score, from -10 (worst) to 10 (best)");

// Outgoing mail knows neither graymail nor sender reputation, so the same names count something less.
pub(super) const OUTGOING_CLEAN_RECIPIENTS: Counter =
    sum("total_clean_recipients", RECIPIENTS, Swagger, "Clean, no threat found");
pub(super) const OUTGOING_THREAT_RECIPIENTS: Counter =
    sum("total_threat_recipients", RECIPIENTS, Swagger, "Stopped for any threat");
pub(super) const OUTGOING_TOTAL_RECIPIENTS: Counter =
    sum("total_recipients", RECIPIENTS, Swagger, "Attempted in all, whatever the verdict");
pub(super) const TOTAL_RECIPIENTS_PROCESSED: Counter =
    sum("total_recipients_processed", RECIPIENTS, Swagger, "Processed in all, clean or not");

/// Senders of outgoing mail, by domain or address.
pub(super) const OF_OUTGOING_SENDERS: &[Counter] = &[
    DETECTED_AMP,
    DETECTED_SPAM,
    DETECTED_VIRUS,
    THREAT_CONTENT_FILTER,
    OUTGOING_CLEAN_RECIPIENTS,
    sum("total_dlp_incidents", count("incidents"), Swagger, "Violation of a data-loss policy"),
    TOTAL_RECIPIENTS_PROCESSED,
    OUTGOING_THREAT_RECIPIENTS,
];
