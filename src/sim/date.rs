//! The dates of `startDate` and `endDate`. **Source:** API guide 16.0 and an SMA sample: `2022-07-25T19:00:00.000Z` and
//! `2017-11-14T02:00+00:00`.

use std::time::{Duration, UNIX_EPOCH};

/// A date as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ParsedDate {
    /// Seconds since 1970, in UTC.
    pub(super) secs: u64,
    /// Whether it is a whole second.
    pub(super) whole: bool,
}

impl ParsedDate {
    pub(super) const fn on_the_hour(self) -> bool {
        // Seconds have their own message, so only the minutes matter here.
        (self.secs / 60).is_multiple_of(60)
    }

    pub(super) const fn on_the_minute(self) -> bool {
        self.whole && self.secs.is_multiple_of(60)
    }
}

/// Reads a date; `None` when it is not one, lies before 1970, or has no zone.
pub(super) fn parse(text: &str) -> Option<ParsedDate> {
    let (local, offset) = split_zone(text)?;
    // `hh:mm` alone is accepted, and is what the shorter form has.
    let seconds = if local.len() == "2017-11-14T02:00".len() { ":00" } else { "" };
    if local.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time = humantime::parse_rfc3339(&format!("{local}{seconds}Z")).ok()?;
    let since_epoch = time.duration_since(UNIX_EPOCH).ok()?;
    let secs = i64::try_from(since_epoch.as_secs()).ok()?.checked_sub(offset)?;
    Some(ParsedDate { secs: u64::try_from(secs).ok()?, whole: since_epoch.subsec_nanos() == 0 })
}

/// A time as tracking on an SMA writes it: `07 Sep 2022 08:10:33 (GMT)`. **Source:** recorded answers.
pub(super) fn tracking(secs: u64) -> String {
    let Fields { year, month, day, time, .. } = fields(secs);
    format!("{day} {month} {year} {time} (GMT)")
}

/// A time as a quarantine writes it: `28 Aug 2022 15:33 (GMT)`. **Source:** a recorded answer.
pub(super) fn quarantine(secs: u64) -> String {
    let Fields { year, month, day, time, .. } = fields(secs);
    format!("{day} {month} {year} {} (GMT)", time.get(..5).unwrap_or_default())
}

/// A time as C's `ctime` writes it, without the line end: `Mon Nov 23 12:00:00 2026`.
pub(super) fn ctime(secs: u64) -> String {
    let Fields { weekday, year, month, day, time } = fields(secs);
    format!("{weekday} {month} {day} {time} {year}")
}

/// A time as the dates of a report are written: `2022-07-25T19:00:00.000Z`.
pub(super) fn iso(secs: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_secs(secs)).to_string()
}

/// A time as `/xml/status` writes it: `20170329115551`.
pub(super) fn digits(secs: u64) -> String {
    iso(secs).chars().filter(char::is_ascii_digit).take("YYYYMMDDhhmmss".len()).collect()
}

/// The parts of a date in UTC.
struct Fields {
    weekday: String,
    day: String,
    month: String,
    year: String,
    time: String,
}

fn fields(secs: u64) -> Fields {
    // `Mon, 23 Nov 2026 12:00:00 GMT`
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs));
    let mut parts = date.split([' ', ',']).filter(|part| !part.is_empty()).map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Fields { weekday: next(), day: next(), month: next(), year: next(), time: next() }
}

/// Splits off the zone and gives it as seconds east of UTC.
fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, 0));
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub("+00:00".len())?)?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let seconds = i64::from(hours.parse::<u8>().ok()?) * 3600 + i64::from(minutes.parse::<u8>().ok()?) * 60;
    match zone.as_bytes().first()? {
        // A plus sign sent as itself in a query reaches the server as a space.
        b'+' | b' ' => Some((local, seconds)),
        b'-' => Some((local, -seconds)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_documented_forms_and_no_others() {
        let at = |text| parse(text).map(|instant| instant.secs);
        assert_eq!(at("2022-07-25T19:00:00.000Z"), Some(1_658_775_600));
        assert_eq!(at("2022-07-25T19:00+00:00"), Some(1_658_775_600));
        assert_eq!(at("2022-07-25T19:00 00:00"), Some(1_658_775_600));
        assert_eq!(at("2022-07-25T21:00:00.000+02:00"), Some(1_658_775_600));
        assert_eq!(at("2022-07-25T15:30-03:30"), Some(1_658_775_600));
        for bad in ["", "Z", "now", "2022-07-25", "2022-07-25T19:00", "2022-02-30T19:00:00Z", "2022-07-25 19:00:00Z"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn writes_the_known_forms() {
        assert_eq!(tracking(1_662_538_233), "07 Sep 2022 08:10:33 (GMT)");
        assert_eq!(quarantine(1_662_538_233), "07 Sep 2022 08:10 (GMT)");
        assert_eq!(ctime(1_662_538_233), "Wed Sep 07 08:10:33 2022");
        assert_eq!(digits(1_662_538_233), "20220907081033");
        assert_eq!(iso(1_662_538_233), "2022-09-07T08:10:33.000Z");
    }

    #[test]
    fn whole_hours_and_whole_minutes_are_recognised() {
        let of = |text| parse(text).map(|instant| (instant.on_the_hour(), instant.on_the_minute()));
        assert_eq!(of("2022-07-25T19:00:00.000Z"), Some((true, true)));
        assert_eq!(of("2022-07-25T19:05:00.000Z"), Some((false, true)));
        assert_eq!(of("2022-07-25T19:00:01.000Z"), Some((true, false)));
        assert_eq!(of("2022-07-25T19:00:00.001Z"), Some((true, false)));
    }
}
