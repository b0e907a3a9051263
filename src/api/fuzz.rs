//! Invariants of the parsers of answers, for any bytes: built for tests and fuzzing only. Each function reads `body`
//! with one parser and panics where what is kept has no bound, or is not supported by the body.

use crate::api::Failure;
use crate::api::failure::LONGEST_DETAIL;
use crate::api::http::certificate::Facts;
use crate::api::http::header;
use crate::api::wire::delivery_status::DeliveryStatus;
use crate::api::wire::field;
use crate::api::wire::health::Health;
use crate::api::wire::inventory::{Inventory, LocalTime, Privileges};
use crate::api::wire::json;
use crate::api::wire::pages::PageCounts;
use crate::api::wire::quarantine::{QuarantineSize, Quarantines};
use crate::api::wire::reporting_status::ReportingStatus;
use crate::api::wire::system_status::SystemStatus;
use crate::api::wire::xml_status::XmlStatus;
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;

pub(crate) use crate::api::session::login::fuzz::{login, provider, token};

pub(crate) mod tree;

use tree::Tree;

/// When every fuzzed answer was received, in seconds since 1970.
pub(crate) const NOW: u64 = 1_795_435_230;
/// Letters of any text that is kept.
const LONGEST_TEXT: usize = 256;
/// Entries of any list that is kept.
const MOST_ENTRIES: usize = 1000;

/// As an answer's body is read.
pub(crate) fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_start_matches('\u{feff}').to_owned()
}

/// `parsed`, after its failure was found fit for a log.
pub(crate) fn logged<T>(parsed: Result<T, Failure>) -> Option<T> {
    parsed.inspect_err(|failure| check_detail(&failure.detail)).ok()
}

pub(in crate::api) fn check_detail(detail: &str) {
    assert!(detail.chars().count() <= LONGEST_DETAIL, "a failure of {} letters", detail.chars().count());
    assert!(!detail.chars().any(char::is_control), "a failure of several lines: {detail:?}");
}

fn check_text(text: &str) {
    assert!((1..=LONGEST_TEXT).contains(&text.chars().count()), "a text of {} letters", text.chars().count());
    assert!(!text.chars().any(char::is_control), "a text of several lines: {text:?}");
}

/// Panics unless `text` stands in the body, as a value or a name.
fn check_support(text: &str, tree: &Tree) {
    let stands = tree.texts().iter().any(|known| field::tidied(known).as_deref() == Some(text));
    assert!(stands, "{text:?} is not in the body");
}

/// The body as a tree; none where the parser must have failed too.
fn supported<T>(body: &str, parsed: Result<T, Failure>) -> Option<(T, Tree)> {
    let parsed = logged(parsed)?;
    Some((parsed, tree::read(body).expect("what a parser takes is JSON")))
}

/// The values under `name` in the object under `part`.
fn members<'a>(tree: &'a Tree, part: &str, name: &str) -> Vec<&'a Tree> {
    tree.get(part).into_iter().flat_map(|object| object.get(name)).collect()
}

/// Whether `value` is what one of `entries` says in `unit`.
fn is_said(value: f64, entries: &[&Tree], unit: &Unit) -> bool {
    entries.iter().any(|entry| entry.number().and_then(|written| written.within(unit)) == Some(value))
}

