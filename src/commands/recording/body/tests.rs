//! Bodies of every form: what is kept, what is replaced, and that every one ends.

use proptest::prelude::*;

use super::*;
use crate::commands::recording::vocabulary::Vocabulary;

fn scrub(body: &str) -> String {
    scrubbed(body, "policy", &mut Pseudonyms::new(Vocabulary::new(&[])))
}

#[test]
fn json_keeps_its_numbers_its_layout_and_its_faults() {
    for (body, expected) in [
        (
            r#"{"meta": {"totalCount": -1}, "data": {"type": "recipients_matched", "resultSet": {"recipients_matched": [{"DEFAULT": 1200}, {"VIP \"x\"": 37}]}}}"#,
            r#"{"meta": {"totalCount": -1}, "data": {"type": "recipients_matched", "resultSet": {"recipients_matched": [{"DEFAULT": 1200}, {"policy-1": 37}]}}}"#,
        ),
        (
            r#"{"data": {"resultSet": [{"detected_spam": 1}, {"corp_new": 2}]}}"#,
            r#"{"data": {"resultSet": [{"detected_spam": 1}, {"counter_1": 2}]}}"#,
        ),
        (
            r#"{"data": [{"a b": 1}, {"a b": 1}, NaN, secret, 5"#,
            r#"{"data": [{"policy-1": 1}, {"policy-1": 1}, NaN, null, 5"#,
        ),
        (r#"{"data": {"userName": "al"#, r#"{"data": {"userName": "user-1"#),
        (
            r#"{"data": {"jwtToken": "eyJ.x.y", "email": ["a@b.c"]}}"#,
            r#"{"data": {"jwtToken": "removed", "email": ["user-1@host-1.example"]}}"#,
        ),
        (
            r#"{"error": {"message": "Invalid value for attribute - VIP.", "code": "404", "explanation": "404 = Nothing matches the given URI."}}"#,
            r#"{"error": {"message": "Invalid value for attribute - word-1.", "code": "404", "explanation": "404 = Nothing matches the given URI."}}"#,
        ),
        ("<!DOCTYPE HTML><html><title>corp</title></html>", HTML),
        (
            "{\"data\":\u{c}{\u{a0}\"detected_spam\"\u{2028}:\u{3000}1}\u{b}}",
            "{\"data\":\u{c}{\u{a0}\"detected_spam\"\u{2028}:\u{3000}1}\u{b}}",
        ),
        (
            r#"{"recipient": [4915112345678, 25], "senderIp": 167772161, "key": 4711, "subject": 4.9e12, "size": 4711}"#,
            r#"{"recipient": [9000000000001, 25], "senderIp": 900000002, "key": 9003, "subject": null, "size": 4711}"#,
        ),
        (
            r#"{"message": 493012345, "token": 493012346, 493012347: 1}"#,
            r#"{"message": 900000001, "policy-1": 900000002, null: 1}"#,
        ),
        (
            r#"{"data": {"resultSet": {"gauges": [{"total_active_recipients": "1,500"}], "mail_system_status": [{"system_status": "Online", "oldest_message": "00:05:30"}], "version_details": [{"operating_system": "AsyncOS 15.0.0", "serial_number": "1234567890"}]}}}"#,
            r#"{"data": {"resultSet": {"gauges": [{"total_active_recipients": "1,500"}], "mail_system_status": [{"system_status": "Online", "oldest_message": "00:05:30"}], "version_details": [{"operating_system": "AsyncOS 15.0.0", "serial_number": "9000000001"}]}}}"#,
        ),
        (
            r#"{"data": {"resultSet": [{"destination_domain": "corp.com", "latest_host_status": "Active", "active_recipients": 5}]}}"#,
            r#"{"data": {"resultSet": [{"destination_domain": "host-1.example", "latest_host_status": "Active", "active_recipients": 5}]}}"#,
        ),
        ("corp is down", "word-1 is word-2"),
        ("", ""),
    ] {
        assert_eq!(scrub(body), expected, "{body}");
    }
}

#[test]
fn a_status_document_keeps_its_structure() {
    let body = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone=\"yes\"?>\n<!-- corp -->\n\
        <status build=\"phoebe 16.0.0-050\" hostname=\"esa1.corp.com\" timestamp=\"20261123120000\">\n\
        corp <feature name=\"Corp &amp; Co\" time_remaining=\"Dormant/Perpetual\" />\
        <counter name=\"inj_msgs\" lifetime=\"123456789012\"/><gauge name=\"corp_x\" current=\"388G\"/><corp/></status>\n";
    let expected = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone=\"yes\"?>\n\n\
        <status build=\"phoebe 16.0.0-050\" hostname=\"host-1.example\" timestamp=\"20261123120000\">\n \
        <feature name=\"feature-1\" time_remaining=\"Dormant/Perpetual\" />\
        <counter name=\"inj_msgs\" lifetime=\"123456789012\"/><gauge name=\"counter_1\" current=\"388G\"/><counter_2/></status>\n";
    assert_eq!(scrub(body), expected);
}

/// Text that no vocabulary holds.
const SECRET: &str = "zq[a-z]{6}q[0-9]{2}z";

proptest! {
    #[test]
    fn every_body_has_an_end(body in "[{\\[\"]?([\\x00-\\x20\u{a0}\u{2028}\u{3000}\u{feff}{}\\[\\]<>:,\"=/!a0-]|\\PC){0,40}") {
        // More than this is a scan that does not move on.
        prop_assert!(scrub(&body).len() <= 100 + 40 * body.len());
    }

    #[test]
    fn no_body_keeps_a_text_that_is_not_known(secret in SECRET, wrap in 0_usize..12, noise in "[\\\\PC\"{}\\[\\]<>:,=&;' \\n]{0,12}") {
        let body = match wrap {
            0 => format!(r#"{{"data": {{"{secret}": "{secret}"}}}}"#),
            1 => format!(r#"{{"data": "{noise}{secret}{noise}"}}"#),
            2 => format!(r#"{{"data": {{"resultSet": {{"{secret}": [{{"x {secret}": {{"key": "{secret}.corp", "value": 1}}}}]}}}}}}"#),
            3 => format!(r#"{{"error": {{"message": "{noise} {secret}: x={secret}", "code": "{secret}"}}}}"#),
            4 => format!(r#"[{secret}, "{secret}"#),
            5 => format!("<status hostname=\"{secret}\"><{secret} {secret}='{secret}'>{secret}</{secret}><!-- {secret} -->"),
            6 => format!("<status><![CDATA[{secret}]]><!DOCTYPE a [<!ENTITY b \"{secret}\">]>{noise}{secret}"),
            7 => format!("<html>{secret}</html>"),
            8 => format!("{secret} {noise}{secret}"),
            9 => format!("{{{noise}{secret}{noise}"),
            10 => format!("<status {noise}{secret}{noise}"),
            _ => format!("{noise}{secret}{noise}"),
        };
        let scrubbed = scrub(&body);
        prop_assert!(!scrubbed.contains(&secret), "{body}\n{scrubbed}");
    }
}
