//! Alerts about senders, files and encryption that the reports alone tell of: message tracking has no documented filter for
//! SPF, DKIM, TLS, files that cannot be scanned, and remediation.

use super::super::alert::Severity::{Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{
    FAILED_SENDERS, FAILED_SENDERS_FLOOR, POOR_SENDERS, POOR_SENDERS_FLOOR, SPOOFED, SPOOFED_FLOOR, UNENCRYPTED,
    UNENCRYPTED_FLOOR, UNSCANNABLE, UNSCANNABLE_FLOOR,
};

const INCOMING: &str = "mail_incoming_traffic_summary";
const FILES: &str = "mail_incoming_amp_summary";
const SECURITY: &str = "mail_security_summary";
const REPUTATION: &str = "mail_sender_domain_reputation";

/// How many in an hour.
fn an_hour(group: &str, counter: &str) -> String {
    format!("{} * 3600", Counted::in_rule(group, counter).rate_over(60, ""))
}

/// The share of `part` in `whole` where it is above `limit` and `part` above `floor`.
fn share(part: &str, whole: &str, limit: f64, floor: f64) -> String {
    format!("({part}) / on (EACH) ({whole} > 0) > {limit} and on (EACH) {part} > {floor}")
}

/// The recipients of an hour that were not refused by reputation: the others have no verdict about their senders.
fn accepted() -> String {
    format!("({} - on (EACH) {})", an_hour(INCOMING, "total_recipients"), an_hour(INCOMING, "blocked_reputation"))
}

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = authentication();
    alerts.extend(encryption());
    alerts.extend(files());
    alerts
}

/// An alert about senders that fail one of the two.
fn failing(
    name: &'static str,
    counter: &str,
    summary: &'static str,
    description: &'static str,
    meaning: &'static str,
) -> Alert {
    let expr = share(&an_hour(INCOMING, counter), &accepted(), FAILED_SENDERS, FAILED_SENDERS_FLOOR);
    Alert::new(
        name,
        Info,
        Some("15m"),
        &expr,
        summary,
        description,
        Page {
            meaning,
            impact: "Some of this mail may be forged. Whether it is delivered depends on the mail flow policies and on DMARC.",
            panel: (Uid::Incoming, "Senders that fail authentication per minute"),
            commands: &[
                "Monitor > Incoming Mail: the senders",
                "Message Tracking: the verification results are in the details of a message",
                "`dnsstatus`: failing lookups make verification fail",
            ],
            causes: &[
                "a campaign with forged senders",
                "a partner changed its provider but not its DNS records",
                "a relay in front of the appliance hides the sending hosts or changes messages",
            ],
            actions: &[
                "inform the partner, if it is one",
                "let the mail flow policy or the DMARC profile act on failures",
            ],
        },
    )
}

fn authentication() -> Vec<Alert> {
    let poor = format!("({} + on (EACH) {})", an_hour(REPUTATION, "awful"), an_hour(REPUTATION, "poor"));
    vec![
        failing(
            "AsyncosSpfFailures",
            "failed_spf",
            "Much mail to {{ $labels.appliance }} fails SPF",
            "{{ $value | humanizePercentage }} of the mail that {{ $labels.appliance }} accepted within an hour failed SPF.",
            "SPF did not verify the senders of more than 10 % of the accepted recipients of an hour, and of more than 50.",
        ),
        failing(
            "AsyncosDkimFailures",
            "failed_dkim",
            "Much mail to {{ $labels.appliance }} fails DKIM",
            "{{ $value | humanizePercentage }} of the mail that {{ $labels.appliance }} accepted within an hour failed DKIM.",
            "DKIM did not verify the mail of more than 10 % of the accepted recipients of an hour, and of more than 50.",
        ),
        Alert::new(
            "AsyncosSpoofedMail",
            Warning,
            Some("15m"),
            &share(&an_hour(INCOMING, "total_spoofed_emails"), &accepted(), SPOOFED, SPOOFED_FLOOR),
            "Much spoofed mail at {{ $labels.appliance }}",
            "{{ $value | humanizePercentage }} of the mail that {{ $labels.appliance }} accepted within an hour was classified as \
             spoofed.",
            Page {
                meaning: "Forged Email Detection or a similar feature classified more than 5 % of the accepted recipients of \
                          an hour, and more than 20, as spoofed.",
                impact: "Depends on the content filter that acts on it: quarantined, marked, or delivered.",
                panel: (Uid::Incoming, "Rare and severe threats per minute"),
                commands: &["Monitor > Forged Email Detection names the forged senders", "Message Tracking"],
                causes: &["an attack in the name of your executives", "a service provider that sends in your name"],
                actions: &["warn the persons and their departments", "let the content filter quarantine"],
            },
        ),
        Alert::new(
            "AsyncosPoorSenderDomains",
            Info,
            Some("15m"),
            &share(&poor, &an_hour("mail_system_capacity", "incoming_messages"), POOR_SENDERS, POOR_SENDERS_FLOOR),
            "{{ $labels.appliance }} accepts much mail from domains of poor reputation",
            "{{ $value | humanizePercentage }} of the messages that {{ $labels.appliance }} received within an hour came from \
             domains of awful or poor reputation.",
            Page {
                meaning: "More than 20 % of the messages of an hour, and more than 50, were accepted from domains with the two \
                          worst verdicts. Messages that are blocked by sender domain reputation are not among them. Releases \
                          that use other names for the verdicts do not have this alert; the API documents no filter of \
                          message tracking that replaces it.",
                impact: "More spam and phishing reaches the engines, and what they miss reaches the users.",
                panel: (Uid::Incoming, "Sender domain reputation, messages per minute"),
                commands: &["Monitor > Sender Domain Reputation", "`sdrconfig`", "Message Tracking, by SDR verdict"],
                causes: &["a campaign from new domains", "blocking by sender domain reputation is off or was relaxed"],
                actions: &["block the worst verdict in the mail flow policy"],
            },
        ),
    ]
}

