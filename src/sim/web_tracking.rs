//! `GET web-tracking/web_transaction` of an SMA. **Source:** a recorded answer for the messages of refusals and a few
//! fields; filters are published but not their effect, so that here they have none (assumed).

use std::time::SystemTime;

use crate::sim::answer::Answer;
use crate::sim::attribute::{given, invalid, missing, number, window};
use crate::sim::json::Json;
use crate::sim::keyed::web::transactions;
use crate::sim::request::Request;
use crate::sim::settings::{HOUR_ONLY_MESSAGES, Settings};
use crate::sim::span::Span;
use crate::sim::traffic::{Device, DeviceMinute};

/// The longest page; assumed.
const PAGE: usize = 100;

pub(super) fn transactions_of(settings: &Settings, request: &Request, clock: SystemTime) -> Result<Json, Answer> {
    match given(request, "device_type") {
        None => return Err(missing("device_type")),
        Some("wsa") => {}
        Some(_) => return Err(invalid("device_type")),
    }
    let absent = "duration or startDate or endDate";
    let (start, end) = window(settings, request, absent, Some(HOUR_ONLY_MESSAGES[0]))?;
    let span = Span::seen(start, end, settings.behaviour.available_until(clock), None);
    let limit = number(request, "limit")?.unwrap_or(PAGE).min(PAGE);
    let offset = number(request, "offset")?.unwrap_or(0) as u64;
    let (mut count, mut rows) = (0, Vec::new());
    for name in settings.web_devices() {
        let device = Device::new(name);
        for minute in span.minutes() {
            let moment = DeviceMinute::new(&device, minute);
            for number in count..count + transactions(&moment) {
                if number >= offset && rows.len() < limit {
                    rows.push(row(minute * 60 + number % 60, 1_000 + moment.chance(number, 100_000)));
                }
            }
            count += transactions(&moment);
        }
    }
    let meta = Json::object([("totalCount", count.into())]);
    Ok(Json::object([("meta", meta), ("data", Json::List(rows))]))
}

/// Text that is not there is `-`.
fn row(timestamp: u64, bandwidth: u64) -> Json {
    let attributes = Json::object([
        ("timestamp", timestamp.into()),
        ("bandwidth", bandwidth.into()),
        ("threatType", "-".into()),
        ("policyName", "-".into()),
    ]);
    Json::object([("attributes", attributes)])
}
