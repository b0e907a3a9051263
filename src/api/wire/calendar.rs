//! Dates in the forms that answers are known to use, and the calendar arithmetic they need. Knows no time zone: a text
//! that names another one than UTC has no instant here.

use crate::base::clock::Timestamp;

/// The end of the year 9999, in seconds since 1970: a larger number is no date in seconds.
const LAST_SECOND: u64 = 253_402_300_799;

/// A date and a time of day of the Gregorian calendar, in whatever zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::api) struct Civil {
    year: u16,
    month: u8,
    day: u8,
    /// Seconds since midnight.
    second: u32,
}

impl Civil {
    /// The date, if there is such a one from 1970 to 9999; a leap second counts as the first of the next minute.
    fn try_new(year: u16, month: u8, day: u8, time: (u8, u8, u8)) -> Option<Self> {
        let (hours, minutes, seconds) = time;
        let days = days_in(year, month)?;
        let fits = (1970..=9999).contains(&year) && (1..=days).contains(&day);
        if !fits || hours > 23 || minutes > 59 || seconds > 60 {
            return None;
        }
        let second = u32::from(hours) * 3600 + u32::from(minutes) * 60 + u32::from(seconds);
        Some(Self { year, month, day, second })
    }

    /// Reads `YYYYMMDDhhmmss` at the beginning of `text`.
    ///
    /// **Source:** recorded status document.
    pub(in crate::api) fn compact(text: &str) -> Option<Self> {
        let (digits, rest) = text.trim_start().split_at_checked(14)?;
        if rest.starts_with(|next: char| next.is_ascii_digit()) {
            return None;
        }
        let at = |from: usize, to: usize| digits.get(from..to);
        let part = |from, to| at(from, to).and_then(two);
        let year = at(0, 4).and_then(four)?;
        Self::try_new(year, part(4, 6)?, part(6, 8)?, (part(8, 10)?, part(10, 12)?, part(12, 14)?))
    }

    /// Reads `2026-01-01 00:00:00`, with a `T` or a blank in the middle, or `Thu Apr 12 23:38:05 2018`, without any zone.
    ///
    /// **Source:** examples of one published client; the vendor's guide.
    pub(in crate::api) fn local(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().take(6).collect();
        match *words.as_slice() {
            [date, time] => Self::numeric(date, time),
            [one] => one.split_once('T').and_then(|(date, time)| Self::numeric(date, time)),
            [_, _, _, _, _] => Self::of_ctime(text),
            _ => None,
        }
    }

    fn numeric(date: &str, time: &str) -> Option<Self> {
        let (year, rest) = date.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        Self::try_new(four(year)?, two(month)?, two(day)?, time_of_day(time)?)
    }

    /// Reads the first five words of `Thu Apr 12 23:38:05 2018 IST`, whatever the zone.
    ///
    /// **Source:** the vendor's guide, the time of the system.
    pub(in crate::api) fn of_ctime(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().take(6).collect();
        let [_, month, day, time, year, ..] = *words.as_slice() else { return None };
        let day = if day.len() == 1 { one(day) } else { two(day) }?;
        Self::try_new(four(year)?, month_named(month)?, day, time_of_day(time)?)
    }

    /// Seconds from 1970-01-01T00:00:00 in the same zone.
    pub(in crate::api) fn seconds(self) -> u64 {
        days_since_1970(self.year, self.month, self.day) * 86_400 + u64::from(self.second)
    }

    fn in_utc(self) -> Timestamp {
        Timestamp::from_secs(self.seconds())
    }
}

/// The instant a text or a number of an answer means; none for any other form, and where it is in a zone that is not
/// UTC or whose name is not known to be.
///
/// **Source:** the forms of dates in guides and recorded answers: ISO 8601, `07 Sep 2022 08:10:33 (GMT)` of tracking with
/// `(GMT +00:00)` on gateways, and the form of C's `ctime`; Unix seconds are assumed.
pub(in crate::api) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    unix(text).or_else(|| iso(text)).or_else(|| spelled(text))
}

/// Seconds since 1970, whole or not. Zero is no date: it stands where there has been none, which is assumed.
fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) {
        return None;
    }
    let seconds = seconds.parse().ok().filter(|seconds| (1..=LAST_SECOND).contains(seconds))?;
    Some(Timestamp::from_secs(seconds))
}

/// `2022-07-25T19:00:00.000Z`, or `2017-11-14T02:00+00:00`.
fn iso(text: &str) -> Option<Timestamp> {
    let local = ["Z", "+00:00"].iter().find_map(|zone| text.strip_suffix(zone))?;
    let (date, time) = local.split_once(['T', ' '])?;
    let (year, rest) = date.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let time = time
        .split_once('.')
        .map_or(Some(time), |(time, fraction)| fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some(time))?;
    Some(Civil::try_new(four(year)?, two(month)?, two(day)?, time_of_day(time)?)?.in_utc())
}