/// Health: a measure is the number of its field, scaled where that is a percentage, and any other value is counted.
pub(crate) fn health(body: &[u8]) {
    let body = text(body);
    let Some((health, tree)) = supported(&body, Health::parse(&body)) else { return };
    let mut fields = 0;
    let mut check = |value: Option<f64>, name: &str, unit: Unit| {
        let entries = members(&tree, "data", name);
        fields += entries.len();
        let Some(value) = value else { return 0 };
        assert!(
            value >= 0.0
                && entries.iter().any(|entry| {
                    let number = entry.number().and_then(|written| written.within(&unit));
                    number.is_some_and(|number| unit.scale(number) == value)
                }),
            "`{name}` is not {value}"
        );
        1
    };
    let count = || Unit::Count("things".into());
    let known: u64 = [
        check(health.cpu_load, "percentage_cpu_load", Unit::Percent),
        check(health.ram, "percentage_ram_utilization", Unit::Percent),
        check(health.swap, "percentage_swap_utilization", Unit::Percent),
        check(health.queue, "percentage_queue_utilization", Unit::Percent),
        check(health.disk_io, "percentage_diskio", Unit::Percent),
        check(health.resource_conservation, "resource_conservation", count()),
        check(health.workqueue_messages, "messages_in_workqueue", count()),
        check(health.quarantine_messages, "messages_in_pvo_quarantines", count()),
    ]
    .into_iter()
    .sum();
    if !tree.repeats() {
        assert_eq!(known + health.unusable.iter().sum::<u64>(), fields as u64, "values that are not accounted for");
    }
}

/// The system status: every measure, count and word stands in the body under its own name.
pub(crate) fn system_status(body: &[u8]) {
    let body = text(body);
    let parsed = SystemStatus::parse(&body, Some(-5 * 3600));
    let Some((status, tree)) = supported(&body, parsed) else { return };
    let measures = [
        (status.cpu_load, "overall_cpu_load", Unit::Percent),
        (status.ram, "ram_utilization", Unit::Percent),
        (status.disk_io, "disk_io_utilization", Unit::Percent),
        (status.queue, "total_queue_utilized", Unit::Percent),
        (status.workqueue_messages, "msgs_in_work_queue", Unit::Count("things".into())),
        (status.quarantine_messages, "msgs_in_quarantine", Unit::Count("things".into())),
        (status.active_recipients, "total_active_recipients", Unit::Count("things".into())),
        (status.connections_in, "current_incoming_connections", Unit::Count("things".into())),
        (status.connections_out, "current_outgoing_connections", Unit::Count("things".into())),
        (status.destinations, "dest_objects_in_memory", Unit::Count("things".into())),
        (status.oldest_message_seconds, "oldest_message", Unit::Seconds),
    ];
    let counters = status.counters.iter();
    let counts = counters.map(|(name, count)| (Some(*count as f64), *name, Unit::Count("events".into())));
    for (value, name, unit) in measures.into_iter().chain(counts) {
        let Some(value) = value else { continue };
        let stands = tree.named(name).iter().any(|entry| {
            let number = entry.number().and_then(|written| written.within(&unit));
            number.is_some_and(|number| unit.scale(number) == value)
        });
        assert!(value >= 0.0 && stands, "`{name}` is not {value}");
    }
    for text in [&status.model, &status.software, &status.serial].into_iter().flatten() {
        check_text(text);
        check_support(text, &tree);
    }
    // In small letters, which may be more of them.
    for text in [&status.system_state, &status.raid].into_iter().flatten() {
        assert!(text.chars().count() <= 3 * LONGEST_TEXT && !text.chars().any(char::is_control), "{text:?}");
    }
    status.up_since.into_iter().for_each(check_date);
}

/// The delivery status: every domain and every count stands in the body.
pub(crate) fn delivery_status(body: &[u8]) {
    let body = text(body);
    let Some((status, tree)) = supported(&body, DeliveryStatus::parse(&body)) else { return };
    assert!(status.destinations.len() <= 10 * MOST_ENTRIES);
    for (domain, destination) in &status.destinations {
        assert!(!domain.is_empty() && domain.chars().count() <= 3 * LONGEST_TEXT, "{domain:?}");
        assert!(!domain.chars().any(char::is_control), "{domain:?}");
        for (count, name) in [
            (destination.active, "active_recipients"),
            (destination.connections, "connections_out"),
            (destination.delivered, "delivered_recipients"),
            (destination.soft_bounces, "soft_bounces"),
            (destination.hard_bounces, "hard_bounces"),
        ] {
            let is_said =
                count.is_none_or(|count| is_said(count as f64, &tree.named(name), &Unit::Count("entries".into())));
            assert!(is_said, "`{name}` of {domain:?} is not {count:?}");
        }
    }
}

