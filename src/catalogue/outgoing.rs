//! Outgoing mail by verdict and by data-loss incident.
//!
//! **Source:** the vendor's Swagger description of the API 2.0; a published client shows that real answers carry at
//! least three counters more, of unknown name.

use std::borrow::Cow::Borrowed;

use super::Source::{Client, Inferred, Swagger};
use super::entry::{count, sum};
use super::{DeviceType, Group, Profile, Unit};

const INCIDENTS: Unit = count("incidents");
const RECIPIENTS: Unit = count("recipients");

pub(super) const TRAFFIC: Group = Group {
    name: Borrowed("mail_outgoing_traffic_summary"),
    help: Borrowed("Outgoing mail by verdict: processed, stopped, delivered and bounced"),
    kind_source: Client,
    profile: Some(Profile::Minimal),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("detected_amp", RECIPIENTS, Swagger, "Malicious file found by AMP reputation or analysis"),
        sum("detected_spam", RECIPIENTS, Swagger, "Spam, certain or suspected, by any engine"),
        sum("detected_virus", RECIPIENTS, Swagger, "Virus found"),
        sum(
            "ims_spam_increment_over_case",
            RECIPIENTS,
            Swagger,
            "Spam that Intelligent Multi-Scan found and the standard engine would have missed",
        ),
        sum("malicious_url", RECIPIENTS, Swagger, "Stopped over a link known as malicious"),
        sum("threat_content_filter", RECIPIENTS, Swagger, "Dropped, bounced or quarantined by a content filter"),
        sum("total_clean_recipients", RECIPIENTS, Swagger, "Clean, no threat found"),
        sum("total_dlp_incidents", INCIDENTS, Swagger, "Violation of a data-loss policy"),
        sum("total_hard_bounces", RECIPIENTS, Swagger, "Refused for good by the destination"),
        sum("total_recipients", RECIPIENTS, Swagger, "Attempted in all, whatever the verdict"),
        sum("total_recipients_delivered", RECIPIENTS, Swagger, "Delivered to the destination"),
        sum("total_recipients_processed", RECIPIENTS, Swagger, "Processed in all, clean or not"),
    ]),
};

pub(super) const DLP: Group = Group {
    name: Borrowed("mail_dlp_outgoing_traffic_summary"),
    help: Borrowed("Data-loss incidents of outgoing mail by severity"),
    kind_source: Inferred,
    profile: Some(Profile::Default),
    about: DeviceType::Mail,
    key: None,
    others: None,
    counters: Borrowed(&[
        sum("dlp_incidents_critical", INCIDENTS, Swagger, "Data-loss incident of critical severity"),
        sum("dlp_incidents_high", INCIDENTS, Swagger, "Data-loss incident of high severity"),
        sum("dlp_incidents_low", INCIDENTS, Swagger, "Data-loss incident of low severity"),
        sum("dlp_incidents_medium", INCIDENTS, Swagger, "Data-loss incident of medium severity"),
        sum("total_dlp_incidents", INCIDENTS, Swagger, "Data-loss incident of any severity"),
    ]),
};
