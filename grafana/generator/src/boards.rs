//! The boards, one a file, and the panels that several of them have.

mod capacity;
mod encryption;
mod exporter;
mod fleet;
mod incoming;
mod outgoing;
mod scopes;
mod stores;
mod top;

use super::board::Board;
use super::counted::Counted;
use super::panel::{Panel, Step};
use super::style::{Colour, Unit};
use super::threshold::{GRACE, LATE_WINDOWS};

/// All of them, the one to begin with first.
pub(super) fn all() -> [Board; 9] {
    [
        fleet::board(),
        incoming::board(),
        outgoing::board(),
        capacity::board(),
        encryption::board(),
        stores::board(),
        top::board(),
        scopes::board(),
        exporter::board(),
    ]
}

/// How old the figures of a counter group are; it has the same place on each board.
fn data_as_of(group: &str) -> Panel {
    age(
        &format!(
            "Age of the newest complete window of {group}, for the appliance that is furthest behind. Red: older than three \
             windows, the settle delay and ten minutes. More than an hour is normal where the appliance accepts whole hours \
             only."
        ),
        &format!("asyncos_window_end_timestamp_seconds{{APPLIANCE,group=\"{group}\"}}"),
        "REPORTED",
    )
}

/// How long ago the oldest of `ends` was, in red where that is later than the alert AsyncosDataStale allows: each appliance
/// has its own limit, so a number alone has no colour.
fn age(description: &str, ends: &str, chosen: &str) -> Panel {
    let limit = format!(
        "on (EACH) group_left () ({LATE_WINDOWS} * max by (EACH) (asyncos_window_seconds{{APPLIANCE}}) + max by (EACH) \
         (asyncos_settle_seconds{{APPLIANCE}}) + {GRACE})"
    );
    let stale = format!("max(time() - ({ends}) > {limit} {chosen})");
    let current = format!("max(time() - ({ends}) {chosen}) unless {stale}");
    Panel::stats("Data as of", description, Unit::Seconds)
        .coloured(&current, "current", Colour::Good)
        .coloured(&stale, "stale", Colour::Act)
        .step(Step::Minute)
}

/// A part of a whole: its name, its counter, and its colour.
type Part = (&'static str, &'static str, Colour);

/// What a counter gains per second, over all chosen appliances.
fn sum_of_rates(group: &str, counter: &str) -> String {
    format!("sum({} REPORTED)", rate(group, counter))
}

/// What a counter gains per second, for each appliance.
fn rate(group: &str, counter: &str) -> String {
    Counted::on_board(group, counter).rate("")
}

/// Adds a series for each part of what `group` counts, a minute.
fn a_minute(panel: Panel, group: &str, parts: &[Part]) -> Panel {
    parts.iter().fold(panel, |panel, (legend, counter, colour)| {
        let expr = format!("{} * 60", sum_of_rates(group, counter));
        panel.coloured(&expr, legend, *colour)
    })
}

/// An offset of a week: mail differs less between weeks than between days.
const WEEK: &str = " offset 1w";
/// The name of the number that another one is compared with.
const WEEK_AGO: &str = "a week ago";

/// The number of messages in the selected range, and in the same range a week ago.
fn in_range(title: &'static str, description: &str, group: &str, counters: &[&str]) -> Panel {
    let sum = |ago: &str| {
        let sum = |counter: &&str| format!("sum({} REPORTED{ago})", Counted::on_board(group, counter).in_range(ago));
        counters.iter().map(sum).collect::<Vec<_>>().join(" + ")
    };
    let panel = Panel::stats(title, description, Unit::Count);
    panel.query(&sum(""), "in range").query(&sum(WEEK), WEEK_AGO).whole()
}

/// The number of messages per minute, now and a week ago.
fn per_minute(title: &'static str, description: &str, group: &str, counter: &str) -> Panel {
    let rate = |ago: &str| format!("sum({} REPORTED{ago}) * 60", Counted::on_board(group, counter).rate(ago));
    let panel = Panel::stats(title, description, Unit::Count);
    panel.query(&rate(""), "now").query(&rate(WEEK), WEEK_AGO).whole().with_history()
}

/// The average of a gauge since the previous point of the graph: over a day, single values would be noise.
fn average(metric: &str) -> String {
    format!("avg_over_time({metric}{{APPLIANCE}}[RATE])")
}

/// The maximum of a gauge since the previous point of the graph, for gauges whose peaks have consequences.
fn maximum(metric: &str) -> String {
    format!("max_over_time({metric}{{APPLIANCE}}[RATE])")
}

/// Incoming mail by verdict, which adds up to what was attempted.
const VERDICTS: [Part; 11] = [
    ("clean", "total_clean_recipients", Colour::Clean),
    ("marketing", "marketing_mail", Colour::Marketing),
    ("social", "social_mail", Colour::Social),
    ("bulk", "bulk_mail", Colour::Bulk),
    ("reputation", "blocked_reputation", Colour::Reputation),
    ("sender domain", "blocked_sdr", Colour::DomainReputation),
    ("invalid recipient", "blocked_invalid_recipient", Colour::InvalidRecipient),
    ("spam", "detected_spam", Colour::Spam),
    ("virus", "detected_virus", Colour::Virus),
    ("malicious file", "detected_amp", Colour::Malware),
    ("filter, link or DMARC", "FILTERED", Colour::Filter),
];

/// [`VERDICTS`] as queries: the last one is the sum of three rare ones.
fn verdicts(panel: Panel) -> Panel {
    const GROUP: &str = "mail_incoming_traffic_summary";
    let (rest, rare) = VERDICTS.split_at(VERDICTS.len() - 1);
    let panel = a_minute(panel, GROUP, rest);
    let rate = |counter: &str| sum_of_rates(GROUP, counter);
    let sum = ["threat_content_filter", "malicious_url", "blocked_dmarc"].map(rate).join(" + ");
    rare.iter().fold(panel, |panel, (legend, _, colour)| panel.coloured(&format!("({sum}) * 60"), legend, *colour))
}

/// Outgoing mail by what became of it.
const FATES: [Part; 6] = [
    ("delivered", "total_recipients_delivered", Colour::Clean),
    ("hard bounce", "total_hard_bounces", Colour::InvalidRecipient),
    ("spam", "detected_spam", Colour::Spam),
    ("virus", "detected_virus", Colour::Virus),
    ("malicious file", "detected_amp", Colour::Malware),
    ("content filter", "threat_content_filter", Colour::Filter),
];
