//! `GET quarantine/messages`, and the other endpoints about quarantines. **Source:** a recorded answer for spam, published
//! clients (Splunk, PSCiscoSMA, jos) and the Swagger client for the others. Whether `meta.totalCount` counts the messages
//! that match or those of the page is not published.

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::{DATES, TextFilter, check_names, given, invalid, missing, number, one_of, window};
use crate::sim::date;
use crate::sim::form::TotalCount;
use crate::sim::inventory::address;
use crate::sim::json::Json;
use crate::sim::quarantine::{Quarantine, QuarantinedMessage, SPAM};
use crate::sim::request::Request;
use crate::sim::settings::Settings;
use crate::sim::unix_secs;

/// The longest page, as large as a published client asks for; the real limit is not known.
const PAGE: usize = 250;
/// The page when there is no `limit`; assumed.
const USUAL_PAGE: usize = 25;

/// Attributes of both kinds. `device_type` is tolerated (assumed).
const COMMON: [&str; 8] =
    ["quarantineType", "startDate", "endDate", "offset", "limit", "orderBy", "orderDir", "device_type"];
const OF_SPAM: [&str; 5] =
    ["envelopeRecipientFilterOperator", "envelopeRecipientFilterValue", "filterBy", "filterOperator", "filterValue"];
const OF_OTHERS: [&str; 4] = ["quarantines", "originatingEsaIp", "subjectFilterBy", "subjectFilterValue"];

/// The quarantines and conditions of a request.
struct QuarantineSearch<'a> {
    quarantines: Vec<&'a Quarantine>,
    recipient: Option<TextFilter>,
    sender: Option<TextFilter>,
    subject: Option<TextFilter>,
    address: Option<&'a str>,
    /// Field to order by, and whether upwards; by time without one, the newest first.
    order: Option<(&'a str, bool)>,
    offset: usize,
    limit: usize,
}

