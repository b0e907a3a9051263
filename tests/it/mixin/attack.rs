//! Attacks on their whole way: the simulator injects them, the exporter polls reports and searches, and each alert of the
//! detections fires for the appliance that is attacked, and for no other. On the same way: a domain that takes no mail.

use std::collections::BTreeSet;

use asyncos_exporter::sim::{InjectedMail, Injection, Offer, PROBE_SENDER, Settings, TotalCount};

use super::demo::firing;
use super::fleet::{History, RATE, SCRAPE, Samples, is_behind, young};
use super::{rules, text};
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

/// Longer than an alert waits.
const SPAN: u64 = 85 * 60;
const ATTACKED: &str = "esa1";
const JOB: &str = "asyncos";

/// The attack, as messages in a minute.
const ATTACK: [(InjectedMail, u64); 15] = [
    (InjectedMail::MaliciousAttachment, 1),
    (InjectedMail::MaliciousLink, 1),
    (InjectedMail::Outbreak, 3),
    (InjectedMail::DlpViolation, 1),
    (InjectedMail::DmarcFailure, 150),
    (InjectedMail::SpoofedSender, 2),
    (InjectedMail::Dropped, 900),
    (InjectedMail::SpfFailure, 100),
    (InjectedMail::DkimFailure, 100),
    (InjectedMail::UnscannableFile, 30),
    (InjectedMail::Spoofed, 50),
    (InjectedMail::PoorSender, 600),
    (InjectedMail::PlainIncoming, 300),
    (InjectedMail::PlainOutgoing, 300),
    (InjectedMail::FailedRemediation, 2),
];

/// The alerts of these groups of rules.
fn alerts() -> BTreeSet<String> {
    let rules = rules();
    let groups = rules["groups"].as_array().expect("groups").iter();
    let ours = groups.filter(|group| {
        ["asyncos-senders", "asyncos-detections", "asyncos-destinations"].contains(&text(group, "name"))
    });
    let alerts = ours.flat_map(|group| group["rules"].as_array().expect("rules").clone());
    alerts.map(|rule| text(&rule, "alert").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attack_fires_its_alert_and_healthy_mail_none() {
    let clock = lapse(RATE);
    let injection = |(mail, per_minute)| Injection { mail, since: 0, per_minute };
    let device = |number: u8| {
        let mut settings = young(Settings::esa(&format!("esa{number}.healthy.example.com")));
        settings.behaviour.tracking_total_count = TotalCount::Matches;
        settings.behaviour.delivery_status = Offer::AsSeen;
        settings.behaviour.destinations.slow = Some("slow.example.net".to_owned());
        settings
    };
    let (mut attacked, mut quiet) = (device(1), device(2));
    attacked.behaviour.injections = ATTACK.map(injection).into();
    attacked.behaviour.destinations.stuck = Some(("stuck.example.net".to_owned(), BEGINNING));
    quiet.behaviour.injections = vec![injection((InjectedMail::Probe, 1))];
    let (attacked, quiet) = (simulate(attacked, &clock).await, simulate(quiet, &clock).await);
    let text = format!(
        "defaults: {{timeout: 300s, start: 30m, requests_per_minute: 6000}}\n\
         counter_groups: [mail_incoming_traffic_summary, mail_incoming_amp_summary, mail_security_summary, \
         mail_sender_domain_reputation, mail_system_capacity, {{name: mail_mor_batch_summary, top: 20}}]\n\
         detections: {{window: 10m, internal_domains: [example.com], canary: {{sender: {PROBE_SENDER}, interval: 10m}}}}\n\
         appliances:\n{}{}",
        entry(ATTACKED, &attacked, "delivery_status: {top: 5}, quarantines: [], inventory: false"),
        entry("esa2", &quiet, "delivery_status: {top: 5}, quarantines: [], inventory: false"),
    );
    let rig = Rig::start(&text, &clock).await;
    let mut samples = Samples::default();
    let (mut end, mut behind) = (0, true);
    // On a busy machine the exporter may be behind, and its newest windows would be missing.
    while end < BEGINNING + SPAN || (behind && end < BEGINNING + 2 * SPAN) {
        end = clock.wall().as_secs();
        let page = rig.text().await;
        behind = is_behind(&page);
        samples.scrape(JOB, end, &page);
        clock.sleep(SCRAPE / 2).await;
    }
    rig.end().await;
    let history = History::of(&samples, end, SPAN).await;
    let ours = alerts();
    assert!(ours.len() >= 16, "{ours:?}");
    let fired = firing(&history).await;
    let fired: BTreeSet<(String, String)> = fired
        .into_iter()
        .filter(|(_, _, alert)| ours.contains(alert))
        .map(|(_, appliance, alert)| (appliance, alert))
        .collect();
    let expected = ours.into_iter().map(|alert| (ATTACKED.to_owned(), alert)).collect();
    assert!(
        fired == expected,
        "not expected: {:?}\nsilent: {:?}",
        fired.difference(&expected).collect::<Vec<_>>(),
        expected.difference(&fired).collect::<Vec<_>>()
    );
}
