//! Outgoing mail and delivery: what leaves, what comes back, and what must not leave.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::panel::{Panel, Step};
use super::super::style::{Colour, Limits, Unit};
use super::super::threshold::{HARD_BOUNCES, OLDEST_MESSAGE, OUTGOING_SPAM, STUCK_CONNECTIONS};
use super::{FATES, a_minute, average, data_as_of, in_range, rate, sum_of_rates};

const TRAFFIC: &str = "mail_outgoing_traffic_summary";

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Outgoing,
        description: "Outgoing mail: delivered, bounced and waiting, and whether your own senders send threats.",
        domain: "mail",
        manner: Manner::Watch,
        rows: vec![
            Row::open("In the selected range", numbers()),
            Row::open("Mail that leaves", leaving()),
            Row::open("Delivery now", delivery()),
            Row::folded("Data loss and files", policies()),
        ],
    }
}

fn numbers() -> Vec<Panel> {
    let numbers = [
        ("Processed", "All recipients of outgoing mail.", &["total_recipients_processed"][..]),
        ("Delivered", "Recipients that the destination accepted.", &["total_recipients_delivered"]),
        ("Hard bounces", "Recipients that the destination refused permanently.", &["total_hard_bounces"]),
        (
            "Threats",
            "Recipients of outgoing spam, viruses, malicious files and links: a compromised account or host.",
            &["detected_spam", "detected_virus", "detected_amp", "malicious_url"],
        ),
        ("DLP incidents", "Violations of data-loss policies, of any severity.", &["total_dlp_incidents"]),
    ];
    let numbers = numbers.map(|(title, description, counters)| in_range(title, description, TRAFFIC, counters));
    numbers.into_iter().chain([data_as_of(TRAFFIC)]).map(|tile| tile.size(8, 3)).collect()
}

/// The share of one rate in another.
fn share(part: &str, whole: &str) -> String {
    format!("{} / ({} > 0)", sum_of_rates(TRAFFIC, part), sum_of_rates(TRAFFIC, whole))
}

fn leaving() -> Vec<Panel> {
    vec![
        a_minute(
            Panel::stacked(
                "By result per minute",
                "Recipients by result. On the appliance: Monitor > Outgoing Senders and Delivery Status.",
                Unit::Count,
            ),
            TRAFFIC,
            &FATES,
        ),
        Panel::lines(
            "Hard bounce share",
            "Share of the processed recipients that destinations refuse permanently. Above the line: an outdated \
             address list, or the appliance is on a blocklist (AsyncosHardBouncesHigh).",
            Unit::Ratio,
        )
        .coloured(&share("total_hard_bounces", "total_recipients_processed"), "hard bounces", Colour::InvalidRecipient)
        .limits(Limits::look(HARD_BOUNCES)),
        a_minute(
            Panel::bars(
                "Outgoing threats per minute",
                "Recipients of threats from your own senders. Find the sender in Message Tracking and block the \
                 account before other servers block you.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("spam", "detected_spam", Colour::Spam),
                ("virus", "detected_virus", Colour::Virus),
                ("malicious file", "detected_amp", Colour::Malware),
                ("malicious link", "malicious_url", Colour::Link),
            ],
        ),
        Panel::lines(
            "Spam share",
            "Share of outgoing mail that is spam. Above the line: a compromised account (AsyncosOutgoingSpam).",
            Unit::Ratio,
        )
        .coloured(&share("detected_spam", "total_recipients_processed"), "spam", Colour::Spam)
        .limits(Limits::act(OUTGOING_SPAM)),
        Panel::lines(
            "Delivered by appliance per minute",
            "Recipients that the destinations accepted. Zero while recipients wait: AsyncosDeliveryStalled.",
            Unit::Count,
        )
        .query(
            &format!("topk(20, sum by (appliance) ({} REPORTED) * 60)", rate(TRAFFIC, "total_recipients_delivered")),
            "{{appliance}}",
        ),
        a_minute(
            Panel::lines(
                "Clean and processed per minute",
                "All recipients of outgoing mail, and those of mail without any finding.",
                Unit::Count,
            ),
            TRAFFIC,
            &[
                ("processed", "total_recipients_processed", Colour::Quantity),
                ("clean", "total_clean_recipients", Colour::Clean),
            ],
        ),
    ]
}

