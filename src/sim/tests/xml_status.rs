//! `/xml/status`.

use std::collections::BTreeMap;

use super::*;

const PATH: &str = "/xml/status";

/// The value of an attribute of the element that begins like this.
fn attribute(page: &str, element: &str, name: &str) -> String {
    let from = page.find(element).unwrap_or_else(|| panic!("no `{element}`"));
    let rest = &page[from..];
    let rest = &rest[..rest.find('>').unwrap()];
    let (_, value) = rest.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no `{name}` in {rest}"));
    value.split('"').next().unwrap().to_owned()
}

fn number(page: &str, element: &str, name: &str) -> u64 {
    attribute(page, element, name).parse().unwrap()
}

async fn page(rig: &Rig) -> String {
    let response = rig.get(PATH).await;
    assert_eq!((response.code(), response.header("Content-type")), (200, Some("text/xml")));
    response.body
}

#[tokio::test]
async fn the_page_looks_like_the_recorded_one() {
    let rig = Rig::esa().await;
    let page = page(&rig).await;
    let head = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" standalone=\"yes\"?>\n\n\
                <status build=\"phoebe 16.0.0-050\" hostname=\"esa1.example.com\" timestamp=\"20261123120000\">\n  \
                <birth_time timestamp=\"20261116120000 (7d 0h 0m 0s)\"/>\n  <last_counter_reset timestamp=\"\"/>\n  \
                <system status=\"online\" />\n  <oldest_message secs=\"";
    assert!(page.starts_with(head), "{page}");
    let features = "<features>\n    <feature name=\"McAfee\" time_remaining=\"2592000\" />\n";
    assert!(page.contains(features));
    let of = |name: &str| attribute(&page, &format!("<feature name=\"{name}\""), "time_remaining");
    assert_eq!(of("Bounce Verification"), "Dormant/Perpetual");
    assert_eq!(of("File Analysis"), "-46298076");
    assert_eq!(of("Data Loss Prevention &amp; Compliance"), "86400");
    let counter = |name: &str| number(&page, &format!("<counter name=\"{name}\"\n"), "lifetime");
    let written = format!(
        "    <counter name=\"inj_msgs\"\n        reset=\"{0}\"\n        uptime=\"{0}\"\n        lifetime=\"{0}\" />\n",
        counter("inj_msgs")
    );
    assert!(page.contains(&written));
    let of_reasons =
        ["dns", "5xx", "filter", "expired", "other"].map(|one| counter(&format!("{one}_hard_bounced_recips")));
    assert_eq!(counter("hard_bounced_recips"), of_reasons.iter().sum::<u64>());
    let completed = counter("hard_bounced_recips") + counter("delivered_recips") + counter("deleted_recips");
    assert_eq!(counter("completed_recips"), completed);
    assert_eq!(attribute(&page, "<gauge name=\"log_available\"", "current"), "388G");
    assert!(page.ends_with("  </gauges>\n</status>\n"));
    assert_eq!(["<counter ", "<rate ", "<gauge "].map(|element| page.matches(element).count()), [16, 6, 23]);
}

#[tokio::test]
async fn counters_grow_as_the_traffic_does() {
    let rig = Rig::esa().await;
    let device = "esa1.example.com";
    let mut before = BTreeMap::new();
    for now in [NOON, NOON + 59, NOON + 60, NOON + 90_000] {
        rig.clock.set(now);
        let page = page(&rig).await;
        for (name, _) in lifetime_counters::COUNTERS {
            let lifetime = number(&page, &format!("<counter name=\"{name}\"\n"), "lifetime");
            let end = now - now % 60;
            assert_eq!(Some(lifetime), counter_growth(device, name, rig.appliance.birth(), end), "{name} at {now}");
            assert!(before.insert(name, lifetime) <= Some(lifetime), "{name}");
        }
    }
    let (start, end) = (NOON - 3600, NOON);
    let pairs = [
        ("inj_msgs", "mail_system_capacity", "incoming_messages"),
        ("hard_bounced_recips", "mail_outgoing_traffic_summary", "total_hard_bounces"),
        ("rejected_recips", INCOMING, "blocked_invalid_recipient"),
    ];
    for (counter, group, of) in pairs {
        let grown = counter_growth(device, counter, start, end).map(|grown| grown as f64);
        assert_eq!(grown, truth(&[device], group, of, start, end), "{counter}");
    }
}