/// `07 Sep 2022 08:10:33 (GMT)`, or `Thu Apr 12 23:38:05 2018`, whose zone is UTC where none is named: dates of exported
/// reports are in GMT.
fn spelled(text: &str) -> Option<Timestamp> {
    let words: Vec<&str> = text.split_whitespace().take(7).collect();
    let (day, month, year, time, zone) = match *words.as_slice() {
        [day, month, year, time, ref zone @ ..] if year.len() == 4 => (day, month, year, time, zone),
        [weekday, month, day, time, year, ref zone @ ..] if weekday.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            (day, month, year, time, zone)
        }
        _ => return None,
    };
    let is_utc = matches!(zone, [] | ["GMT" | "UTC" | "(GMT)" | "(UTC)"] | ["(GMT", "+00:00)"]);
    let day = if day.len() == 1 { one(day) } else { two(day) }?;
    let civil = Civil::try_new(four(year)?, month_named(month)?, day, time_of_day(time)?)?;
    is_utc.then(|| civil.in_utc())
}

/// `hh:mm:ss` or `hh:mm`.
fn time_of_day(text: &str) -> Option<(u8, u8, u8)> {
    let mut parts = text.split(':');
    let (hours, minutes) = (two(parts.next()?)?, two(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), two)?;
    parts.next().is_none().then_some((hours, minutes, seconds))
}

fn month_named(name: &str) -> Option<u8> {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    (1u8..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| number)
}

fn one(text: &str) -> Option<u8> {
    digits::<1>(text).and_then(|text| text.parse().ok())
}

fn two(text: &str) -> Option<u8> {
    digits::<2>(text).and_then(|text| text.parse().ok())
}

fn four(text: &str) -> Option<u16> {
    digits::<4>(text).and_then(|text| text.parse().ok())
}

/// `text` if it is `N` digits: `parse` alone would take a sign.
fn digits<const N: usize>(text: &str) -> Option<&str> {
    (text.len() == N && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u16, month: u8) -> Option<u8> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if is_leap(year) => Some(29),
        2 => Some(28),
        _ => None,
    }
}

/// Days from 1970-01-01 to a date that is not before it.
fn days_since_1970(year: u16, month: u8, day: u8) -> u64 {
    // Counted from March, the leap day is a year's last, and the months before a month follow a pattern of five that
    // has 153 days.
    let (year, month) =
        if month < 3 { (u64::from(year) - 1, u64::from(month) + 9) } else { (u64::from(year), u64::from(month) - 3) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + u64::from(day) - 1;
    // From 0000-03-01 to 1970-01-01.
    days - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month).expect("a month") {
                    assert_eq!(days_since_1970(year, month, day), expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
        assert_eq!(expected * 86_400, LAST_SECOND + 1);
    }

    #[test]
    fn the_forms_of_answers_mean_instants() {
        let cases = [
            ("1795435200", "2026-11-23T12:00:00.000Z"),
            (" 1795435200.25 ", "2026-11-23T12:00:00.000Z"),
            ("2022-07-25T19:00:00.000Z", "2022-07-25T19:00:00.000Z"),
            ("2022-07-25T19:00:01Z", "2022-07-25T19:00:01.000Z"),
            ("2017-11-14T02:00+00:00", "2017-11-14T02:00:00.000Z"),
            ("07 Sep 2022 08:10:33 (GMT)", "2022-09-07T08:10:33.000Z"),
            ("07 Sep 2022 08:10:33 (GMT +00:00)", "2022-09-07T08:10:33.000Z"),
            ("28 Aug 2022 15:33 (GMT)", "2022-08-28T15:33:00.000Z"),
            ("Thu Apr 12 23:38:05 2018", "2018-04-12T23:38:05.000Z"),
            ("Sun Apr  1 00:00:00 2018 UTC", "2018-04-01T00:00:00.000Z"),
            ("Thu Feb 29 23:59:60 2024 GMT", "2024-03-01T00:00:00.000Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(instant(text).map(|time| time.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_of_another_zone_has_no_instant() {
        for text in [
            "",
            "0",
            "-5",
            "1795435200000",
            "99999999999999999999",
            "5.",
            "N/A",
            "2022-07-25T19:00:00",
            "2022-07-25T19:00:00+05:30",
            "2022-13-25T19:00:00Z",
            "2023-02-29T19:00:00Z",
            "2022-07-25T24:00:00Z",
            "2022-07-25T+1:00:00Z",
            "1969-12-31T23:59:59Z",
            "07 Sep 2022 08:10:33 (GMT +05:30)",
            "07 Sep 2022 08:10:33:00 (GMT)",
            "07 sep 2022 08:10:33 (GMT)",
            "Thu Apr 12 23:38:05 2018 IST",
            "Mon May 13 07:02:36 2019 PDT",
            "Thu Apr 12 23:38:05 2018 GMT and more",
            "Thu Apr",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn compact_dates_may_be_followed_by_words() {
        let seconds = |text| Civil::compact(text).map(Civil::seconds);
        assert_eq!(seconds("19700101000000"), Some(0));
        assert_eq!(seconds("20261123120000"), Some(1_795_435_200));
        assert_eq!(seconds("20261123120000 (1d 2h)"), Some(1_795_435_200));
        for text in ["", "2026112312000", "202611231200000", "20261323120000", "2026112312000ü", "2026-1-23T12:0"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in ".*", likely in "[0-9A-Za-z :.()+TZ-]{0,40}") {
            for text in [&text, &likely] {
                let _ = (instant(text), Civil::compact(text));
            }
        }

        #[test]
        fn what_we_write_we_read(seconds in 1..=LAST_SECOND) {
            let time = Timestamp::from_secs(seconds);
            prop_assert_eq!(instant(&time.to_string()), Some(time));
        }
    }
}
