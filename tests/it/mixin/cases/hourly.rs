//! The same alerts for an appliance that counts whole hours: its counters step once per hour, and the gauges of the last
//! hour stay for one. Shortly before an alert fires, it is silent at every step: the place of the hour does not matter.

use super::{Case, case, gauge};

const IN: &str = "asyncos_mail_incoming_traffic_summary";
const OUT: &str = "asyncos_mail_outgoing_traffic_summary";
const SECURITY: &str = "asyncos_mail_security_summary";
pub(super) const HOUR: u64 = 60;
/// Steps of an hour where a step is ten minutes.
const TENS: u64 = 6;
const DAY: u64 = 24;
const WEEK: u64 = 7 * DAY;

/// Those of minutes.
pub(in super::super) fn by_minutes() -> Vec<Case> {
    let cases = [delivery(), threats(), data(), machine(), super::detections::hourly()].concat();
    cases.into_iter().map(|case| case.windows(3600)).collect()
}

/// Those that look back a day or a week, in steps of ten minutes.
pub(in super::super) fn by_weeks() -> Vec<Case> {
    baseline().into_iter().map(|case| case.windows(3600)).collect()
}

/// Where the running hour is counted as it fills, an alert does not wait for the end of the hour.
pub(in super::super) fn running() -> Vec<Case> {
    let minutes = |amounts: [(f64, u64); 3]| {
        // A poll every five minutes.
        let mut total = 0.0;
        let step = |(amount, polls): (f64, u64)| {
            (0..polls)
                .map(|_| {
                    total += amount;
                    format!("{total}x4")
                })
                .collect::<Vec<_>>()
                .join(" ")
        };
        amounts.map(step).join(" ")
    };
    let case = case("AsyncosOutgoingMalware")
        .of(&format!("{OUT}_detected_virus_total"), "", minutes([(0.0, 24), (4.0, 6), (0.0, 30)]))
        .of(&format!("{OUT}_detected_amp_total"), "", minutes([(0.0, 24), (0.0, 6), (0.0, 30)]))
        .of(&format!("{OUT}_detected_virus_last_window"), "", gauge([(0.0, 180), (24.0, 120)]))
        .of(&format!("{OUT}_detected_amp_last_window"), "", gauge([(0.0, 300)]))
        .of("asyncos_running_hour", "", gauge([(1.0, 300)]))
        .windows(3600)
        .at(119, 150, 230)
        .says("Outgoing malware at esa1", MALWARE);
    vec![case]
}

const MALWARE: &str = "12 recipients of outgoing viruses and malicious files within half an hour at esa1.";

impl Case {
    /// A counter with so many events in each hour, for so many hours of `steps`, with its gauge.
    pub(super) fn hours<const N: usize>(self, name: &str, steps: u64, parts: [(f64, u64); N]) -> Self {
        let (mut total, mut totals, mut gauges) = (0.0, Vec::new(), Vec::new());
        for (events, hours) in parts {
            for _ in 0..hours {
                total += events;
                totals.push(format!("{total}x{}", steps - 1));
            }
            gauges.push(format!("{events}x{}", hours * steps - 1));
        }
        self.of(&format!("{name}_total"), "", totals.join(" ")).of(&format!("{name}_last_window"), "", gauges.join(" "))
    }

    /// Silent for two hours before, in steps of so many an hour.
    pub(super) fn quiet(mut self, hour: u64) -> Self {
        self.quiet = (self.silent.saturating_sub(2 * hour)..self.silent).collect();
        self
    }
}

