//! Incoming mail by verdict.
//!
//! **Source:** recorded answers of 26 counters, and the vendor's Swagger description of the API 2.0, which lists 19 of
//! them. In every recorded answer, threats, clean and graymail add up to the total.

use std::borrow::Cow::Borrowed;

use super::Source::{Recorded, Swagger};
use super::entry::{count, sum};
use super::{DeviceType, Group, Profile, Unit};

const MESSAGES: Unit = count("messages");
const RECIPIENTS: Unit = count("recipients");
/// No source says which of the two the verifications are counted in.
const EITHER: Unit = count("messages or recipients");

pub(super) const TRAFFIC: Group = Group {
    name: Borrowed("mail_incoming_traffic_summary"),
    help: Borrowed("Incoming mail by verdict: attempted, stopped by cause, clean and graymail"),
    kind_source: Recorded,
    profile: Some(Profile::Minimal),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("blocked_dmarc", RECIPIENTS, Swagger, "Stopped because DMARC verification failed"),
        sum(
            "blocked_invalid_recipient",
            RECIPIENTS,
            Swagger,
            "Refused because the recipient is unknown to LDAP or the recipient access table",
        ),
        sum(
            "blocked_reputation",
            RECIPIENTS,
            Swagger,
            "Stopped by the reputation of the sending address; an estimate of the appliance, which takes several \
             recipients (3 unless changed) for each rejected connection and adds throttled recipients",
        ),
        sum("blocked_sdr", RECIPIENTS, Swagger, "Stopped during SMTP by the reputation of the sender domain"),
        sum("bulk_mail", RECIPIENTS, Swagger, "Graymail classed as bulk"),
        sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis"),
        sum("detected_spam", RECIPIENTS, Swagger, "Spam, certain or suspected, by any engine"),
        sum("detected_spam_certain", RECIPIENTS, Recorded, "Spam beyond doubt"),
        sum("detected_spam_suspect", RECIPIENTS, Recorded, "Spam suspected only"),
        sum("detected_virus", RECIPIENTS, Swagger, "Virus found"),
        sum("detected_virus_per_msg", MESSAGES, Recorded, "Virus found, one per message however many recipients"),
        sum("failed_dkim", EITHER, Recorded, "DKIM signature that did not verify"),
        sum("failed_spf", EITHER, Recorded, "Sender that SPF did not verify"),
        sum(
            "ims_spam_increment_over_case",
            RECIPIENTS,
            Swagger,
            "Spam that Intelligent Multi-Scan found and the standard engine would have missed",
        ),
        sum("malicious_url", RECIPIENTS, Swagger, "Stopped over a link known as malicious"),
        sum("marketing_mail", RECIPIENTS, Swagger, "Graymail classed as marketing"),
        sum("social_mail", RECIPIENTS, Swagger, "Graymail classed as social network"),
        sum("threat_content_filter", RECIPIENTS, Swagger, "Dropped, bounced or quarantined by a content filter"),
        sum("total_clean_recipients", RECIPIENTS, Swagger, "Accepted as clean, neither threat nor graymail"),
        sum("total_graymail_recipients", RECIPIENTS, Swagger, "Graymail of all classes: marketing, social and bulk"),
        sum(
            "total_mailbox_auto_remediated_recipients",
            RECIPIENTS,
            Recorded,
            "Taken care of after delivery by mailbox auto remediation",
        ),
        sum("total_recipients", RECIPIENTS, Swagger, "Attempted in all: threats, clean and graymail"),
        sum("total_spoofed_emails", EITHER, Recorded, "Mail taken for spoofed"),
        sum(
            "total_threat_recipients",
            RECIPIENTS,
            Swagger,
            "Stopped for any threat, with the estimate for sender reputation",
        ),
        sum("verif_decrypt_fail", MESSAGES, Swagger, "S/MIME mail that could not be verified or decrypted"),
        sum("verif_decrypt_success", MESSAGES, Swagger, "S/MIME mail that was verified or decrypted"),
    ]),
};
