//! Incoming mail and threats: how much comes, what is stopped, and by what.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::counted::Counted;
use super::super::panel::{Panel, Step};
use super::super::style::{Colour, Limits, Unit};
use super::{WEEK, WEEK_AGO, a_minute, data_as_of, in_range, rate, verdicts};

const TRAFFIC: &str = "mail_incoming_traffic_summary";

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Incoming,
        description: "Incoming mail, what is blocked and why, and whether the engines still work.",
        domain: "mail",
        manner: Manner::Watch,
        rows: vec![
            Row::open("In the selected range", numbers()),
            Row::open("Verdicts", verdict_graphs()),
            Row::open("Connection filtering", door()),
            Row::folded("Engines", engines()),
            Row::folded("Detections", detections()),
            Row::folded("After delivery", after()),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    let numbers = [
        (
            "Attempted",
            "All recipients: threats, graymail and clean. Recipients are counted, not messages.",
            &["total_recipients"][..],
        ),
        (
            "Reputation",
            "Recipients blocked by the reputation of the sending address: rejected connections times a factor, so an \
             estimate of the appliance.",
            &["blocked_reputation"],
        ),
        ("Spam", "Recipients of spam, certain or suspected. Spam is not scanned for viruses.", &["detected_spam"]),
        (
            "Malware",
            "Recipients of viruses, malicious files and malicious links.",
            &["detected_virus", "detected_amp", "malicious_url"],
        ),
        (
            "Other threats",
            "Recipients blocked by content filters, DMARC, sender domain reputation or the recipient access table.",
            &["threat_content_filter", "blocked_dmarc", "blocked_sdr", "blocked_invalid_recipient"],
        ),
        ("Graymail", "Recipients of marketing, social and bulk mail.", &["total_graymail_recipients"]),
        ("Clean", "Recipients of mail without any finding.", &["total_clean_recipients"]),
    ];
    let numbers = numbers.map(|(title, description, counters)| in_range(title, description, TRAFFIC, counters));
    numbers.into_iter().chain([data_as_of(TRAFFIC)]).collect()
}

/// The share of what `counter` counts in all that was attempted.
fn share(counter: &str, ago: &str) -> String {
    let rate = |counter: &str| format!("sum({} REPORTED{ago})", Counted::on_board(TRAFFIC, counter).rate(ago));
    format!("{} / ({} > 0)", rate(counter), rate("total_recipients"))
}

fn verdict_graphs() -> Vec<Panel> {
    vec![
        verdicts(Panel::stacked(
            "By verdict per minute",
            "Recipients by verdict; together they are all attempted recipients. On the appliance: Monitor > Incoming \
             Mail.",
            Unit::Count,
        ))
        .size(24, 10),
        Panel::lines(
            "Threat share, and a week ago",
            "Share of the recipients that was blocked. Above last week: a campaign. Below: an engine, a feed or a \
             licence may have failed (AsyncosThreatShareDropped).",
            Unit::Ratio,
        )
        .coloured(&share("total_threat_recipients", ""), "now", Colour::Spam)
        .coloured(&share("total_threat_recipients", WEEK), WEEK_AGO, Colour::Past),
        a_minute(
            Panel::bars(
                "Rare and severe threats per minute",
                "Recipients of threats that should be rare. Find the targets: Monitor > Virus Types, AMP, and Message \
                 Tracking.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("virus", "detected_virus", Colour::Virus),
                ("malicious file", "detected_amp", Colour::Malware),
                ("malicious link", "malicious_url", Colour::Link),
                ("spoofed", "total_spoofed_emails", Colour::Look),
            ],
        ),
        a_minute(
            Panel::stacked(
                "Graymail by kind per minute",
                "Mail that recipients may want: marketing, social networks, bulk.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("marketing", "marketing_mail", Colour::Marketing),
                ("social", "social_mail", Colour::Social),
                ("bulk", "bulk_mail", Colour::Bulk),
            ],
        ),
        Panel::lines(
            "Recipients by appliance per minute",
            "Load by appliance. An ESA that drops while the others rise has been taken out of service, or has a \
             problem.",
            Unit::Count,
        )
        .query(
            &format!("topk(20, sum by (appliance) ({} REPORTED) * 60)", rate(TRAFFIC, "total_recipients")),
            "{{appliance}}",
        ),
    ]
}