fn delivery() -> Vec<Case> {
    let tls = |alert, direction: &str| {
        case(alert)
            .hours(&format!("{SECURITY}_{direction}_conn_tls_fail"), HOUR, [(300.0, 4), (1500.0, 3), (0.0, 2)])
            .hours(&format!("{SECURITY}_{direction}_conn_tls_success"), HOUR, [(5700.0, 4), (4500.0, 3), (5700.0, 2)])
            .at(239, 271, 421)
            .quiet(HOUR)
    };
    vec![
        case("AsyncosDeliveryStalled")
            .hours(&format!("{OUT}_total_recipients_delivered"), HOUR, [(1.0, 3), (0.0, 2), (1.0, 2)])
            .hours(&format!("{OUT}_total_recipients_processed"), HOUR, [(9.0, 7)])
            .at(209, 210, 301)
            .quiet(HOUR)
            .says(
                "esa1 delivers nothing",
                "esa1 has processed outgoing mail for half an hour and delivered none of it.",
            ),
        case("AsyncosHardBouncesHigh")
            .hours(&format!("{OUT}_total_hard_bounces"), HOUR, [(600.0, 4), (1200.0, 3), (0.0, 2)])
            .hours(&format!("{OUT}_total_recipients_processed"), HOUR, [(6000.0, 9)])
            .at(239, 271, 421)
            .quiet(HOUR)
            .says("Many recipients of esa1 hard-bounce", "20% of the outgoing recipients of esa1 hard-bounce."),
        tls("AsyncosTlsFailuresIncoming", "received").says(
            "Required TLS fails for mail to esa1",
            "25% of the incoming connections of esa1 that require TLS fail.",
        ),
        tls("AsyncosTlsFailuresOutgoing", "sent").says(
            "Required TLS fails for mail from esa1",
            "25% of the outgoing connections of esa1 that require TLS fail.",
        ),
        case("AsyncosSmtpLoginFailures")
            .hours(
                "asyncos_mail_authentication_summary_received_conn_auth_fail",
                HOUR,
                [(600.0, 4), (720.0, 2), (0.0, 2)],
            )
            .at(239, 256, 361)
            .quiet(HOUR)
            .says("Many SMTP logins fail at esa1", "12 SMTP logins per minute fail at esa1."),
    ]
}

fn threats() -> Vec<Case> {
    vec![
        // Ten in half an hour are twenty in an hour.
        case("AsyncosOutgoingMalware")
            .hours(&format!("{OUT}_detected_virus"), HOUR, [(10.0, 4), (14.0, 2), (0.0, 2)])
            .hours(&format!("{OUT}_detected_amp"), HOUR, [(10.0, 8)])
            .at(239, 240, 360)
            .quiet(HOUR)
            .says("Outgoing malware at esa1", MALWARE),
        case("AsyncosOutgoingSpam")
            .hours(&format!("{OUT}_detected_spam"), HOUR, [(300.0, 4), (600.0, 2), (0.0, 2)])
            .hours(&format!("{OUT}_total_recipients_processed"), HOUR, [(6000.0, 8)])
            .at(239, 256, 361)
            .quiet(HOUR)
            .says("Outgoing spam at esa1", "10% of the outgoing mail of esa1 is spam."),
        case("AsyncosRetrospectiveVerdict")
            .hours(&format!("{IN}_total_mailbox_auto_remediated_recipients"), HOUR, [(0.0, 3), (2.0, 1), (0.0, 2)])
            .at(179, 180, 241)
            .quiet(HOUR)
            .says(
                "Delivered mail at esa1 turned out to be malicious",
                "Mail of 2 recipients of esa1 got a new verdict after delivery and was remediated, within an hour.",
            ),
        case("AsyncosDlpCritical")
            .hours(
                "asyncos_mail_dlp_outgoing_traffic_summary_dlp_incidents_critical",
                HOUR,
                [(0.0, 3), (1.0, 1), (0.0, 2)],
            )
            .at(179, 180, 241)
            .quiet(HOUR)
            .says(
                "Critical data-loss incidents at esa1",
                "1 data-loss incidents of critical severity within an hour at esa1.",
            ),
        // Twenty an hour are not too many, whichever two of its steps a range holds.
        case("AsyncosOutbreakThreats")
            .hours(
                "asyncos_mail_vof_specific_threat_summary_threat_detected_virus_or_malware",
                HOUR,
                [(20.0, 4), (60.0, 1), (0.0, 2)],
            )
            .at(239, 240, 301)
            .quiet(HOUR)
            .says(
                "Outbreak Filters find many threats at esa1",
                "Outbreak Filters have found 60 threats at esa1 within an hour.",
            ),
    ]
}

