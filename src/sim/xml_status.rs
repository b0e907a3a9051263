//! `/xml/status` of an ESA: the page of its web interface for programs. **Source:** the recorded page
//! (1player/ironport-prometheus-exporter, status_test.go), order, indentation and spellings included. Assumed: its
//! content type, that rates are events an hour, and every number.

use std::fmt::Write;
use std::time::SystemTime;

use crate::sim::date;
use crate::sim::feature::Feature;
use crate::sim::form::UnitSuffixes;
use crate::sim::health::Readings;
use crate::sim::lifetime_counters::{COUNTERS, LifetimeCounters, Totals};
use crate::sim::settings::Settings;
use crate::sim::unix_secs;

/// Where it is, on the same port as the API.
pub(super) const PATH: &str = "/xml/status";

/// The appliance and the instant that the page describes.
pub(super) struct PageInput<'a> {
    pub(super) settings: &'a Settings,
    /// When the appliance was started and when it was born, in seconds since 1970.
    pub(super) started: u64,
    pub(super) birth: u64,
    pub(super) clock: SystemTime,
}

/// The gauges, as numbers. **Source:** the recorded page.
pub(super) fn gauges(settings: &Settings, clock: SystemTime) -> [(&'static str, u64); 23] {
    let readings = Readings::at(settings, clock);
    [
        ("ram_utilization", readings.memory),
        ("total_utilization", readings.cpu),
        ("cpu_utilization", readings.cpu),
        ("av_utilization", readings.anti_virus),
        ("case_utilization", readings.anti_spam),
        ("bm_utilization", 0),
        ("disk_utilization", readings.disk_io),
        ("resource_conservation", readings.conservation),
        ("log_used", 14),
        ("log_available", settings.behaviour.log_available),
        ("conn_in", readings.connections_in),
        ("conn_out", readings.connections_out),
        ("active_recips", readings.active),
        ("unattempted_recips", readings.active / 3),
        ("attempted_recips", readings.active - readings.active / 3),
        ("msgs_in_work_queue", readings.work_queue),
        ("dests_in_memory", 400 + readings.active),
        ("kbytes_used", 61_506 + 40 * readings.work_queue),
        ("kbytes_free", 34_541_502 - 40 * readings.work_queue.min(800_000)),
        ("msgs_in_policy_virus_outbreak_quarantine", readings.quarantined),
        ("kbytes_in_policy_virus_outbreak_quarantine", 80 * readings.quarantined),
        ("reporting_utilization", readings.reporting),
        ("quarantine_utilization", readings.quarantine),
    ]
}

/// The page in ISO-8859-1.
pub(super) fn page(input: &PageInput<'_>, lifetimes: &mut LifetimeCounters) -> Vec<u8> {
    let PageInput { settings, birth, clock, .. } = *input;
    let behaviour = &settings.behaviour;
    let now = unix_secs(clock);
    let lifetime = lifetimes.at(now);
    let (uptime, reset) = (since(lifetimes, behaviour.booted, now), since(lifetimes, behaviour.counters_reset, now));
    let last_reset = behaviour.counters_reset.map(date::digits).unwrap_or_default();
    let age = age(now.saturating_sub(birth));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone=\"yes\"?>\n\n\
         <status build=\"{}\" hostname=\"{}\" timestamp=\"{}\">\n  \
         <birth_time timestamp=\"{} ({age})\"/>\n  <last_counter_reset timestamp=\"{last_reset}\"/>\n  \
         <system status=\"{}\" />\n",
        escaped(&behaviour.build),
        escaped(&settings.name),
        date::digits(now),
        date::digits(birth),
        escaped(&behaviour.system_status),
    );
    let message_id = 10_000_000 + lifetime[0];
    let oldest = behaviour.oldest_message.unwrap_or(600 + message_id % 600);
    let _ = writeln!(out, "  <oldest_message secs=\"{oldest}\" mid=\"{}\" />", message_id - message_id % 1000);
    write_features(&mut out, input, now);
    out.push_str("  <counters>\n");
    for (place, (name, _)) in COUNTERS.iter().enumerate() {
        let (reset, uptime, lifetime) = (reset[place], uptime[place], lifetime[place]);
        let _ = writeln!(
            out,
            "    <counter name=\"{name}\"\n        reset=\"{reset}\"\n        uptime=\"{uptime}\"\n        \
             lifetime=\"{lifetime}\" />"
        );
    }
    let _ = write!(
        out,
        "  </counters>\n  <current_ids\n    message_id=\"{message_id}\"\n    injection_conn_id=\"{}\"\n    \
         delivery_conn_id=\"{}\" />\n",
        17_000_000 + lifetime[0],
        17_500_000 + lifetime[13],
    );
    write_rates(&mut out, lifetimes, now);
    write_gauges(&mut out, settings, clock);
    out.push_str("</status>\n");
    latin1(&out)
}

