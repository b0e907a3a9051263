//! A thousand names, addresses, domains, tokens and passwords in every kind of answer, none of which a bundle may hold.

use std::fmt::Write;
use std::time::Duration;

use asyncos_exporter::api::{Answered, Exchange};
use asyncos_exporter::commands::recording::{Recording, Scrubber};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Map, json};

const MOST: usize = 1000;

/// The `number`th text that a bundle may not hold.
fn planted(number: usize) -> String {
    let (high, low) = (number / 250 + 1, number % 250 + 1);
    match number % 12 {
        0 => format!("Zaphod Quux{number}"),
        1 => format!("mx{number}.quuxcorp.com"),
        2 => format!("zaphod.quux{number}@quuxcorp.com"),
        3 => format!("45.77.{high}.{low}"),
        4 => format!("2a02:26f7:{number:x}::{low:x}"),
        5 => format!("eyJhbGciOiJIUzI1NiJ9.eyJ1IjoiUXV1eHtudW1iZXJ9In0{number}.c2lnbmF0dXJl{number}"),
        6 => format!("pa$$w0rd-Quux{number}!"),
        7 => format!("Quux Policy {number} (Finance)"),
        8 => format!("4229C7D1E3A1B2C3{number:04X}-F6A7B8C9D0E1"),
        9 => format!("https://intranet.quuxcorp.com/people/{number}?session=QX{number}"),
        10 => format!("Q\u{fc}\u{fc}x \"{number}\" <zaphod@quuxcorp.com>"),
        _ => format!("+49308817{number:04}7"),
    }
}