/// An alert about mail without TLS in one direction.
fn unencrypted(
    name: &'static str,
    direction: &str,
    summary: &'static str,
    description: &'static str,
    meaning: &'static str,
) -> Alert {
    let counter = |counter: &str| an_hour(SECURITY, &format!("{direction}_{counter}"));
    let expr = share(&counter("unencrypted"), &counter("total"), UNENCRYPTED, UNENCRYPTED_FLOOR);
    Alert::new(
        name,
        Warning,
        Some("15m"),
        &expr,
        summary,
        description,
        Page {
            meaning,
            impact: "Everybody on the way can read and change this mail.",
            panel: (Uid::Encryption, "Unencrypted messages per minute"),
            commands: &[
                "Monitor > TLS Encryption names the domains",
                "`tlsverify` for a destination",
                "`certconfig`: has a certificate expired?",
            ],
            causes: &[
                "a certificate or a TLS setting was changed, and connections fall back to plain text",
                "a firewall or a proxy removes STARTTLS",
                "one large sender or destination without TLS",
            ],
            actions: &["restore the certificate or the setting", "require TLS for partners that support it"],
        },
    )
}

fn encryption() -> Vec<Alert> {
    vec![
        unencrypted(
            "AsyncosUnencryptedIncoming",
            "received",
            "Much mail to {{ $labels.appliance }} is unencrypted",
            "{{ $value | humanizePercentage }} of the messages that {{ $labels.appliance }} received within an hour came \
             without TLS.",
            "More than 40 % of the received messages of an hour, and more than 100, came without TLS.",
        ),
        unencrypted(
            "AsyncosUnencryptedOutgoing",
            "sent",
            "Much mail from {{ $labels.appliance }} is unencrypted",
            "{{ $value | humanizePercentage }} of the messages that {{ $labels.appliance }} sent within an hour left without \
             TLS.",
            "More than 40 % of the sent messages of an hour, and more than 100, left without TLS.",
        ),
    ]
}

fn files() -> Vec<Alert> {
    let unscannable = an_hour(FILES, "unscannable");
    vec![
        Alert::new(
            "AsyncosFilesUnscannable",
            Warning,
            Some("15m"),
            &share(
                &unscannable,
                &format!("({unscannable} + on (EACH) {})", an_hour(FILES, "clean")),
                UNSCANNABLE,
                UNSCANNABLE_FLOOR,
            ),
            "{{ $labels.appliance }} cannot scan many files",
            "{{ $value | humanizePercentage }} of the files that {{ $labels.appliance }} found clean or could not scan within \
             an hour could not be scanned.",
            Page {
                meaning: "More than 10 % of the files of an hour, and more than 20, could not be scanned by AMP.",
                impact: "Malicious files may be delivered, unless the policy stops unscannable ones.",
                panel: (Uid::Incoming, "Files by AMP verdict per minute"),
                commands: &[
                    "`ampconfig`: is the file reputation service reachable?",
                    "Message Tracking, by AMP verdict: the files",
                    "`featurekey`",
                ],
                causes: &[
                    "the file reputation service cannot be reached",
                    "a campaign with encrypted or damaged archives",
                    "the licence of AMP has expired",
                ],
                actions: &["restore the connection", "quarantine unscannable files in the mail policy for now"],
            },
        ),
        Alert::new(
            "AsyncosRemediationFailed",
            Warning,
            None,
            "sum by (EACH) (asyncos_mail_mor_batch_summary_msgs_failed_last_window or \
             asyncos_mail_url_analysis_summary_remediation_failure_count_last_window) > 0",
            "{{ $labels.appliance }} cannot remediate delivered mail",
            "{{ printf \"%.0f\" $value }} messages could not be removed from mailboxes in the newest window of \
             {{ $labels.appliance }}.",
            Page {
                meaning: "Remediation of delivered messages failed. Only for appliances that are polled for \
                          mail_mor_batch_summary or mail_url_analysis_summary, which no profile contains.",
                impact: "Malicious mail stays in the mailboxes.",
                panel: (Uid::Incoming, "Remediated after delivery per minute"),
                commands: &[
                    "Monitor > Remediation Report names the batches and the reason",
                    "System Administration > Account Settings: the account profile of the mail server",
                ],
                causes: &[
                    "the credentials for the mail server have expired or lack a permission",
                    "the mailbox no longer exists, or the user moved the message",
                ],
                actions: &[
                    "remove the messages on the mail server",
                    "correct the account profile and repeat the batch",
                ],
            },
        ),
    ]
}
