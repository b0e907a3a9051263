//! From the head of a request to what its answer is to be. Pure; knows nothing of pages.
//! **Source:** RFC 9110, sections 12.4.2 (weights), 12.5.1 (`Accept`) and 12.5.3 (`Accept-Encoding`).

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};
use hyper::http::request::Parts;

use crate::exposition::{Encoding, Format, Scrape, Variant};

/// The content that a request for metrics selects, and its form.
pub(super) fn scrape(head: &Parts) -> Scrape {
    let mut scrape = Scrape { variant: variant(&head.headers), ..Scrape::default() };
    for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "appliance" => scrape.appliances.push(value.into_owned()),
            "name[]" => scrape.families.push(value.into_owned()),
            // Whoever scrapes may have parameters of their own.
            _ => {}
        }
    }
    scrape
}

/// The form of page that suits a client best. One that accepts neither format gets the text format, which everybody
/// can show: a refusal would tell less.
pub(super) fn variant(headers: &HeaderMap) -> Variant {
    Variant { format: format(headers), encoding: encoding(headers) }
}

/// The text format where both are as welcome: OpenMetrics is for those who ask for it.
fn format(headers: &HeaderMap) -> Format {
    let accepted = parsed(headers, &ACCEPT);
    let best = |format: Format| {
        let most_specific = accepted.iter().filter_map(|(range, weight)| Some((specificity(format, range)?, *weight)));
        // Of those that name a format in one way, the best counts.
        most_specific.max().map_or(0, |(_, weight)| weight)
    };
    let (text, openmetrics) = (best(Format::Text), best(Format::OpenMetrics));
    if openmetrics > text { Format::OpenMetrics } else { Format::Text }
}

/// The specificity with which `range` names `format`, higher for more exact; none where it names another format or an
/// unsupported version.
fn specificity(format: Format, range: &str) -> Option<u8> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    let (ours, kind, version) = match format {
        Format::Text => ("text/plain", "text/*", "0.0.4"),
        Format::OpenMetrics => ("application/openmetrics-text", "application/*", "1.0.0"),
    };
    if media.eq_ignore_ascii_case(ours) {
        let asked = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim() == "version");
        return match asked {
            None => Some(2),
            Some((_, asked)) => (asked.trim().trim_matches('"') == version).then_some(3),
        };
    }
    match media {
        // Nobody means OpenMetrics by that, which has rules that only its readers know.
        "*/*" if format == Format::Text => Some(0),
        media if media.eq_ignore_ascii_case(kind) => (format == Format::Text).then_some(1),
        _ => None,
    }
}

/// Gzip for those who accept it, unless they would rather have none.
fn encoding(headers: &HeaderMap) -> Encoding {
    let accepted = parsed(headers, &ACCEPT_ENCODING);
    let weight = |coding: &str| {
        let named = accepted.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
        named.or_else(|| accepted.iter().find(|(name, _)| name == "*")).map(|(_, weight)| *weight)
    };
    let gzip = weight("gzip").or_else(|| weight("x-gzip")).unwrap_or(0);
    // What is not named is acceptable, but least of all.
    let identity = weight("identity").unwrap_or(0);
    if gzip > 0 && gzip >= identity { Encoding::Gzip } else { Encoding::Identity }
}

/// The elements of a list, each without its weight, which is in thousandths.
fn parsed(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let elements = lines.flat_map(|line| line.split(',')).map(str::trim).filter(|element| !element.is_empty());
    elements.map(weighed).collect()
}

fn weighed(element: &str) -> (String, u16) {
    let (mut rest, mut weight) = (Vec::new(), 1000);
    for part in element.split(';').map(str::trim) {
        match part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")) {
            // A weight that is none is no wish for anything.
            Some((_, text)) => weight = thousandths(text.trim()).unwrap_or(0),
            None => rest.push(part),
        }
    }
    (rest.join(";"), weight)
}