fn delivery() -> Vec<Panel> {
    const NEEDS: &str = "Needs the XML status.";
    vec![
        Panel::lines(
            "Active recipients",
            &format!(
                "Recipients in the delivery queue: `status detail`, `tophosts`. Growing: a destination is down. {NEEDS}"
            ),
            Unit::Count,
        )
        .query(&format!("topk(20, max by (appliance) ({}))", average("asyncos_status_active_recips")), "{{appliance}}")
        .step(Step::Minute),
        Panel::lines(
            "Oldest message",
            &format!(
                "Age of the oldest message. One unreachable domain is enough to make it old; with many active \
                 recipients it is a problem (AsyncosOldestMessage). {NEEDS}"
            ),
            Unit::Clock,
        )
        .query(
            "topk(20, max by (appliance) (time() - asyncos_status_oldest_message_timestamp_seconds{APPLIANCE}))",
            "{{appliance}}",
        )
        .limits(Limits::look(OLDEST_MESSAGE))
        .step(Step::Minute),
        Panel::lines(
            "Recipients not yet attempted",
            &format!(
                "Recipients without a first delivery attempt. If the number grows, delivery does not keep up. \
                      {NEEDS}"
            ),
            Unit::Count,
        )
        .query(
            &format!("topk(20, max by (appliance) ({}))", average("asyncos_status_unattempted_recips")),
            "{{appliance}}",
        )
        .step(Step::Minute),
        Panel::lines(
            "Outgoing connections",
            &format!(
                "Connections open to destinations. At most {STUCK_CONNECTIONS} with a long work queue: mail is stuck \
                 (AsyncosWorkQueueStuck). {NEEDS}"
            ),
            Unit::Count,
        )
        .query(&format!("topk(20, max by (appliance) ({}))", average("asyncos_status_conn_out")), "{{appliance}}")
        .step(Step::Minute),
        Panel::stacked(
            "Bounces by reason per minute",
            &format!(
                "Bounced recipients by reason, and soft bounces, which are retried. Many DNS bounces: check the \
                 resolvers (`dnsstatus`). {NEEDS}"
            ),
            Unit::Count,
        )
        .coloured(&status_rate("5xx_hard_bounced_recips"), "refused (5xx)", Colour::InvalidRecipient)
        .coloured(&status_rate("dns_hard_bounced_recips"), "DNS", Colour::Look)
        .coloured(&status_rate("expired_hard_bounced_recips"), "expired", Colour::Plain)
        .coloured(&status_rate("filter_hard_bounced_recips"), "filter", Colour::Filter)
        .coloured(&status_rate("other_hard_bounced_recips"), "other", Colour::Past)
        .coloured(&status_rate("soft_bounced_evts"), "soft, retried", Colour::Policy)
        .step(Step::Minute),
        Panel::lines(
            "Completed by appliance per minute",
            &format!("Completed recipients, delivered or bounced. {NEEDS}"),
            Unit::Count,
        )
        .query(
            "topk(20, sum by (appliance) (rate(asyncos_status_completed_recips_total{APPLIANCE}[RATE])) * 60)",
            "{{appliance}}",
        )
        .step(Step::Minute),
    ]
}

fn status_rate(counter: &str) -> String {
    format!("sum(rate(asyncos_status_{counter}_total{{APPLIANCE}}[RATE])) * 60")
}

fn policies() -> Vec<Panel> {
    vec![
        a_minute(
            Panel::bars(
                "DLP incidents by severity per minute",
                "Violations of data-loss policies. Critical ones need attention the same day (AsyncosDlpCritical).",
                Unit::Count,
            ),
            "mail_dlp_outgoing_traffic_summary",
            &[
                ("critical", "dlp_incidents_critical", Colour::Act),
                ("high", "dlp_incidents_high", Colour::Spam),
                ("medium", "dlp_incidents_medium", Colour::Look),
                ("low", "dlp_incidents_low", Colour::Policy),
            ],
        ),
        a_minute(
            Panel::stacked(
                "Files by AMP verdict per minute",
                "Files in outgoing mail by disposition. Malware here was sent by one of your own senders.",
                Unit::Count,
            ),
            "mail_outgoing_amp_summary",
            &[
                ("clean", "clean", Colour::Clean),
                ("low risk", "lowrisk", Colour::Preferred),
                ("unknown", "unknown", Colour::InvalidRecipient),
                ("unscannable", "unscannable", Colour::Plain),
                ("blocked list", "blockedlist", Colour::Spam),
                ("malware", "malware", Colour::Malware),
            ],
        ),
    ]
}