/// The answer to `quarantine/messages`.
pub(in crate::sim) fn messages(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Json, Answer> {
    let spam = is_spam(request)?;
    let (start, end) = window(settings, request, DATES, None)?;
    let known = [&COMMON[..], if spam { &OF_SPAM } else { &OF_OTHERS }].concat();
    check_names(request, &known)?;
    let search = search(settings, request, spam)?;
    let devices = settings.devices();
    let now = unix_secs(clock);
    let behaviour = &settings.behaviour;
    let everything =
        search.recipient.is_none() && search.sender.is_none() && search.subject.is_none() && search.address.is_none();
    // Without a condition or an order no more than the page has to be looked at.
    let enough = match everything && search.order.is_none() {
        true => search.offset.saturating_add(search.limit),
        false => usize::MAX,
    };
    let found = search.quarantines.iter().flat_map(|one| {
        let kept = one.messages(&devices, start, end, now).filter(|message| search.admits(message));
        // A page must not end within a minute: the messages of one are in no order yet.
        let mut last = None;
        kept.enumerate().take_while(move |(place, message)| {
            let goes_on = *place < enough || last == Some(message.minute);
            last = Some(message.minute);
            goes_on
        })
    });
    let mut page: Vec<_> = found.map(|(_, message)| message).collect();
    page.sort_by_key(|message| std::cmp::Reverse((message.minute, message.mid())));
    search.order(&mut page);
    let count: u64 = match everything {
        true => search.quarantines.iter().map(|one| behaviour.quarantined(one, &devices, start, end, now)).sum(),
        false => page.len() as u64,
    };
    let page = page.iter().skip(search.offset).take(search.limit);
    let rows: Vec<_> = page.map(|message| if spam { spam_row(message) } else { row(message) }).collect();
    let count = match behaviour.quarantine_total_count {
        TotalCount::Page => rows.len() as u64,
        TotalCount::Matches => count,
    };
    Ok(Json::object([("meta", Json::object([("totalCount", count.into())])), ("data", Json::List(rows))]))
}

/// Which of the two kinds. The message for a missing or other kind is assumed.
fn is_spam(request: &Request) -> Result<bool, Answer> {
    match one_of(request, "quarantineType", &["spam", "pvo"])? {
        None => Err(missing("quarantineType")),
        Some(kind) => Ok(kind == "spam"),
    }
}

/// Assumed: `quarantines` is required for `pvo`, names in it must exist, half of a pair is refused (in a report it is
/// not), and a page is never longer than [`PAGE`].
fn search<'a>(settings: &'a Settings, request: &'a Request, spam: bool) -> Result<QuarantineSearch<'a>, Answer> {
    let all = &settings.behaviour.quarantines;
    let quarantines = match spam {
        true => all.iter().filter(|one| one.name == SPAM).collect(),
        false => {
            let names = given(request, "quarantines").ok_or_else(|| missing("quarantines"))?;
            let of_name = |name: &str| all.iter().find(|one| one.name == name && one.name != SPAM);
            let found: Option<Vec<_>> = names.split(',').map(of_name).collect();
            found.ok_or_else(|| invalid("quarantines"))?
        }
    };
    let orders: &[&str] = match spam {
        true => &["from_address", "to_address", "subject"],
        false => &["sender", "subject", "received", "scheduledExit", "size"],
    };
    let upwards = one_of(request, "orderDir", &["asc", "desc"])?.is_none_or(|direction| direction == "asc");
    let order = one_of(request, "orderBy", orders)?.map(|column| (column, upwards));
    let filter = TextFilter::given(request, "filterOperator", "filterValue")?;
    let (sender, recipient, subject) = match one_of(request, "filterBy", &["from_address", "to_address", "subject"])? {
        Some("from_address") => (filter, None, None),
        Some("to_address") => (None, filter, None),
        Some(_) => (None, None, filter),
        None => (None, None, None),
    };
    let of_envelope = TextFilter::given(request, "envelopeRecipientFilterOperator", "envelopeRecipientFilterValue")?;
    let of_subject = TextFilter::given(request, "subjectFilterBy", "subjectFilterValue")?;
    let limit = number(request, "limit")?.unwrap_or(USUAL_PAGE).min(PAGE);
    Ok(QuarantineSearch {
        quarantines,
        recipient: recipient.or(of_envelope),
        sender,
        subject: subject.or(of_subject),
        address: given(request, "originatingEsaIp"),
        order,
        offset: number(request, "offset")?.unwrap_or(0),
        limit,
    })
}

impl QuarantineSearch<'_> {
    fn admits(&self, message: &QuarantinedMessage<'_>) -> bool {
        let admits = |text: &Option<TextFilter>, value: &str| text.as_ref().is_none_or(|text| text.admits(value));
        admits(&self.recipient, message.recipient())
            && admits(&self.sender, message.sender())
            && admits(&self.subject, message.subject())
            && self.address.is_none_or(|wanted| wanted == address(message.device))
    }

    fn order(&self, page: &mut [QuarantinedMessage<'_>]) {
        let Some((column, upwards)) = self.order else { return };
        let key = |message: &QuarantinedMessage<'_>| match column {
            "from_address" | "sender" => (message.sender(), 0),
            "to_address" => (message.recipient(), 0),
            "subject" => (message.subject(), 0),
            "size" => ("", message.size()),
            "scheduledExit" => ("", message.leaves()),
            _ => ("", message.minute),
        };
        page.sort_by_key(key);
        if !upwards {
            page.reverse();
        }
    }
}

impl QuarantinedMessage<'_> {
    fn leaves(&self) -> u64 {
        self.minute * 60 + self.quarantine.retention.as_secs()
    }
}

/// `17.50K`. **Source:** a recorded answer; other units are assumed.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_048_576 => format!("{:.2}K", bytes as f64 / 1024.0),
        _ => format!("{:.2}M", bytes as f64 / 1_048_576.0),
    }
}

fn spam_row(message: &QuarantinedMessage<'_>) -> Json {
    let (sender, recipient) = (message.sender(), message.recipient());
    let attributes = Json::object([
        ("envelopeRecipient", Json::list([recipient])),
        ("toAddress", Json::list([format!("{recipient} <{recipient}>")])),
        ("subject", message.subject().into()),
        ("date", date::quarantine(message.minute * 60).into()),
        ("fromAddress", Json::list([format!("{sender} <{sender}>")])),
        ("size", size(message.size()).into()),
    ]);
    Json::object([("attributes", attributes), ("mid", message.mid().into())])
}