/// `0.123` as 123; at most 1, with at most three digits.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let part: u16 = format!("{part:0<3}").parse().ok().filter(|_| is_digits)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    /// Sent by Prometheus 2.42 (Debian 12) and by 3.5.3.
    const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
         text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
         application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        let cases = [
            ("", Format::Text),
            (PROMETHEUS_2, Format::OpenMetrics),
            (PROMETHEUS_3, Format::OpenMetrics),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format::Text),
            (BROWSER, Format::Text),
            ("*/*", Format::Text),
            ("text/*", Format::Text),
            ("application/*", Format::Text),
            ("application/json", Format::Text),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text; version=\"1.0.0\"; charset=utf-8", Format::OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Format::Text),
            ("application/openmetrics-text;version=0.0.1", Format::Text),
            ("application/openmetrics-text;q=0.3,text/plain;q=0.3", Format::Text),
            ("application/openmetrics-text;q=0.31,text/plain;q=0.3", Format::OpenMetrics),
            ("application/openmetrics-text;q=0.300, text/plain;q=0.299", Format::OpenMetrics),
            ("application/openmetrics-text;q=0", Format::Text),
            ("application/openmetrics-text;q=0,*/*", Format::Text),
            ("application/openmetrics-text;q=0.2,*/*;q=0.9", Format::Text),
            // The more exact range counts, not the heavier one.
            ("text/plain;version=0.0.4;q=0.1,text/plain;q=0.9,application/openmetrics-text;q=0.5", Format::OpenMetrics),
            ("text/plain;q=0,*/*;q=0.9,application/openmetrics-text;q=0.1", Format::OpenMetrics),
            // A weight that is none counts for nothing.
            ("application/openmetrics-text;q=2", Format::Text),
            ("application/openmetrics-text;q=0.1234", Format::Text),
            ("application/openmetrics-text;q=-1,text/plain;q=0.001", Format::Text),
            (",, ;q=1,application/openmetrics-text", Format::OpenMetrics),
        ];
        for (accept, expected) in cases {
            assert_eq!(format(&headers(&[(ACCEPT, accept)])), expected, "{accept}");
        }
        assert_eq!(format(&HeaderMap::new()), Format::Text);
        let lines = [(ACCEPT, "text/plain;q=0.2"), (ACCEPT, "application/openmetrics-text;q=0.3")];
        assert_eq!(format(&headers(&lines)), Format::OpenMetrics, "two lines are one list");
    }

    #[test]
    fn gzip_is_for_those_who_accept_it() {
        let cases = [
            ("", Encoding::Identity),
            ("gzip", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("GZip", Encoding::Gzip),
            ("gzip, deflate, br, zstd", Encoding::Gzip),
            ("*", Encoding::Gzip),
            ("gzip;q=0", Encoding::Identity),
            ("gzip;q=0, *", Encoding::Identity),
            ("*;q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("deflate, br", Encoding::Identity),
            ("gzip;q=0.5, identity", Encoding::Identity),
            ("gzip;q=0.5, identity;q=0.5", Encoding::Gzip),
            ("gzip;q=0.001", Encoding::Gzip),
            ("gzip;q=0.000", Encoding::Identity),
            ("identity;q=0, *;q=0.1", Encoding::Gzip),
        ];
        for (accepted, expected) in cases {
            assert_eq!(encoding(&headers(&[(ACCEPT_ENCODING, accepted)])), expected, "{accepted}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Encoding::Identity);
    }

    #[test]
    fn weights_are_those_of_the_grammar() {
        let cases = [
            ("1", Some(1000)),
            ("1.", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.999", Some(999)),
            ("1.001", None),
            ("0.+1", None),
            ("2", None),
            ("", None),
            (".5", None),
            ("-0", None),
            ("0.1234", None),
            ("nan", None),
        ];
        for (text, expected) in cases {
            assert_eq!(thousandths(text), expected, "{text}");
        }
    }

    #[test]
    fn parameters_choose_appliances_and_families() {
        let of = |uri: &str| scrape(&hyper::Request::get(uri).body(()).unwrap().into_parts().0);
        assert_eq!(of("/metrics"), Scrape::default());
        assert_eq!(of("/metrics?x=1&appliances=a&name=b"), Scrape::default());
        let chosen = of("/metrics?appliance=esa1&name[]=asyncos_up&appliance=a%20%22b%22&name%5B%5D=x");
        assert_eq!(chosen.appliances, ["esa1", "a \"b\""]);
        assert_eq!(chosen.families, ["asyncos_up", "x"]);
    }
}