fn door() -> Vec<Panel> {
    vec![
        a_minute(
            Panel::stacked(
                "Connections by HAT action per minute",
                "Accepted, relayed, rejected with a reply, refused at TCP level. More refusals: a spam wave, or a \
                 sender group that is too strict (Monitor > Sender Groups).",
                Unit::Count,
            ),
            "mail_sender_group_summary",
            &[
                ("accept", "connections_accept", Colour::Clean),
                ("relay", "connections_relay", Colour::Quantity),
                ("reject", "connections_reject", Colour::Reputation),
                ("TCP refuse", "connections_tcp_refuse", Colour::InvalidRecipient),
            ],
        ),
        a_minute(
            Panel::stacked(
                "Sender domain reputation, messages per minute",
                "Messages by the reputation of the sender's domain. Releases before and after 14.2 use different \
                 names, so some lines are empty. Many unscannable: the cloud service is unreachable.",
                Unit::Count,
            ),
            "mail_sender_domain_reputation",
            &[
                ("good", "good", Colour::Clean),
                ("neutral", "neutral", Colour::Preferred),
                ("unknown", "unknown", Colour::InvalidRecipient),
                ("weak", "weak", Colour::Look),
                ("poor", "poor", Colour::SuspectedSpam),
                ("tainted", "tainted", Colour::Spam),
                ("awful", "awful", Colour::Act),
                ("unscannable", "unscannable", Colour::Plain),
                ("not scanned", "not_scanned", Colour::Past),
            ],
        ),
        a_minute(
            Panel::lines(
                "Senders that fail authentication per minute",
                "Recipients of mail that failed SPF, DKIM or DMARC. DMARC counts blocked mail; the others count all \
                 mail.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("SPF failed", "failed_spf", Colour::Look),
                ("DKIM failed", "failed_dkim", Colour::Plain),
                ("blocked by DMARC", "blocked_dmarc", Colour::Policy),
            ],
        ),
        a_minute(
            Panel::lines(
                "Rejected before scanning per minute",
                "Recipients refused because of the reputation of the address or of the domain, or because they are \
                 unknown. Many unknown ones: a directory harvest attack.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("reputation", "blocked_reputation", Colour::Reputation),
                ("sender domain", "blocked_sdr", Colour::DomainReputation),
                ("invalid recipient", "blocked_invalid_recipient", Colour::InvalidRecipient),
            ],
        ),
    ]
}

fn engines() -> Vec<Panel> {
    vec![
        a_minute(
            Panel::stacked(
                "Spam, certain and suspected per minute",
                "Recipients by the confidence of the engine, and additional detections of Intelligent Multi-Scan.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("certain", "detected_spam_certain", Colour::Spam),
                ("suspected", "detected_spam_suspect", Colour::SuspectedSpam),
                ("by Multi-Scan alone", "ims_spam_increment_over_case", Colour::Look),
            ],
        ),
        a_minute(
            Panel::stacked(
                "Files by AMP verdict per minute",
                "Files in incoming mail by disposition. Many unscannable or unknown: the file reputation service is \
                 unreachable.",
                Unit::Count,
            ),
            "mail_incoming_amp_summary",
            &[
                ("clean", "clean", Colour::Clean),
                ("low risk", "lowrisk", Colour::Preferred),
                ("low risk, by ClamAV", "clamav_lowrisk", Colour::Quantity),
                ("unknown", "unknown", Colour::InvalidRecipient),
                ("unscannable", "unscannable", Colour::Plain),
                ("custom threshold", "custom_threshold", Colour::Policy),
                ("blocked list", "blockedlist", Colour::Spam),
                ("malware", "malware", Colour::Malware),
            ],
        ),
        a_minute(
            Panel::bars(
                "Outbreak Filters, threats per minute",
                "Virus and malware threats that Outbreak Filters found. Several at once mean an outbreak; the \
                 Outbreak quarantine fills up.",
                Unit::Count,
            ),
            "mail_vof_specific_threat_summary",
            &[("virus or malware", "threat_detected_virus_or_malware", Colour::Virus)],
        ),
        a_minute(
            Panel::lines(
                "S/MIME, messages per minute",
                "Messages that were verified or decrypted, and failures. The most common cause of a failure is an \
                 expired certificate.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("verified or decrypted", "verif_decrypt_success", Colour::Good),
                ("failed", "verif_decrypt_fail", Colour::Act),
            ],
        ),
    ]
}

fn detections() -> Vec<Panel> {
    vec![
        Panel::table(
            "Detections",
            "Messages that each tracking search found: those of `detections`, and your own. The alerts of `detections` look \
             for threats that were delivered; other searches have no alert.",
            &[("search", "Search")],
        )
        .column(
            "In the range",
            Unit::Count,
            Limits::none(),
            "sum by (search) (increase(asyncos_tracking_messages_total{APPLIANCE}[$__range]) REPORTED)",
        )
        .column(
            "Newest window",
            Unit::Count,
            Limits::none(),
            "sum by (search) (asyncos_tracking_messages_last_window{APPLIANCE} REPORTED)",
        )
        .step(Step::Minute)
        .size(24, 8),
        Panel::lines(
            "Searches of the message tracking, messages per minute",
            "Messages that the configured tracking searches found, by search. Example: mail that impersonates the CEO.",
            Unit::Count,
        )
        .query(
            "topk(20, sum by (search) (rate(asyncos_tracking_messages_total{APPLIANCE}[RATE]) REPORTED) * 60)",
            "{{search}}",
        )
        .limits(Limits::none())
        .size(24, 8),
    ]
}

fn after() -> Vec<Panel> {
    vec![a_minute(
        Panel::bars(
            "Remediated after delivery per minute",
            "Recipients of mail that was remediated after delivery because its verdict changed. Ask them what \
                 they opened (AsyncosRetrospectiveVerdict).",
            Unit::Count,
        ),
        TRAFFIC,
        &[("remediated", "total_mailbox_auto_remediated_recipients", Colour::Malware)],
    )]
}
