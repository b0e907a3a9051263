//! Top-N: who and what is behind the figures. What tells of persons is left out.

use super::super::board::{Board, Manner, Row, Uid};
use super::super::counted::Counted;
use super::super::panel::Panel;
use super::data_as_of;

pub(super) fn board() -> Board {
    Board {
        uid: Uid::Top,
        description: "Top domains, filters, policies and threats, without personal data.",
        domain: "mail",
        manner: Manner::Report,
        rows: vec![
            Row::open("About", vec![words().size(20, 5), data_as_of("mail_policy_incoming").size(4, 5)]),
            Row::open("Matched rules in the selected range", rules()),
            Row::open("Domains in the newest window", domains()),
            Row::folded("Threats in the selected range", threats()),
        ],
    }
}

fn words() -> Panel {
    Panel::text(
        "About these lists",
        "Lists over **the selected range** are sums of counters: they are complete. Lists of **the newest window** \
         come from reports that the appliance truncates, so they have no true sum. `other` contains the rows over the \
         exporter's `series_limit`.\n\nEmpty lists: the report is not polled. Policies, filters and sender groups are \
         in the profile `default` or `full`; domains and viruses must be named in `counter_groups`, with `top`. \
         Reports with personal data (users, senders, addresses) are not on this dashboard.",
    )
}

/// The greatest sums over the time shown, by `label`. `counted` is a counter group and its counter.
fn total(title: &'static str, description: &str, (group, counter): (&str, &str), label: &str) -> Panel {
    let gained = Counted::on_board(group, counter).in_range("");
    let expr = format!("sort_desc(topk($k, sum by ({label}) ({gained} REPORTED) > 0))");
    Panel::ranking(title, description, &expr, label).whole().size(8, 10)
}

/// The greatest values of the newest window, by `label`.
fn newest(title: &'static str, description: &str, family: &str, label: &str) -> Panel {
    let expr =
        format!("sort_desc(topk($k, sum by ({label}) (asyncos_{family}_last_window{{APPLIANCE}} REPORTED) > 0))");
    Panel::ranking(title, description, &expr, label).whole().size(8, 10)
}

fn rules() -> Vec<Panel> {
    vec![
        total(
            "Content filters, incoming",
            "Recipients that content filters matched.",
            ("mail_content_filter_incoming", "recipients_matched"),
            "content_filter",
        ),
        total(
            "Content filters, outgoing",
            "Recipients that content filters matched.",
            ("mail_content_filter_outgoing", "recipients_matched"),
            "content_filter",
        ),
        total(
            "DLP policies",
            "Incidents by policy. In the profile `full`.",
            ("mail_dlp_outgoing_policy_detail", "total_dlp_incidents"),
            "dlp_policy",
        ),
        total(
            "Mail policies, incoming",
            "Recipients by the policy that matched.",
            ("mail_policy_incoming", "recipients_matched"),
            "policy",
        ),
        total(
            "Mail policies, outgoing",
            "Recipients by the policy that matched.",
            ("mail_policy_outgoing", "recipients_matched"),
            "policy",
        ),
        total(
            "Sender groups",
            "Connections by sender group of the host access table. In the profile `full`.",
            ("mail_sender_group_detail", "total_connections"),
            "sender_group",
        ),
        total(
            "Message filters",
            "Messages that message filters matched. In the profile `full`.",
            ("mail_msg_filter_stats", "num_matches"),
            "message_filter",
        ),
        total(
            "Countries",
            "Incoming connections by country. In the profile `full`.",
            ("mail_incoming_hat_connections", "total_hat_connections"),
            "country",
        ),
        total(
            "Attachments with macros",
            "Recipients of files with macros, by file type. In the profile `full`.",
            ("mail_md_attachment_incoming_file_type", "total_recipients"),
            "file_type",
        ),
    ]
}

fn domains() -> Vec<Panel> {
    vec![
        newest(
            "Sender domains",
            "Recipients of incoming mail by sender domain. Report `mail_incoming_domain_detail`.",
            "mail_incoming_domain_detail_total_recipients",
            "sender_domain",
        ),
        newest(
            "Sender domains of threats",
            "Recipients of blocked mail by sender domain. Report `mail_incoming_domain_detail`.",
            "mail_incoming_domain_detail_total_threat_recipients",
            "sender_domain",
        ),
        newest(
            "Destination domains",
            "Recipients of outgoing mail by destination domain. Report `mail_destination_domain_detail`.",
            "mail_destination_domain_detail_total_recipients_processed",
            "destination_domain",
        ),
        newest(
            "Destinations that bounce",
            "Hard bounces by destination domain. Report `mail_destination_domain_detail`.",
            "mail_destination_domain_detail_hard_bounces",
            "destination_domain",
        ),
        newest(
            "Viruses",
            "Recipients by the name of the virus. Report `mail_virus_type_detail`.",
            "mail_virus_type_detail_total_recipients",
            "virus",
        ),
        newest(
            "Links by domain",
            "Messages with links by the domain of the link. Report `mail_url_domain_summary`.",
            "mail_url_domain_summary_incoming_count",
            "url_domain",
        ),
    ]
}

fn threats() -> Vec<Panel> {
    vec![
        total(
            "Links by category",
            "Messages with links by URL category. In the profile `full`.",
            ("mail_url_category_summary", "incoming_count"),
            "url_category",
        ),
        total(
            "Links by reputation",
            "Messages with links by reputation. In the profile `full`.",
            ("mail_url_reputation_summary", "incoming_count"),
            "reputation",
        ),
        total(
            "Sender domains by threat category",
            "Messages by the threat category of their sender domain. In the profile `full`.",
            ("mail_sender_domain_threat_categories", "total_threat_messages"),
            "threat_category",
        ),
        total(
            "Outbreak threats by type",
            "Threats found by Outbreak Filters. In the profile `full`.",
            ("mail_vof_threats_by_type", "threat_detected"),
            "threat_type",
        ),
        total(
            "Threat feeds",
            "Messages that matched an external threat feed. In the profile `full`.",
            ("mail_threatfeeds_source_detail", "total_messages_matched"),
            "feed",
        ),
        total(
            "Forged mail by filter",
            "Recipients of mail classified as forged. In the profile `full`.",
            ("mail_fed_content_filter_incoming", "recipients_matched"),
            "content_filter",
        ),
    ]
}
