//! Tests of the reader of the status document.

use proptest::prelude::*;

use super::*;

/// After the recorded document, shortened; its own count of the time since birth stands beside the date.
const SAMPLE: &str = r#"
<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>

<status build="phoebe 10.0.0-203" hostname="esa1.example.com" timestamp="20170329115551">
  <birth_time timestamp="20161011101643 (169d 1h 39m 8s)"/>
  <last_counter_reset timestamp=""/>
  <system status="online" />
  <oldest_message secs="261369" mid="10836353" />
  <features>
    <feature name="Sophos" time_remaining="2592000" />
    <feature name="File Analysis" time_remaining="-46298076" />
    <feature name="Bounce Verification" time_remaining="Dormant/Perpetual" />
  </features>
  <counters>
    <counter name="inj_msgs"
        reset="10741905"
        uptime="6037436"
        lifetime="10741906" />
    <counter name="5xx_hard_bounced_recips" reset="1" uptime="2" lifetime="9007199254740992" />
  </counters>
  <current_ids message_id="10875286" injection_conn_id="17125687" delivery_conn_id="17502919" />
  <rates>
    <rate name="inj_msgs" last_1_min="601" last_5_min="945" last_15_min="1084" />
  </rates>
  <gauges>
    <gauge name="ram_utilization" current="6" />
    <gauge name="log_available" current="388G" />
  </gauges>
</status>
"#;

/// Not the time in the document, which is local.
const NOW: Timestamp = Timestamp::from_secs(1_490_781_351);

fn parse(body: &str) -> Result<XmlStatus, Reason> {
    XmlStatus::parse(body.as_bytes(), NOW).map_err(|failure| failure.reason)
}