fn data() -> Vec<Case> {
    const GROUP: &str = "group=\"mail_incoming_traffic_summary\"";
    let stepping = |parts: [(f64, u64); 3]| {
        let mut total = 0.0;
        let hour = |events: f64| {
            total += events;
            format!("{total}x{}", HOUR - 1)
        };
        let hours = parts.iter().flat_map(|(events, hours)| std::iter::repeat_n(*events, *hours as usize));
        hours.map(hour).collect::<Vec<_>>().join(" ")
    };
    vec![
        case("AsyncosLateData")
            .of("asyncos_late_events_total", GROUP, stepping([(200.0, 6), (1200.0, 5), (0.0, 5)]))
            .hours(&format!("{IN}_total_recipients"), HOUR, [(6000.0, 16)])
            .at(359, 650, 900)
            .quiet(HOUR)
            .says(
                "Late data from esa1",
                "Events found after their window was counted are 20% of the recipients of esa1 within 3 hours.",
            ),
        case("AsyncosLateDataNotAdded")
            .of("asyncos_late_events_not_added_total", GROUP, gauge([(0.0, 70), (5.0, 600)]))
            .at(69, 70, 551)
            .quiet(HOUR)
            .says(
                "Data of esa1 came too late",
                "5 events of esa1 were found within 8 hours and are missing from its totals.",
            ),
        // Three hours, the settle delay and ten minutes are not too old.
        case("AsyncosDataStale")
            .of("asyncos_window_end_timestamp_seconds", GROUP, gauge([(0.0, 240), (14_400.0, 10)]))
            .of("asyncos_settle_seconds", "", gauge([(120.0, 250)]))
            .at(197, 198, 241)
            .quiet(HOUR)
            .says("The data of esa1 are stale", "The oldest data of esa1 end 3h 18m 0s ago, more than three windows."),
        case("AsyncosWindowsLost")
            .of("asyncos_windows_lost_total", "group=\"a\",reason=\"too_old\"", gauge([(0.0, 70), (1.0, 70)]))
            .label("reason", "too_old")
            .at(69, 70, 135)
            .says(
                "Data of esa1 are lost",
                "1 windows of esa1 could not be fetched in time (too_old): their events are missing from the totals.",
            ),
    ]
}

fn machine() -> Vec<Case> {
    const CAPACITY: &str = "asyncos_mail_system_capacity";
    let queue = |alert, values: [(f64, u64); 3]| {
        case(alert)
            .of(&format!("{CAPACITY}_workqueue_average_messages_last_window"), "", gauge(values))
            .at(139, 140, 180)
            .quiet(HOUR)
    };
    vec![
        queue("AsyncosWorkQueueHigh", [(500.0, 120), (501.0, 60), (400.0, 60)]).says(
            "The work queue of esa1 is long",
            "At least 501 messages have waited to be scanned by esa1 for 20 minutes.",
        ),
        queue("AsyncosWorkQueueBacklog", [(10_000.0, 120), (10_001.0, 60), (400.0, 60)]).says(
            "esa1 has a work queue backlog",
            "At least 10k messages have waited to be scanned by esa1 for 20 minutes.",
        ),
        case("AsyncosCpuHigh")
            .of(
                &format!("{CAPACITY}_overall_percent_cpu_usage_ratio_last_window"),
                "",
                gauge([(0.85, 120), (0.87, 60), (0.8, 60)]),
            )
            .at(134, 135, 180)
            .quiet(HOUR)
            .says("The CPU of esa1 is busy", "esa1 has used 87% of its CPU for half an hour."),
    ]
}