/// Quarantines: counts, names and sizes.
pub(crate) fn quarantine(body: &[u8]) {
    let body = text(body);
    page(&body);
    if let Some((size, tree)) = supported(&body, QuarantineSize::parse(&body)) {
        let name = "quarantine_size_used";
        let entries = [members(&tree, "data", name), tree.get(name)].concat();
        let is_supported = |bytes| bytes >= 0.0 && is_said(bytes, &entries, &Unit::Bytes);
        assert!(size.used_bytes.is_none_or(is_supported), "{size:?}");
    }
    let Some((quarantines, tree)) = supported(&body, Quarantines::parse(&body)) else { return };
    assert!(quarantines.names.len() <= MOST_ENTRIES && quarantines.names.is_sorted());
    for name in &quarantines.names {
        assert!(!name.trim().is_empty() && name.len() <= LONGEST_TEXT && !name.chars().any(char::is_control));
        assert!(tree.texts().contains(&name.as_str()), "{name:?} is not in the body");
        let path = QuarantineSize::path(name);
        assert!(path.is_none_or(|path| path.matches('/').count() == 2), "{name:?} leads elsewhere");
    }
}

/// Pages: the total and the records that could not be read are as the answer says, and the rows are those of its list.
fn page(body: &str) {
    let Some((page, tree)) = supported(body, PageCounts::parse(body)) else { return };
    let says = |count: u64, name| is_said(count as f64, &members(&tree, "meta", name), &Unit::Count("entries".into()));
    assert!(says(page.total_count, "totalCount"), "{page:?}");
    assert!(page.bad == 0 || says(page.bad, "num_bad_records"), "{page:?}");
    // Of a repeated name the last one counts.
    let rows = match tree.get("data").last() {
        Some(Tree::List(rows)) => rows.len() as u64,
        _ => 0,
    };
    assert_eq!(page.rows, rows, "{page:?}");
}

/// Searches of the message tracking.
pub(crate) fn tracking(body: &[u8]) {
    page(&text(body));
}

/// The appliances of a manager.
pub(crate) fn inventory(body: &[u8]) {
    let body = text(body);
    let Some((inventory, tree)) = supported(&body, Inventory::parse(&body)) else { return };
    assert!(inventory.appliances.len() <= MOST_ENTRIES);
    for managed in &inventory.appliances {
        let texts = [&managed.product_type, &managed.host_name, &managed.ip_address];
        for text in texts.into_iter().flatten().chain([&managed.serial]) {
            check_text(text);
            check_support(text, &tree);
        }
    }
}

/// The privileges of the account.
pub(crate) fn privileges(body: &[u8]) {
    let body = text(body);
    let Some((privileges, tree)) = supported(&body, Privileges::parse(&body)) else { return };
    assert!(privileges.names.len() <= MOST_ENTRIES);
    for name in &privileges.names {
        check_text(name);
        check_support(name, &tree);
    }
}

/// The time zone.
pub(crate) fn system_time(body: &[u8]) {
    let body = text(body);
    let Some((local, tree)) = supported(&body, LocalTime::parse(&body)) else { return };
    for text in [local.timezone, local.time].iter().flatten() {
        check_text(text);
        check_support(text, &tree);
    }
}

/// The span of the reporting data.
pub(crate) fn reporting_system(body: &[u8]) {
    let body = text(body);
    let Some((span, _)) = supported(&body, ReportingStatus::parse(&body)) else { return };
    [span.begin, span.end, span.heartbeat].into_iter().flatten().for_each(check_date);
}