/// **Source:** the Swagger client for the names; forms of the values are assumed.
fn row(message: &QuarantinedMessage<'_>) -> Json {
    let quarantine = message.quarantine.name.as_str();
    let reason = Json::object([("quarantineName", quarantine.into()), ("reason", Json::list(["Filter match"]))]);
    let attributes = Json::object([
        ("sender", message.sender().into()),
        ("recipient", Json::list([message.recipient()])),
        ("subject", message.subject().into()),
        ("received", date::quarantine(message.minute * 60).into()),
        ("scheduledExit", date::quarantine(message.leaves()).into()),
        ("esaHostName", message.device.into()),
        ("esaMid", message.mid().into()),
        ("inQuarantines", quarantine.into()),
        ("originatingEsaIp", address(message.device).into()),
        ("quarantineForReason", Json::list(["Filter match"])),
        ("quarantineForReasonDict", Json::List(vec![reason])),
        ("size", size(message.size()).into()),
    ]);
    Json::object([("attributes", attributes), ("mid", message.mid().into())])
}

/// `quarantine/messages/rules`: a line for each quarantine. **Source:** the Swagger client for four names; the frame
/// around them, and that a rule is a quarantine, are assumed.
pub(in crate::sim) fn rules(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Json, Answer> {
    if is_spam(request)? {
        return Err(invalid("quarantineType"));
    }
    let (devices, now) = (settings.devices(), unix_secs(clock));
    let others = settings.behaviour.quarantines.iter().filter(|one| one.name != SPAM);
    let rules: Vec<_> = others
        .map(|one| {
            let kept: Vec<_> = one.messages(&devices, 0, now, now).collect();
            let total: u64 = kept.iter().map(QuarantinedMessage::size).sum();
            let count = settings.behaviour.quarantined(one, &devices, 0, now, now);
            let attributes = Json::object([
                ("numberOfMessages", count.into()),
                ("capacity", format!("{:.1}%", total as f64 / 1e9).into()),
                ("totalSize", size(total).into()),
                ("averageMessageSize", size(total / (kept.len() as u64).max(1)).into()),
            ]);
            Json::object([("ruleId", one.name.as_str().into()), ("attributes", attributes)])
        })
        .collect();
    let meta = Json::object([("totalCount", rules.len().into())]);
    Ok(Json::object([("meta", meta), ("data", Json::List(rules))]))
}

/// `config/quarantines` of an SMA. **Source:** PSCiscoSMA: lists of names by kind; the names of the kinds are assumed.
pub(in crate::sim) fn names(settings: &Settings, request: &Request) -> Result<Json, Answer> {
    given(request, "device_type").ok_or_else(|| missing("device_type"))?;
    one_of(request, "quarantine_type", &["pvo"])?.ok_or_else(|| missing("quarantine_type"))?;
    let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
    for one in settings.behaviour.quarantines.iter().filter(|one| one.name != SPAM) {
        match kinds.iter_mut().find(|(kind, _)| *kind == one.kind) {
            Some((_, names)) => names.push(&one.name),
            None => kinds.push((one.kind.clone(), vec![&one.name])),
        }
    }
    let kinds = kinds.into_iter().map(|(kind, names)| (kind, Json::list(names))).collect();
    Ok(Json::object([("data", Json::object([("quarantines", Json::Object(kinds))]))]))
}

/// `config/local_quarantines/{name}` of an ESA. **Source:** the Swagger client for the names of the fields; the frame
/// and the values are assumed.
pub(in crate::sim) fn local(
    settings: &Settings,
    request: &Request,
    clock: SystemTime,
    name: &str,
) -> Result<Json, Answer> {
    given(request, "device_type").ok_or_else(|| missing("device_type"))?;
    let of_name = |one: &&Quarantine| one.name == name && one.name != SPAM;
    let one = settings.behaviour.quarantines.iter().find(of_name).ok_or_else(Answer::not_found)?;
    let now = unix_secs(clock);
    let used: u64 = one.messages(&settings.devices(), 0, now, now).map(|message| message.size()).sum();
    let none = || Json::List(Vec::new());
    let data = Json::object([
        ("quarantine_name", one.name.as_str().into()),
        ("quarantine_type", one.kind.as_str().into()),
        ("quarantine_retention_period", (one.retention.as_secs() / 3600).into()),
        ("quarantine_retention_units", "hours".into()),
        ("quarantine_size_used", size(used).into()),
        ("quarantine_automatic_action", "delete".into()),
        ("quarantine_normal_actions", Json::Object(Vec::new())),
        ("quarantine_overflow_actions", Json::Object(Vec::new())),
        ("quarantine_users", none()),
        ("quarantine_groups", none()),
        ("quarantine_custom_roles", none()),
        ("quarantine_created_by", "admin".into()),
        ("quarantine_created_on", date::quarantine(1_700_000_000).into()),
    ]);
    Ok(Json::object([("data", data)]))
}