fn baseline() -> Vec<Case> {
    let with_mail = |case: Case, hours| case.hours(&format!("{IN}_total_recipients"), TENS, [(6000.0, hours)]);
    let silent = |alert, counted: &str| {
        with_mail(case(alert), 2 * DAY + 12)
            .hours(&format!("{IN}_{counted}"), TENS, [(300.0, 2 * DAY), (0.0, 6), (300.0, 6)])
            .at(2 * DAY * TENS + 5, 2 * DAY * TENS + 20, (2 * DAY + 6) * TENS)
            .quiet(TENS)
    };
    let grows = |alert, counted: &str| {
        // Exactly four times as much is not yet unusual.
        let hours = [(600.0, WEEK + 2), (2400.0, 4), (3000.0, 4), (600.0, 4)];
        let begun = (WEEK + 6) * TENS;
        case(alert)
            .hours(&format!("{IN}_{counted}"), TENS, hours)
            .at(begun - 1, begun + 4, begun + 4 * TENS)
            .quiet(TENS)
    };
    let shares = |alert, before: f64, below: f64, beyond: f64| {
        let hours = [(before, DAY), (below, 6), (beyond, 6), (before, 4)];
        let begun = (DAY + 6) * TENS;
        with_mail(case(alert), DAY + 16)
            .hours(&format!("{IN}_total_threat_recipients"), TENS, hours)
            .at(begun - 1, begun + 4, begun + 6 * TENS)
            .quiet(TENS)
    };
    vec![
        case("AsyncosMailFlowStopped")
            .of("asyncos_up", "", gauge([(1.0, 2 * WEEK * TENS)]))
            .hours(&format!("{IN}_total_recipients"), TENS, [(6000.0, WEEK + 2), (0.0, 2), (6000.0, 2)])
            .at((WEEK + 2) * TENS + 2, (WEEK + 2) * TENS + 4, (WEEK + 4) * TENS)
            .quiet(TENS)
            .says(
                "esa1 receives no mail",
                "esa1 has received no mail for half an hour; a week ago at this time it did.",
            ),
        silent("AsyncosReputationFilterSilent", "blocked_reputation").says(
            "esa1 blocks nothing by reputation",
            "Reputation filtering has blocked nothing at esa1 for more than two hours. Mail arrives, and a day ago there \
             was some.",
        ),
        silent("AsyncosSpamEngineSilent", "detected_spam").says(
            "esa1 finds no spam",
            "The anti-spam engine has found nothing at esa1 for more than two hours. Mail arrives, and a day ago there was \
             some.",
        ),
        grows("AsyncosIncomingUnusual", "total_recipients").says(
            "Much more mail than usual at esa1",
            "esa1 receives 5 times as much mail as a week ago at this time.",
        ),
        grows("AsyncosSpamWave", "detected_spam")
            .says("Much more spam than usual at esa1", "esa1 detects 5 times as much spam as a week ago at this time."),
        shares("AsyncosThreatShareJumped", 1800.0, 3240.0, 3600.0).says(
            "The threat share at esa1 has jumped",
            "The share of blocked mail at esa1 has risen by 30% of all mail within a day.",
        ),
        shares("AsyncosThreatShareDropped", 2400.0, 1260.0, 600.0).says(
            "The threat share at esa1 has dropped",
            "The share of blocked mail at esa1 is 25% of the share a day ago.",
        ),
        case("AsyncosDmarcUnusual")
            .hours(&format!("{IN}_blocked_dmarc"), TENS, [(120.0, DAY), (480.0, 4), (600.0, 4), (120.0, 4)])
            .at((DAY + 4) * TENS - 1, (DAY + 4) * TENS + 2, (DAY + 8) * TENS)
            .quiet(TENS)
            .says(
                "DMARC blocks more mail than usual at esa1",
                "DMARC has blocked 600 recipients at esa1 within an hour, more than four times as many as a day ago.",
            ),
    ]
}
