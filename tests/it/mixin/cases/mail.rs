//! Alerts about delivery, encryption and threats.

use super::{Case, case, counter, gauge};

const OUT: &str = "asyncos_mail_outgoing_traffic_summary";
const SECURITY: &str = "asyncos_mail_security_summary";

pub(in super::super) fn cases() -> Vec<Case> {
    let mut cases = delivery();
    cases.extend(encryption());
    cases.extend(threats());
    cases.push(stuck());
    cases.into_iter().map(|case| case.windows(300)).collect()
}

fn delivery() -> Vec<Case> {
    vec![
        case("AsyncosDeliveryStalled")
            .of(&format!("{OUT}_total_recipients_delivered_last_window"), "", gauge([(1.0, 20), (0.0, 50), (1.0, 10)]))
            .of(&format!("{OUT}_total_recipients_processed_last_window"), "", gauge([(9.0, 80)]))
            .at(49, 50, 70)
            .says(
                "esa1 delivers nothing",
                "esa1 has processed outgoing mail for half an hour and delivered none of it.",
            ),
        // Four hours are over after 240 minutes.
        case("AsyncosOldestMessage")
            .of("asyncos_status_oldest_message_timestamp_seconds", "", gauge([(0.0, 300)]))
            .of("asyncos_status_active_recips", "", gauge([(100.0, 250), (101.0, 30), (100.0, 20)]))
            .at(264, 265, 280)
            .says(
                "The oldest message at esa1 is hours old",
                "The oldest message at esa1 has waited 4h 25m 0s, with more than 100 recipients in the queue.",
            ),
        case("AsyncosHardBouncesHigh")
            .of(&format!("{OUT}_total_hard_bounces_total"), "", counter([(10.0, 120), (20.0, 150), (0.0, 120)]))
            .of(&format!("{OUT}_total_recipients_processed_total"), "", counter([(100.0, 390)]))
            .at(119, 260, 380)
            .says("Many recipients of esa1 hard-bounce", "20% of the outgoing recipients of esa1 hard-bounce."),
    ]
}

/// One domain takes nothing from the 20th minute on, another one message in ten minutes, and the sum of the others nothing.
fn stuck() -> Case {
    const ACTIVE: &str = "asyncos_destination_active_recipients";
    const DELIVERED: &str = "asyncos_destination_delivered_recipients_total";
    let case = case("AsyncosDestinationStuck")
        .of(ACTIVE, "domain=\"stuck.example\"", gauge([(40.0, 80)]))
        .of(DELIVERED, "domain=\"stuck.example\"", counter([(3.0, 20), (0.0, 40), (5.0, 20)]))
        .of(ACTIVE, "domain=\"slow.example\"", gauge([(300.0, 80)]))
        .of(DELIVERED, "domain=\"slow.example\"", "0x9 1x9 2x9 3x9 4x9 5x9 6x9 7x9".into())
        // Two polls of three have others among the domains with series, and its counter begins again each time.
        .of(ACTIVE, "domain=\"seldom.example\"", "9 _ _ ".repeat(27))
        .of(DELIVERED, "domain=\"seldom.example\"", "0 _ _ ".repeat(27))
        .of("asyncos_up", "", gauge([(1.0, 80)]))
        .of(ACTIVE, "domain=\"(other)\"", gauge([(40.0, 80)]))
        .of(DELIVERED, "domain=\"(other)\"", gauge([(7.0, 80)]));
    case.at(33, 36, 62).label("domain", "stuck.example").says(
        "Mail to stuck.example is stuck at esa1",
        "esa1 has delivered nothing to stuck.example for 15 minutes, with at least 40 recipients waiting.",
    )
}

fn encryption() -> Vec<Case> {
    let fails = |alert, direction: &str| {
        case(alert)
            .of(
                &format!("{SECURITY}_{direction}_conn_tls_fail_total"),
                "",
                counter([(5.0, 120), (25.0, 150), (0.0, 120)]),
            )
            .of(
                &format!("{SECURITY}_{direction}_conn_tls_success_total"),
                "",
                counter([(95.0, 120), (75.0, 150), (95.0, 120)]),
            )
            .at(119, 260, 380)
    };
    vec![
        fails("AsyncosTlsFailuresIncoming", "received").says(
            "Required TLS fails for mail to esa1",
            "25% of the incoming connections of esa1 that require TLS fail.",
        ),
        fails("AsyncosTlsFailuresOutgoing", "sent").says(
            "Required TLS fails for mail from esa1",
            "25% of the outgoing connections of esa1 that require TLS fail.",
        ),
        case("AsyncosSmtpLoginFailures")
            .of(
                "asyncos_mail_authentication_summary_received_conn_auth_fail_total",
                "",
                counter([(10.0, 120), (12.0, 120), (0.0, 120)]),
            )
            .at(119, 230, 340)
            .says("Many SMTP logins fail at esa1", "12 SMTP logins per minute fail at esa1."),
    ]
}

fn threats() -> Vec<Case> {
    vec![
        // Ten in half an hour are not too many.
        case("AsyncosOutgoingMalware")
            .of(&format!("{OUT}_detected_virus_total"), "", gauge([(0.0, 60), (6.0, 100)]))
            .of(&format!("{OUT}_detected_amp_total"), "", gauge([(0.0, 60), (4.0, 20), (6.0, 80)]))
            .at(79, 80, 130)
            .says(
                "Outgoing malware at esa1",
                "12 recipients of outgoing viruses and malicious files within half an hour at esa1.",
            ),
        case("AsyncosOutgoingSpam")
            .of(&format!("{OUT}_detected_spam_total"), "", counter([(5.0, 60), (10.0, 60), (0.0, 60)]))
            .of(&format!("{OUT}_total_recipients_processed_total"), "", counter([(100.0, 180)]))
            .at(59, 115, 170)
            .says("Outgoing spam at esa1", "10% of the outgoing mail of esa1 is spam."),
        case("AsyncosRetrospectiveVerdict")
            .of(
                "asyncos_mail_incoming_traffic_summary_total_mailbox_auto_remediated_recipients_total",
                "",
                gauge([(0.0, 70), (2.0, 100)]),
            )
            .at(69, 70, 140)
            .says(
                "Delivered mail at esa1 turned out to be malicious",
                "Mail of 2 recipients of esa1 got a new verdict after delivery and was remediated, within an hour.",
            ),
        case("AsyncosDlpCritical")
            .of(
                "asyncos_mail_dlp_outgoing_traffic_summary_dlp_incidents_critical_total",
                "",
                gauge([(0.0, 70), (1.0, 100)]),
            )
            .at(69, 70, 140)
            .says(
                "Critical data-loss incidents at esa1",
                "1 data-loss incidents of critical severity within an hour at esa1.",
            ),
    ]
}
