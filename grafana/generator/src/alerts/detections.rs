//! Alerts about what the searches of `detections` find, by the names of the searches. A search of the user's own with one
//! of these names is as good.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{
    DMARC_FAILURES, DMARC_FAILURES_FLOOR, DROPPED, DROPPED_FLOOR, OUTBREAK_QUARANTINED, SPOOFED_SENDERS,
};

const PANEL: (Uid, &str) = (Uid::Incoming, "Detections");

/// How many messages the search of these names found within an hour. The total has those that were found late; the gauge
/// has those of windows whose count is a lower bound.
fn found(matcher: &str) -> String {
    format!(
        "(increase(asyncos_tracking_messages_total{{search{matcher}}}[1h]) > 0 or \
         asyncos_tracking_messages_last_window{{search{matcher}}} > 0)"
    )
}

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = delivered();
    alerts.extend(senders());
    alerts.extend(outcomes());
    alerts
}

fn delivered() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosMaliciousAttachmentDelivered",
            Critical,
            None,
            &found("=\"malicious_attachment_delivered\""),
            "{{ $labels.appliance }} delivered mail with a virus",
            "{{ printf \"%.0f\" $value }} messages with a virus were delivered by {{ $labels.appliance }} within an hour.",
            Page {
                meaning: "Message tracking calls messages virus-positive and delivered. Malicious files that AMP finds are \
                          not among them, because the API documents no filter for its verdicts: see \
                          AsyncosRetrospectiveVerdict.",
                impact: "Recipients have a malicious file, unless the policy removed it from the message.",
                panel: PANEL,
                commands: &[
                    "Message Tracking, event *Virus Positive*: the recipients, and the action in the details",
                    "Mail Policies > Incoming Mail Policies > Anti-Virus: what happens to infected and to repaired messages",
                    "`antivirusstatus`",
                ],
                causes: &[
                    "a mail policy that delivers infected or repaired messages",
                    "a message filter or an exception that skips the engine's action",
                ],
                actions: &["remove the message from the mailboxes", "have the recipients' hosts checked"],
            },
        ),
        Alert::new(
            "AsyncosMaliciousLinkDelivered",
            Warning,
            None,
            &found("=\"malicious_link_delivered\""),
            "{{ $labels.appliance }} delivered mail with a malicious link",
            "{{ printf \"%.0f\" $value }} messages with a malicious link were delivered by {{ $labels.appliance }} within an hour.",
            Page {
                meaning: "Message tracking knows a malicious link in messages that were delivered, rewritten or not.",
                impact: "Recipients may open the link.",
                panel: PANEL,
                commands: &[
                    "Message Tracking, event *Contained Malicious URLs*: recipients, and whether the link was rewritten",
                    "Monitor > URL Filtering",
                    "Mail Policies > Incoming Content Filters: the action for malicious URLs",
                ],
                causes: &[
                    "no content filter acts on links of this reputation",
                    "the sender or the recipient is exempt from it",
                ],
                actions: &["block the domain of the link at the web proxy", "remove the message from the mailboxes"],
            },
        ),
        Alert::new(
            "AsyncosDlpViolationDelivered",
            Warning,
            None,
            &found("=\"dlp_violation_delivered\""),
            "Mail that violates a data-loss policy left {{ $labels.appliance }}",
            "{{ printf \"%.0f\" $value }} messages that violate a data-loss policy were delivered by {{ $labels.appliance }} \
             within an hour.",
            Page {
                meaning: "The action of the policy was to deliver. AsyncosDlpCritical counts critical violations, whatever \
                          happened to them.",
                impact: "Data may have left your company.",
                panel: PANEL,
                commands: &["Message Tracking, event *DLP Violations*", "Monitor > DLP Incidents"],
                causes: &["a user sends data that must not leave the company", "a policy that only monitors"],
                actions: &["follow your company's incident process", "let the policy quarantine or encrypt"],
            },
        ),
    ]
}