/// The counters at `now` since `start`; `None`: since the birth. In seconds since 1970.
pub(super) fn since(lifetimes: &mut LifetimeCounters, start: Option<u64>, now: u64) -> Totals {
    let lifetime = lifetimes.at(now);
    start.map_or(lifetime, |start| minus(lifetime, lifetimes.at(start.min(now))))
}

fn minus(whole: Totals, part: Totals) -> Totals {
    std::array::from_fn(|place| whole[place] - part[place])
}

fn write_features(out: &mut String, input: &PageInput<'_>, now: u64) {
    out.push_str("  <features>\n");
    for Feature { name, remaining } in &input.settings.behaviour.features {
        let (name, remaining) = (escaped(name), escaped(&remaining.text(input.started, now)));
        let _ = writeln!(out, "    <feature name=\"{name}\" time_remaining=\"{remaining}\" />");
    }
    out.push_str("  </features>\n");
}

fn write_rates(out: &mut String, lifetimes: &mut LifetimeCounters, now: u64) {
    /// The counters that have a rate: places in [`COUNTERS`].
    const RATES: [usize; 6] = [0, 1, 5, 6, 7, 13];
    let end = lifetimes.at(now);
    let hourly = [1, 5, 15].map(|minutes| {
        let grown = minus(end, lifetimes.at(now.saturating_sub(60 * minutes)));
        grown.map(|events| events * 60 / minutes)
    });
    out.push_str("  <rates>\n");
    for place in RATES {
        let [one, five, fifteen] = hourly.map(|rates| rates[place]);
        let _ = writeln!(
            out,
            "    <rate name=\"{}\"\n      last_1_min=\"{one}\"\n      last_5_min=\"{five}\"\n      \
             last_15_min=\"{fifteen}\" />",
            COUNTERS[place].0
        );
    }
    out.push_str("  </rates>\n");
}

fn write_gauges(out: &mut String, settings: &Settings, clock: SystemTime) {
    let behaviour = &settings.behaviour;
    out.push_str("  <gauges>\n");
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "    <gauge name=\"{}\" current=\"{}\" />", escaped(name), escaped(text));
    };
    let values = gauges(settings, clock);
    for (name, value) in values {
        let with_unit = match behaviour.suffixes {
            UnitSuffixes::Nowhere => false,
            UnitSuffixes::AsRecorded => name == "log_available",
            UnitSuffixes::Everywhere => true,
        };
        match behaviour.status_gauges.get(name) {
            Some(None) => {}
            Some(Some(text)) => line(name, text),
            None if with_unit => line(name, &sized(value)),
            None => line(name, &value.to_string()),
        }
    }
    let known = values.map(|(name, _)| name);
    for (name, text) in behaviour.status_gauges.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
        text.iter().for_each(|text| line(name, text));
    }
    out.push_str("  </gauges>\n");
}

/// A size as the page writes it: `388G`.
fn sized(value: u64) -> String {
    let (mut value, mut units) = (value, ["K", "M", "G", "T"].into_iter());
    let mut unit = "";
    while value >= 1024
        && let Some(larger) = units.next()
    {
        value /= 1024;
        unit = larger;
    }
    format!("{value}{unit}")
}

/// `169d 1h 39m 8s`.
fn age(secs: u64) -> String {
    format!("{}d {}h {}m {}s", secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60)
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// The text in ISO-8859-1; any other character becomes a character reference.
fn latin1(text: &str) -> Vec<u8> {
    let byte = |character: char| u8::try_from(u32::from(character)).map(|byte| vec![byte]);
    let encode =
        |character: char| byte(character).unwrap_or_else(|_| format!("&#{};", u32::from(character)).into_bytes());
    text.chars().flat_map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_ages_and_texts_are_written_as_recorded() {
        assert_eq!([14, 2047, 416_611_827_712, 5 << 40].map(sized), ["14", "1K", "388G", "5T"]);
        assert_eq!(age(14_607_548), "169d 1h 39m 8s");
        assert_eq!(latin1(&escaped("<\u{fc} & \"\u{20ac}\">")), b"&lt;\xfc &amp; &quot;&#8364;&quot;&gt;");
    }
}