/// A document around `inside`.
fn around(inside: &str) -> Result<XmlStatus, Reason> {
    parse(&format!(r#"<status timestamp="20170329115551">{inside}</status>"#))
}

#[test]
fn the_recorded_document() {
    let since_birth = Duration::from_secs(((169 * 24 + 1) * 60 + 39) * 60 + 8);
    let feature = |name: &str, expires| Feature { name: name.into(), expires };
    let expected = XmlStatus {
        build: Some("phoebe 10.0.0-203".into()),
        hostname: Some("esa1.example.com".into()),
        timestamp: Some(NOW),
        birth: Some(NOW - since_birth),
        last_counter_reset: None,
        system_state: Some("online".into()),
        oldest_message_seconds: Some(261_369.0),
        features: vec![
            feature("Sophos", Some(NOW + Duration::from_secs(2_592_000))),
            feature("File Analysis", Some(NOW - Duration::from_secs(46_298_076))),
            feature("Bounce Verification", None),
        ],
        counters: vec![("inj_msgs".into(), 10_741_906), ("5xx_hard_bounced_recips".into(), 1 << 53)],
        gauges: vec![("ram_utilization".into(), 6.0), ("log_available".into(), 416_611_827_712.0)],
        unusable: [0; 6],
    };
    assert_eq!(parse(SAMPLE), Ok(expected.clone()));
    let bytes = SAMPLE.replace("esa1", "\u{fc}").chars().map(|letter| letter as u8).collect::<Vec<u8>>();
    let in_latin = XmlStatus::parse(&bytes, NOW).expect("a document");
    assert_eq!(in_latin, XmlStatus { hostname: Some("ü.example.com".into()), ..expected });
}

#[test]
fn the_declaration_decides_the_encoding() {
    let hostname = |body: &[u8]| XmlStatus::parse(body, NOW).expect("a document").hostname.expect("a name");
    let rest = r#"<status hostname="ü"><system status="online"/></status>"#;
    assert_eq!(hostname(rest.as_bytes()), "ü");
    assert_eq!(hostname(format!(r#"<?xml version="1.0" encoding="UTF-8"?>{rest}"#).as_bytes()), "ü");
    assert_eq!(hostname(format!(r#"<?xml version="1.0" encoding="iso-8859-1"?>{rest}"#).as_bytes()), "Ã¼");
}

#[test]
fn entries_that_make_no_sense_are_left_out_and_counted() {
    let status = around(
        r#"<system status=""/><oldest_message secs="-1"/><birth_time timestamp="20170329115552"/>
           <last_counter_reset timestamp="20170329115550"/><feature time_remaining="5"/>
           <feature name="a &amp; b" time_remaining="0"/><feature name="a &amp; b" time_remaining="9"/>
           <feature name="c" time_remaining="-9223372036854775808"/><feature name="d" time_remaining="N/A"/>
           <feature name="e" time_remaining="perpetual"/><feature name="f"/>
           <counter name="a" lifetime="1"/><counter name="a" lifetime="2"/><counter name="b" lifetime="-1"/>
           <counter name="c" lifetime="1.5"/><counter name="d" reset="1"/><counter name="e f" lifetime="1"/>
           <counter name="g" lifetime="18446744073709551615"/><counter name="h" lifetime="12,345"/>
           <gauge name="b" current="2"/><gauge name="b" current="2"/><gauge name="c" current="&own;"/>
           <gauge name="d" current=3 /><gauge name="e" current="1" current="2"/><gauge name="f" current="N/A"/><new/>"#,
    )
    .expect("a document");
    assert_eq!((status.system_state, status.oldest_message_seconds, status.birth), (None, None, None));
    assert_eq!(status.last_counter_reset, Some(NOW - Duration::from_secs(1)));
    let expires: Vec<_> = status.features.iter().map(|feature| (feature.name.as_str(), feature.expires)).collect();
    assert_eq!(expires, [("a & b", Some(NOW)), ("c", None), ("d", None), ("e", None), ("f", None)]);
    assert_eq!(status.counters, [("a".to_owned(), 1), ("h".to_owned(), 12_345)]);
    assert_eq!(status.gauges, [("b".to_owned(), 2.0), ("e".to_owned(), 1.0)]);
    // Not numbers: two `N/A`. Negative: an age, a date after the document's, a count. Two conflicts; one not whole; two too large.
    assert_eq!(status.unusable, [2, 3, 2, 1, 2, 0]);
}

#[test]
fn values_are_read_in_the_unit_that_is_the_gauges_own() {
    let status = around(
        r#"<oldest_message secs="1 day, 00:05:12"/><feature name="a" time_remaining="30 days"/>
           <gauge name="cpu_utilization" current="130%"/><gauge name="log_available" current="1.5 T"/>
           <gauge name="active_recips" current="1,024"/>
           <gauge name="conn_in" current="12K"/><gauge name="kbytes_used" current="12K"/>
           <gauge name="conn_out" current="00:05:12"/><gauge name="log_used" current="14G"/>"#,
    )
    .expect("a document");
    assert_eq!(status.oldest_message_seconds, Some(86_712.0));
    assert_eq!(status.features[0].expires, Some(NOW + Duration::from_secs(30 * 86_400)));
    let gauges: Vec<_> = status.gauges.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let available = 1.5 * 1024.0 * 1024.0 * 1024.0 * 1024.0;
    assert_eq!(gauges, [("cpu_utilization", 130.0), ("log_available", available), ("active_recips", 1024.0)]);
    assert_eq!(status.unusable, [4, 0, 0, 0, 0, 0]);
}

#[test]
fn a_number_is_read_whole_or_not_at_all() {
    let status = around(&format!(
        r#"<system status="online"/><oldest_message secs="{0}"/><feature name="a" time_remaining="{0}"/>
           <counter name="b" lifetime="{0}"/><gauge name="c" current="{0}"/>"#,
        format!("1{}2", " ".repeat(300))
    ))
    .expect("a document");
    let read = (status.oldest_message_seconds, status.features[0].expires, status.counters, status.gauges);
    assert_eq!(read, (None, None, vec![], vec![]));
    assert_eq!(status.unusable, [4, 0, 0, 0, 0, 0]);
}

#[test]
fn without_a_time_of_its_own_nothing_is_counted_from() {
    let body = r#"<status><birth_time timestamp="20161011101643"/><feature name="a" time_remaining="60"/></status>"#;
    let status = parse(body).expect("a document");
    assert_eq!((status.timestamp, status.birth), (None, None));
    assert_eq!(status.features[0].expires, Some(NOW + Duration::from_secs(60)));
}

#[test]
fn what_tells_nothing_or_is_no_status_document_is_told_apart() {
    assert_eq!(around(""), Err(Reason::Empty));
    assert_eq!(parse("<status/>"), Err(Reason::Empty));
    for body in [
        "",
        "text",
        r#"{"data": {}}"#,
        "<html><body>Sign in</body></html>",
        "<status><system status='online'/>",
        "<status><system></status>",
        "</status>",
        "<status",
    ] {
        assert_eq!(parse(body), Err(Reason::Malformed), "{body}");
    }
    for cut in 0..SAMPLE.trim_end().len() {
        assert_eq!(parse(&SAMPLE[..cut]), Err(Reason::Malformed), "{cut}");
    }
}

#[test]
fn entities_are_not_expanded_and_files_not_opened() {
    let rest = r#"<status hostname="&a;"><system status="online"/>&a;</status>"#;
    let without_type = parse(rest).expect("a document");
    assert_eq!(without_type.hostname, None);
    for definition in [r#"<!ENTITY a "lol">"#, r#"<!ENTITY a SYSTEM "file:///etc/passwd">"#] {
        assert_eq!(parse(&format!("<!DOCTYPE status [{definition}]>{rest}")), Err(Reason::Malformed), "{definition}");
    }
    assert_eq!(parse(&format!(r#"<!DOCTYPE status SYSTEM "http://192.0.2.1/a">{rest}"#)), Err(Reason::Malformed));
}

#[test]
fn size_depth_and_numbers_of_entries_are_bounded() {
    assert_eq!(parse(&" ".repeat(LARGEST + 1)), Err(Reason::TooLarge));
    assert_eq!(around(&"<a>".repeat(100_000)), Err(Reason::Malformed));
    let attributes: String = (0..50_000).map(|number| format!(r#" a{number}="""#)).collect();
    assert!(around(&format!(r#"<gauge{attributes} name="a" current="1"/>"#)).is_ok());
    let entries = (0..=MOST_ENTRIES).map(|number| {
        format!(
            r#"<feature name="{number}"/><counter name="{number}" lifetime="1"/><gauge name="{number}" current="1"/>"#
        )
    });
    let status = around(&entries.collect::<String>()).expect("a document");
    assert_eq!([status.features.len(), status.counters.len(), status.gauges.len()], [MOST_ENTRIES; 3]);
    let long = "x".repeat(LONGEST_NAME + 1);
    let status = around(&format!(r#"<system status="{}"/><gauge name="{long}" current="1"/>"#, "x".repeat(5000)));
    let status = status.expect("a document");
    assert!(status.gauges.is_empty() && status.system_state.is_some_and(|state| state.len() < 1000));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = XmlStatus::parse(&body, NOW);
    }

    #[test]
    fn any_markup_is_read_or_refused(body in r#"(<|>|/|!|\?|&|;|"|=|\[|\]|-| |status|gauge|name|CDATA|DOCTYPE|#x41){0,60}"#) {
        let _ = XmlStatus::parse(body.as_bytes(), NOW);
        let _ = around(&body);
    }

    #[test]
    fn a_damaged_document_is_read_or_refused(
        damage in proptest::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..20),
        cut in 0..=SAMPLE.len(),
    ) {
        let mut body = SAMPLE.as_bytes().to_vec();
        for (place, byte) in damage {
            body[place] = byte;
        }
        let _ = XmlStatus::parse(&body, NOW);
        let _ = XmlStatus::parse(&body[..cut], NOW);
        let _ = XmlStatus::parse(&body[cut..], NOW);
    }
}