fn senders() -> Vec<Alert> {
    let failures = "sum by (EACH) (increase(asyncos_tracking_messages_total{search=\"dmarc_failure_delivered\"}[1h]))";
    let incoming = Counted::in_rule("mail_system_capacity", "incoming_messages").rate_over(60, "");
    vec![
        Alert::new(
            "AsyncosDmarcFailuresDelivered",
            Info,
            None,
            &format!(
                "{failures} / on (EACH) ({incoming} * 3600 > 0) > {DMARC_FAILURES} and {failures} > {DMARC_FAILURES_FLOOR}"
            ),
            "{{ $labels.appliance }} delivers mail that fails DMARC",
            "{{ $value | humanizePercentage }} of the messages that {{ $labels.appliance }} received within an hour failed \
             DMARC and were delivered.",
            Page {
                meaning: "More than 10 % of the messages of an hour, and more than 20, failed DMARC and were delivered. The \
                          share needs the report mail_system_capacity of this appliance.",
                impact: "Some of this mail may be forged. Mailing lists fail DMARC too.",
                panel: PANEL,
                commands: &["Message Tracking, event *DMARC*", "Monitor > DMARC Verification names the domains"],
                causes: &[
                    "a campaign with forged sender domains that publish no strict policy",
                    "the DMARC profile takes no action",
                    "a forwarder that changes messages",
                ],
                actions: &["let the DMARC profile quarantine", "inform the partner, if it is one"],
            },
        ),
        Alert::new(
            "AsyncosSpoofedInternalSender",
            Warning,
            None,
            &format!("sum by (EACH, search) {} > {SPOOFED_SENDERS}", found("=~\"spoofed_internal_sender/.+\"")),
            "{{ $labels.appliance }} delivered mail from outside with an internal sender",
            "{{ printf \"%.0f\" $value }} messages from outside with a sender of your own domain were delivered by \
             {{ $labels.appliance }} within an hour ({{ $labels.search }}).",
            Page {
                meaning: "More than five messages within an hour came by an incoming mail policy, have an envelope sender of \
                          a domain in `internal_domains`, and were delivered.",
                impact: "Users trust mail that seems to come from a colleague.",
                panel: PANEL,
                commands: &[
                    "Message Tracking, by envelope sender, incoming: the sending hosts",
                    "`hat`: do relays of your own have a sender group that relays?",
                ],
                causes: &[
                    "an attack with forged senders",
                    "a service provider that sends in your name",
                    "a host of your own that is not in a relay list",
                ],
                actions: &[
                    "add an incoming content filter for your own domains",
                    "configure a search of the same name in `tracking_searches` that leaves your service providers out",
                ],
            },
        ),
    ]
}

fn outcomes() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosOutbreakQuarantined",
            Warning,
            None,
            &format!("{} > {OUTBREAK_QUARANTINED}", found("=\"outbreak_quarantined\"")),
            "An outbreak at {{ $labels.appliance }}",
            "{{ printf \"%.0f\" $value }} messages of an hour are in the outbreak quarantine of {{ $labels.appliance }}.",
            Page {
                meaning: "More than ten messages that arrived within an hour went to the outbreak quarantine.",
                impact: "This mail waits until new rules clear it or its time is over; then it is delivered.",
                panel: PANEL,
                commands: &["`outbreakstatus`", "Monitor > Outbreak Filters", "Message Tracking, by quarantine"],
                causes: &["a campaign that no signature covers yet"],
                actions: &["warn the users", "do not release the quarantine by hand"],
            },
        ),
        Alert::new(
            "AsyncosMassDropping",
            Critical,
            None,
            &format!(
                "appliance:asyncos_messages_dropped:ratio > {DROPPED} and on (EACH) sum by (EACH) \
                 (asyncos_tracking_messages_last_window{{search=\"messages_dropped\"}}) > {DROPPED_FLOOR}"
            ),
            "{{ $labels.appliance }} drops most of its mail",
            "{{ $labels.appliance }} has dropped {{ $value | humanizePercentage }} of the messages of the newest window.",
            Page {
                meaning: "More than half of the messages, and more than 100, were dropped in the newest window of the search. \
                          The share needs the report mail_system_capacity of this appliance.",
                impact: "Dropped mail is lost, and neither the sender nor the recipient gets a message about it.",
                panel: PANEL,
                commands: &[
                    "Message Tracking, event *Dropped*: the details name the filter or engine",
                    "Monitor > Message Filters and Content Filters",
                    "`tail mail_logs`",
                ],
                causes: &[
                    "a filter or a policy that was changed and matches too much",
                    "a wave of spam, where spam is dropped",
                    "an engine with a wrong signature",
                ],
                actions: &["disable the filter, or change its action to quarantine", "ask the senders to send again"],
            },
        ),
        Alert::new(
            "AsyncosCanaryMissing",
            Critical,
            None,
            "asyncos_tracking_messages_last_window{search=\"canary\"} == 0",
            "The probe message did not arrive at {{ $labels.appliance }}",
            "No probe message was delivered by {{ $labels.appliance }} in the newest interval.",
            Page {
                meaning: "The search `canary` found no delivered message in its newest window. The window is the `interval` \
                          of the probe, which has to be sent at least twice in it.",
                impact: "Mail from outside may not arrive, even if the appliance itself reports no problem.",
                panel: PANEL,
                commands: &[
                    "Message Tracking, by the sender or subject of the probe: did it arrive, and what happened to it?",
                    "the log of the program that sends the probe",
                    "`telnet APPLIANCE 25` from outside",
                ],
                causes: &[
                    "the sender of the probe does not run",
                    "DNS, a firewall or a load balancer no longer directs mail to the appliance",
                    "the probe was quarantined or classified as spam",
                    "a long work queue: the probe is still waiting",
                ],
                actions: &["send a probe by hand and follow it in Message Tracking"],
            },
        ),
    ]
}