fn percent(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// `text` as it may stand in an answer.
fn disguised(text: &str, number: usize) -> String {
    match number / 12 % 4 {
        0 => text.to_owned(),
        1 => STANDARD.encode(text),
        2 => percent(text),
        _ => format!("x {text} y"),
    }
}

/// Target, content type and body of every kind of answer, with `text` in all its places.
fn answers(text: &str) -> Vec<(String, &'static str, String)> {
    let quoted = json!(text).to_string();
    let (encoded, segment) = (percent(text), percent(text).replace('+', "%20"));
    let xml = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (json, html, plain) = ("application/json", "text/html", "text/plain");
    let report = |group: &str| {
        format!(
            "/esa/api/v2.0/reporting/{group}?startDate=2026-11-23T11:00:00.000Z&device_name={encoded}&device_group_name={encoded}"
        )
    };
    let of = |target: &str, body: String| (target.to_owned(), json, body);
    vec![
        of("/esa/api/v2.0/login", json!({"data": {"userName": text, "role": text, "email": [text], "jwtToken": text}}).to_string()),
        of(&report("mail_incoming_traffic_summary"), format!(r#"{{"meta": {{"totalCount": -1}}, "data": {{"type": {quoted}, "resultSet": [{{{quoted}: 5}}, {{"detected_spam": {quoted}}}]}}}}"#)),
        of(&report("mail_policy_incoming"), format!(r#"{{"data": {{"resultSet": {{"recipients_matched": [{{{quoted}: 5}}, {{"key": {quoted}, "value": 1}}]}}}}}}"#)),
        of(&report("mail_incoming_ip_hostname_detail"), format!(r#"{{"data": {{"resultSet": {{"total_recipients": [{{{quoted}: {{"key": {quoted}, "value": {quoted}}}}}]}}}}}}"#)),
        of(&report("mail_users_detail"), json!({"data": {"resultSet": {"counter_names": [text], "time_intervals": [{"keys": [text], "counter_values": [[text, 1]]}]}}}).to_string()),
        of("/esa/api/v2.0/message-tracking/messages", json!({"meta": {"totalCount": 1}, "data": [{"attributes": {
            "hostName": text, "senderIp": text, "senderGroup": text, "sender": text, "recipient": [text], "subject": text,
            "mailPolicy": [text], "serialNumber": text, "messageStatus": {text: text}}}]}).to_string()),
        of(&format!("/esa/api/v2.0/quarantine/messages?quarantines={encoded}&envelopeRecipientFilterValue={encoded}"), json!({"data": [{"attributes": {
            "envelopeRecipient": [text], "toAddress": [format!("{text} <{text}>")], "subject": text, "fromAddress": [text], "date": text, "size": text}, "mid": text}]}).to_string()),
        of("/sma/api/v2.0/config/appliances?device_type=sma", json!({"data": {"appliances": [{text: {"host_name": text, "ip_address": text, "product_type": text, "pvo_enabled": text}}]}}).to_string()),
        of("/sma/api/v2.0/config/quarantines", json!({"data": {"quarantines": {text: [text]}}}).to_string()),
        of(&format!("/esa/api/v2.0/config/local_quarantines/{segment}"), json!({"data": {text: [{text: text}]}}).to_string()),
        of("/esa/api/v2.0/config/system_time", json!({"data": {"timezone": text, "continent": [text], "time": text}}).to_string()),
        of("/esa/api/v2.0/login/privileges", json!({"data": [text]}).to_string()),
        of("/esa/api/v2.0/reporting/reporting_system", json!({"data": {"resultSet": [{"begin_time": text, "heartbeat": text}]}}).to_string()),
        of("/esa/api/v2.0/health", format!(r#"{{"error": {{"message": "Invalid value for attribute - {}.", "code": {quoted}, "explanation": {quoted}}}}}"#, &quoted[1..quoted.len() - 1])),
        of("/esa/api/v2.0/health", format!("{{\"data\": {{{quoted}: {quoted}, \"x")),
        of("/esa/api/v2.0/health", format!("{{\"data\": \"{quoted}")),
        ("/x".to_owned(), html, format!("<html><head><title>{text}</title></head><body>{text}</body></html>")),
        ("/x".to_owned(), plain, format!("upstream {text} is down: {text}")),
        (format!("/{segment}?{encoded}={encoded}"), json, String::new()),
        ("/xml/status".to_owned(), "text/xml", format!("<?xml version=\"1.0\"?><!-- {xml} --><status build=\"{xml}\" hostname=\"{xml}\" timestamp=\"{xml}\"><system status=\"{xml}\"/><feature name=\"{xml}\" time_remaining=\"{xml}\"/><counter name=\"{xml}\" lifetime=\"{xml}\"/><gauge name=\"{xml}\" current=\"{xml}\"/>{xml}</status>")),
    ]
}

/// All texts in `bundle` that are Base64 of text, decoded.
fn decoded(bundle: &str) -> String {
    let is_base64 = |letter: char| letter.is_ascii_alphanumeric() || "+/-_".contains(letter);
    let mut found = String::new();
    for run in bundle.split(|letter| !is_base64(letter)).filter(|run| run.len() >= 8) {
        for skip in 0..4 {
            let part = &run[skip.min(run.len())..];
            let part = &part[..part.len() / 4 * 4];
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let bytes = engine.decode(part).unwrap_or_default();
                let _ = writeln!(found, "{}", String::from_utf8_lossy(&bytes));
            }
        }
    }
    found
}

#[test]
fn none_of_a_thousand_planted_texts_is_in_a_bundle() {
    let mut scrubber = Scrubber::new(&[]);
    let mut recording = Recording::new("2026-11-23T12:00:00.000Z".into(), "esa", Map::new());
    for number in 0..MOST {
        let text = planted(number);
        let in_answer = disguised(&text, number);
        for (target, kind, body) in answers(&in_answer) {
            let headers = [
                ("Content-Type", format!("{kind}; charset={in_answer}")),
                ("Location", format!("https://{in_answer}/{in_answer}?{in_answer}={in_answer}")),
                ("Date", in_answer.clone()),
                ("Retry-After", in_answer.clone()),
            ];
            let answer = Answered { status: 200, headers: &headers, body: body.as_bytes() };
            let exchange =
                Exchange { method: "GET", target: &target, answer: Ok(answer), took: Duration::from_millis(5) };
            recording.exchanges.push(scrubber.exchange(&exchange));
        }
    }
    let bundle = recording.to_string();
    assert!(bundle.contains("\"detected_spam\"") && bundle.contains("Invalid value for attribute"), "words are kept");
    for word in ["quux", "zaphod", "eyJ", "45.77.", "4229C7D1", "49308817"] {
        assert!(!bundle.contains(word) && !bundle.to_ascii_lowercase().contains(word), "{word}");
    }
    let each = recording.exchanges.len() / MOST;
    for (number, exchanges) in recording.exchanges.chunks(each).enumerate() {
        let part = Recording { about: recording.about.clone(), exchanges: exchanges.to_vec() }.to_string();
        check(&planted(number), &part);
    }
    assert_eq!(Recording::parse(&bundle), Ok(recording));
}

/// Panics if `text` is in `bundle` in any disguise.
fn check(text: &str, bundle: &str) {
    let percent_decoded: String = url::form_urlencoded::parse(bundle.replace('&', "%26").as_bytes())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let haystacks = [bundle.to_owned(), decoded(bundle), percent_decoded];
    let escaped = json!(text).to_string();
    let hex = text.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let forms = [
        text.to_owned(),
        escaped[1..escaped.len() - 1].to_owned(),
        percent(text),
        STANDARD.encode(text).trim_end_matches('=').to_owned(),
        hex,
        "quux".to_owned(),
        "Quux".to_owned(),
        "zaphod".to_owned(),
        "Zaphod".to_owned(),
    ];
    for (form, haystack) in forms.iter().flat_map(|form| haystacks.iter().map(move |haystack| (form, haystack))) {
        assert!(!haystack.contains(form.as_str()), "{form} ({text})");
    }
}
