//! Alerts about threats that want a person: those that leave us, and those that got in.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{OUTGOING_MALWARE, OUTGOING_SPAM, OUTGOING_SPAM_FLOOR};

const OUTGOING: &str = "mail_outgoing_traffic_summary";

/// How many in half an hour. Of a longer window it is the share, which the busiest half hour of that window exceeded.
fn half_an_hour(group: &str, counter: &str) -> String {
    format!("{} * 1800", Counted::in_rule(group, counter).rate_over(30, ""))
}

/// How many in an hour.
fn an_hour(group: &str, counter: &str) -> String {
    format!("{} * 3600", Counted::in_rule(group, counter).rate_over(60, ""))
}

pub(super) fn alerts() -> Vec<Alert> {
    const HARM: &str = "Recipients get malware or spam from you, and their servers will block your addresses.";
    vec![
        Alert::new(
            "AsyncosOutgoingMalware",
            Critical,
            None,
            &format!(
                "{} + {} > {OUTGOING_MALWARE}",
                half_an_hour(OUTGOING, "detected_virus"),
                half_an_hour(OUTGOING, "detected_amp")
            ),
            "Outgoing malware at {{ $labels.appliance }}",
            "{{ printf \"%.0f\" $value }} recipients of outgoing viruses and malicious files within half an hour at \
             {{ $labels.appliance }}.",
            Page {
                meaning: "Your own senders send infected files, more than an occasional one.",
                impact: HARM,
                panel: (Uid::Outgoing, "Outgoing threats per minute"),
                commands: &["Message Tracking, outgoing, by verdict", "Monitor > Virus Types"],
                causes: &["an infected host or a compromised account", "a test or a sandbox that mails samples"],
                actions: &["find and block the sender, and have its host checked"],
            },
        ),
        Alert::new(
            "AsyncosOutgoingSpam",
            Critical,
            Some("15m"),
            &format!(
                "{spam} / ({} > 0) > {OUTGOING_SPAM} and {spam} > {OUTGOING_SPAM_FLOOR}",
                half_an_hour(OUTGOING, "total_recipients_processed"),
                spam = half_an_hour(OUTGOING, "detected_spam")
            ),
            "Outgoing spam at {{ $labels.appliance }}",
            "{{ $value | humanizePercentage }} of the outgoing mail of {{ $labels.appliance }} is spam.",
            Page {
                meaning: "More than 5 % of outgoing mail, and more than 50 recipients in half an hour, are spam.",
                impact: HARM,
                panel: (Uid::Outgoing, "Spam share"),
                commands: &["Monitor > Outgoing Senders", "Message Tracking, outgoing, by verdict", "`tophosts`"],
                causes: &["a compromised account", "a web form that sends mail"],
                actions: &["block the sender: a message filter, or its account", "check the logins of the account"],
            },
        ),
        Alert::new(
            "AsyncosRetrospectiveVerdict",
            Warning,
            None,
            &format!("{} > 0", an_hour("mail_incoming_traffic_summary", "total_mailbox_auto_remediated_recipients")),
            "Delivered mail at {{ $labels.appliance }} turned out to be malicious",
            "Mail of {{ printf \"%.0f\" $value }} recipients of {{ $labels.appliance }} got a new verdict after \
             delivery and was remediated, within an hour.",
            Page {
                meaning: "Files or links that were delivered are now known to be malicious, and the appliance removed \
                          them from the mailboxes.",
                impact: "Users may have opened them before.",
                panel: (Uid::Incoming, "Remediated after delivery per minute"),
                commands: &["Monitor > Mailbox Auto Remediation names the recipients", "Message Tracking"],
                causes: &["the cloud service has new knowledge about the files; this is normal"],
                actions: &["ask the recipients, and have their hosts checked"],
            },
        ),
        Alert::new(
            "AsyncosDlpCritical",
            Warning,
            None,
            &format!("{} > 0", an_hour("mail_dlp_outgoing_traffic_summary", "dlp_incidents_critical")),
            "Critical data-loss incidents at {{ $labels.appliance }}",
            "{{ printf \"%.0f\" $value }} data-loss incidents of critical severity within an hour at {{ $labels.appliance }}.",
            Page {
                meaning: "Outgoing mail violated a data-loss policy with the highest severity.",
                impact: "Depends on the policy: the mail is dropped, quarantined, encrypted, or delivered anyway.",
                panel: (Uid::Outgoing, "DLP incidents by severity per minute"),
                commands: &["Monitor > DLP Incidents", "Message Tracking, by DLP violation"],
                causes: &["a user sends data that must not leave the company", "a policy that matches too much"],
                actions: &["follow your company's incident process"],
            },
        ),
        Alert::new(
            "AsyncosOutbreakThreats",
            Info,
            None,
            &format!("{} > 20", an_hour("mail_vof_specific_threat_summary", "threat_detected_virus_or_malware")),
            "Outbreak Filters find many threats at {{ $labels.appliance }}",
            "Outbreak Filters have found {{ printf \"%.0f\" $value }} threats at {{ $labels.appliance }} within an hour.",
            Page {
                meaning: "More than twenty threats within an hour that no signature covers yet.",
                impact: "Mail waits in the outbreak quarantine until it is known to be harmless.",
                panel: (Uid::Incoming, "Outbreak Filters, threats per minute"),
                commands: &["`outbreakstatus`", "Monitor > Outbreak Filters"],
                causes: &["an outbreak"],
                actions: &["warn the users", "do not release the quarantine by hand"],
            },
        ),
    ]
}
