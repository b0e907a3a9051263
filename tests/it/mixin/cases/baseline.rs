//! Alerts that compare with a day or a week ago; a step is ten minutes.

use super::{Case, case, counter, gauge};

const IN: &str = "asyncos_mail_incoming_traffic_summary";
const DAY: u64 = 144;
const WEEK: u64 = 7 * DAY;

pub(in super::super) fn cases() -> Vec<Case> {
    let mut cases = silence();
    cases.extend(amounts());
    cases.into_iter().map(|case| case.windows(300)).collect()
}

/// Mail comes in all the time.
fn with_mail(case: Case) -> Case {
    case.of(&format!("{IN}_total_recipients_total"), "", counter([(1000.0, 2 * WEEK)]))
}

fn silence() -> Vec<Case> {
    let silent = |alert, counted: &str| {
        with_mail(case(alert))
            .of(&format!("{IN}_{counted}_total"), "", counter([(50.0, 2 * DAY), (0.0, 30), (50.0, 30)]))
            .of(&format!("{IN}_{counted}_last_window"), "", gauge([(25.0, 2 * DAY), (0.0, 30), (25.0, 30)]))
            .at(2 * DAY + 5, 2 * DAY + 20, 2 * DAY + 31)
    };
    vec![
        case("AsyncosMailFlowStopped")
            .of("asyncos_up", "", gauge([(1.0, 2 * WEEK)]))
            .of(&format!("{IN}_total_recipients_total"), "", counter([(1000.0, WEEK + 10), (0.0, 10), (1000.0, 10)]))
            .of(&format!("{IN}_total_recipients_last_window"), "", gauge([(500.0, WEEK + 10), (0.0, 10), (500.0, 10)]))
            .at(WEEK + 9, WEEK + 15, WEEK + 21)
            .says(
                "esa1 receives no mail",
                "esa1 has received no mail for half an hour; a week ago at this time it did.",
            ),
        silent("AsyncosReputationFilterSilent", "blocked_reputation").says(
            "esa1 blocks nothing by reputation",
            "Reputation filtering has blocked nothing at esa1 for more than two hours. Mail arrives, and a day ago \
             there was some.",
        ),
        silent("AsyncosSpamEngineSilent", "detected_spam").says(
            "esa1 finds no spam",
            "The anti-spam engine has found nothing at esa1 for more than two hours. Mail arrives, and a day ago \
             there was some.",
        ),
        case("AsyncosVersionSkew")
            .of("asyncos_appliance_info", "product=\"esa\",release=\"1\"", gauge([(1.0, 2 * WEEK)]))
            .named(
                "esa2",
                "asyncos_appliance_info",
                "product=\"esa\",release=\"2\"",
                format!("_x10 1x{} stale _x20", WEEK + 10),
            )
            .without("instance")
            .without("appliance")
            .label("product", "esa")
            .at(WEEK + 9, WEEK + 10, WEEK + 22)
            .says("Appliances run different releases", "2 releases of esa have been in use for a week."),
    ]
}

fn amounts() -> Vec<Case> {
    let grows = |alert, counted: &str| {
        // Exactly four times as much is not yet unusual.
        let values = counter([(100.0, WEEK + 10), (400.0, 20), (500.0, 20), (100.0, 20)]);
        case(alert).of(&format!("{IN}_{counted}_total"), "", values).at(WEEK + 29, WEEK + 45, WEEK + 60)
    };
    // Of a thousand recipients, so many are threats, a day long.
    let shares = |alert, before: f64, below: f64, beyond: f64| {
        let threats = counter([(before, DAY), (below, 40), (beyond, 40), (before, 30)]);
        with_mail(case(alert)).of(&format!("{IN}_total_threat_recipients_total"), "", threats).at(
            DAY + 39,
            DAY + 70,
            DAY + 95,
        )
    };
    vec![
        grows("AsyncosIncomingUnusual", "total_recipients").says(
            "Much more mail than usual at esa1",
            "esa1 receives 5 times as much mail as a week ago at this time.",
        ),
        grows("AsyncosSpamWave", "detected_spam")
            .says("Much more spam than usual at esa1", "esa1 detects 5 times as much spam as a week ago at this time."),
        shares("AsyncosThreatShareDropped", 400.0, 210.0, 100.0).says(
            "The threat share at esa1 has dropped",
            "The share of blocked mail at esa1 is 25% of the share a day ago.",
        ),
        case("AsyncosDmarcUnusual")
            .of(&format!("{IN}_blocked_dmarc_total"), "", counter([(20.0, DAY), (80.0, 20), (100.0, 20), (20.0, 20)]))
            .at(DAY + 19, DAY + 39, DAY + 55)
            .says(
                "DMARC blocks more mail than usual at esa1",
                "DMARC has blocked 600 recipients at esa1 within an hour, more than four times as many as a day ago.",
            ),
        case("AsyncosQuarantineGrowing")
            .of(
                "asyncos_quarantine_messages",
                "quarantine=\"Policy\",type=\"pvo\"",
                gauge([(600.0, DAY), (1200.0, 10), (1201.0, 20), (1200.0, 20)]),
            )
            .label("quarantine", "Policy")
            .label("type", "pvo")
            .at(DAY + 9, DAY + 20, DAY + 30)
            .says(
                "The quarantine Policy of esa1 has doubled in a day",
                "The quarantine Policy of esa1 holds 1.201k messages, more than twice as many as a day ago.",
            ),
    ]
}