#[tokio::test]
async fn reset_uptime_and_rates_count_their_own_periods() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| {
        behaviour.booted = Some(NOON - 7200);
        behaviour.counters_reset = Some(NOON - 3600);
    });
    let page = page(&rig).await;
    assert_eq!(attribute(&page, "<last_counter_reset", "timestamp"), "20261123110000");
    let since = |secs| counter_growth("esa1.example.com", "inj_recips", NOON - secs, NOON).unwrap();
    let counter = "<counter name=\"inj_recips\"\n";
    assert_eq!([number(&page, counter, "uptime"), number(&page, counter, "reset")], [7200, 3600].map(since));
    let rate = "<rate name=\"inj_recips\"\n";
    let rates = ["last_1_min", "last_5_min", "last_15_min"].map(|name| number(&page, rate, name));
    assert_eq!(rates, [60 * since(60), 12 * since(300), 4 * since(900)]);
    let gauges = rig.appliance.gauges();
    for (name, value) in gauges.iter().filter(|(name, _)| **name != "log_available") {
        assert_eq!(number(&page, &format!("<gauge name=\"{name}\""), "current") as f64, *value, "{name}");
    }
    assert_eq!(
        gauges["msgs_in_policy_virus_outbreak_quarantine"],
        rig.appliance.health()["messages_in_pvo_quarantines"]
    );
}

#[tokio::test]
async fn features_gauges_and_times_of_the_page_can_be_changed() {
    let rig = Rig::esa().await;
    rig.clock.set(NOON + 10);
    rig.appliance.change(|behaviour| {
        behaviour.suffixes = UnitSuffixes::Everywhere;
        behaviour.status_gauges.insert("conn_in".to_owned(), None);
        behaviour.status_gauges.insert("cpu_utilization".to_owned(), Some("N/A".to_owned()));
        behaviour.status_gauges.insert("msgs_in_quarantine".to_owned(), Some("5".to_owned()));
        behaviour.system_status = "receiving suspended".to_owned();
        behaviour.oldest_message = Some(0);
        behaviour.features = vec![
            Feature::new("Gr\u{f6}\u{df}e <\u{20ac}>", TimeRemaining::AfterStart(60)),
            Feature::new("x", TimeRemaining::Text("?".to_owned())),
        ];
    });
    let request = format!("GET {PATH} HTTP/1.1\r\nAuthorization: {}\r\n\r\n", basic("ironport"));
    let bytes = rig.bytes(&request).await.unwrap();
    let name = b"name=\"Gr\xf6\xdfe &lt;&#8364;&gt;\" time_remaining=\"50\"";
    assert!(bytes.windows(name.len()).any(|window| window == name));
    let page = String::from_utf8_lossy(&bytes);
    let gauge = |name: &str| attribute(&page, &format!("<gauge name=\"{name}\""), "current");
    assert_eq!(["kbytes_free", "cpu_utilization", "msgs_in_quarantine"].map(gauge), ["32M", "N/A", "5"]);
    assert!(!page.contains("\"conn_in\""));
    assert_eq!(attribute(&page, "<oldest_message", "secs"), "0");
    assert_eq!(attribute(&page, "<system", "status"), "receiving suspended");
    rig.appliance.change(|behaviour| behaviour.suffixes = UnitSuffixes::Nowhere);
}

#[tokio::test]
async fn the_page_requires_basic_credentials_and_an_esa() {
    let rig = Rig::esa().await;
    let token = rig.token().await;
    let headers = [("Host", "esa"), ("accept", "*/*"), ("User-Agent", "one"), ("jwttoken", token.as_str())];
    assert_eq!(rig.get_with(PATH, &headers).await.code(), 401);
    assert_eq!(rig.get_with(PATH, &[]).await.code(), 401);
    rig.appliance.inject(Fault::Reset, On::path("xml/status").times(1));
    assert!(rig.bytes(&format!("GET {PATH} HTTP/1.1\r\n\r\n")).await.is_err());
    rig.appliance.change(|behaviour| {
        behaviour.absent_paths.insert("xml/status".to_owned());
    });
    assert_eq!(rig.get(PATH).await.code(), 404);
    let sma = Rig::start(Settings::sma("sma1.example.com")).await;
    assert_eq!(sma.get(PATH).await.code(), 404);
}