fn check_date(at: Timestamp) {
    /// The last second of the year 9999.
    const LAST: u64 = 253_402_300_799;
    assert!(at.as_secs() <= LAST, "{}", at.as_secs());
    assert_eq!(at.to_string().len(), "2026-11-23T12:00:00.000Z".len());
}

/// Error bodies.
pub(crate) fn error(body: &[u8]) {
    let body = text(body);
    let Some(message) = json::message(&body) else { return };
    check_detail(&message);
    let tree = tree::read(&body).expect("what a parser takes is JSON");
    let one_line = |text: &str| text.replace(char::is_control, " ");
    let said = members(&tree, "error", "message");
    let stands = |entry: &&Tree| matches!(entry, Tree::Text(text) if one_line(text).starts_with(&message));
    assert!(said.iter().any(stands), "{message:?} is not in the body");
}

/// `Date` and `Retry-After`, which are text by then.
pub(crate) fn date(body: &[u8]) {
    let text = text(body);
    header::http_date(&text).into_iter().for_each(check_date);
    if let Some(wait) = header::retry_after(&text, Timestamp::from_secs(NOW)) {
        assert!(wait <= header::LONGEST_RETRY_AFTER, "{wait:?}");
    }
}

/// Certificates.
pub(crate) fn certificate(body: &[u8]) {
    let facts = Facts::of(body);
    for name in facts.names.iter().chain(&facts.issuer) {
        assert!(name.chars().count() <= LONGEST_TEXT && !name.chars().any(char::is_control), "{name:?}");
    }
    assert!(facts.names.len() <= body.len() && facts.rsa_bits.is_none_or(|bits| bits <= body.len() * 8));
    [facts.not_before, facts.not_after].into_iter().flatten().for_each(check_date);
}

/// The status document: names, counts and measures are those of its attributes.
pub(crate) fn xml_status(body: &[u8]) -> Option<XmlStatus> {
    let status = logged(XmlStatus::parse(body, Timestamp::from_secs(NOW)))?;
    let lists = [status.features.len(), status.counters.len(), status.gauges.len()];
    assert!(lists.iter().all(|length| *length <= LONGEST_TEXT), "{lists:?}");
    let words = [&status.build, &status.hostname, &status.system_state];
    words.into_iter().flatten().for_each(|text| check_text(text));
    status.features.iter().for_each(|feature| check_text(&feature.name));
    let names = status.counters.iter().map(|(name, _)| name).chain(status.gauges.iter().map(|(name, _)| name));
    for name in names {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        assert!((1..=100).contains(&name.len()) && name.bytes().all(is_part), "{name:?}");
    }
    let values = || status.gauges.iter().map(|(_, value)| *value).chain(status.oldest_message_seconds);
    assert!(values().all(|value| value.is_finite() && value >= 0.0));
    // A reference such as `&#49;` is a digit that is written otherwise.
    if !body.contains(&b'&') {
        let attributes = attributes(body);
        let numbers: Vec<_> = attributes.iter().filter_map(|text| tree::written(text)).collect();
        for (name, count) in &status.counters {
            let stands =
                numbers.iter().any(|written| written.within(&Unit::Count("events".into())) == Some(*count as f64));
            assert!(stands, "{name} {count} is not in the document");
        }
        for value in values() {
            assert!(numbers.iter().any(|written| written.value == value), "{value} is not in the document");
        }
    }
    Some(status)
}

/// The texts between two quotes: the values of attributes, and more. The body may be in either encoding.
fn attributes(body: &[u8]) -> Vec<String> {
    let latin: String = body.iter().copied().map(char::from).collect();
    // A control character counts as a blank there.
    let texts = [latin, text(body)].map(|text| text.replace(char::is_control, " "));
    let between = |(text, quote): (&String, char)| -> Vec<String> { text.split(quote).map(str::to_owned).collect() };
    texts.iter().flat_map(|text| [(text, '"'), (text, '\'')]).flat_map(between).collect()
}
