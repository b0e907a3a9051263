//! Alerts about mail that should come and does not, or comes in other amounts than it used to.
//!
//! Whether nothing came is asked of the gauges of the newest window: they are right for windows of any length, each is seen
//! by several scrapes, and there are none where the figures are old.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::counted::Counted;
use super::super::threshold::{FLOOR, THREAT_FALL, THREAT_JUMP, UNUSUAL};

const GROUP: &str = "mail_incoming_traffic_summary";
const INCOMING: &str = "asyncos_mail_incoming_traffic_summary";
const RATE: &str = "appliance:asyncos_incoming_recipients:rate";
const NEWEST_SHARE: &str = "appliance:asyncos_incoming_threats:ratio_newest";
const SHARE: &str = "appliance:asyncos_incoming_threats:ratio";

/// Nothing of `counter` in any window seen in `range`, and the newest one is fresh.
fn nothing(counter: &str, range: &str) -> String {
    format!("max_over_time({INCOMING}_{counter}_last_window[{range}]) == 0 and {INCOMING}_{counter}_last_window == 0")
}

/// How many `counter` counted in two hours a day ago.
fn yesterday(counter: &str) -> String {
    format!("{} * 7200", Counted::in_rule(GROUP, counter).rate_over(120, " offset 1d"))
}

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = silence();
    alerts.extend(amounts());
    alerts
}

fn silence() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosMailFlowStopped",
            Critical,
            Some("15m"),
            &format!(
                "{} and on (EACH) avg_over_time({RATE}[1h] offset 1w) > {FLOOR} and on (EACH) asyncos_up == 1",
                nothing("total_recipients", "15m")
            ),
            "{{ $labels.appliance }} receives no mail",
            "{{ $labels.appliance }} has received no mail for half an hour; a week ago at this time it did.",
            Page {
                meaning: "The reports of the last windows arrived and count not a single attempted recipient. At the \
                          same time a week ago there was mail.",
                impact: "No mail arrives through this appliance. Other appliances may receive its share.",
                panel: (Uid::Fleet, "Incoming by appliance per minute"),
                commands: &[
                    "`status`: are listeners suspended?",
                    "`telnet APPLIANCE 25` from outside",
                    "`tail mail_logs`",
                ],
                causes: &[
                    "the listener is suspended: `resumelistener`",
                    "DNS, a firewall or a load balancer no longer directs mail to it",
                    "resource conservation",
                    "a holiday",
                ],
                actions: &["first test SMTP from outside", "resume the listener"],
            },
        ),
        Alert::new(
            "AsyncosReputationFilterSilent",
            Warning,
            Some("30m"),
            &format!(
                "{} and on (EACH) {} > 100 and on (EACH) {RATE} > {FLOOR}",
                nothing("blocked_reputation", "2h"),
                yesterday("blocked_reputation")
            ),
            "{{ $labels.appliance }} blocks nothing by reputation",
            "Reputation filtering has blocked nothing at {{ $labels.appliance }} for more than two hours. Mail \
             arrives, and a day ago there was some.",
            Page {
                meaning: "Mail arrives, and not one connection was rejected for its reputation. Yesterday there were \
                          many.",
                impact: "More spam reaches the engines and the users.",
                panel: (Uid::Incoming, "Rejected before scanning per minute"),
                commands: &["`sbstatus`", "`dnsstatus`", "`updatenow`"],
                causes: &[
                    "DNS look-ups of the reputation service fail",
                    "the licence of the anti-spam engine has expired",
                    "another host in front of the appliance hides the senders' addresses",
                ],
                actions: &["restore DNS", "check the licences"],
            },
        ),
        Alert::new(
            "AsyncosSpamEngineSilent",
            Warning,
            Some("30m"),
            &format!(
                "{} and on (EACH) {} > 100 and on (EACH) {RATE} > {FLOOR}",
                nothing("detected_spam", "2h"),
                yesterday("detected_spam")
            ),
            "{{ $labels.appliance }} finds no spam",
            "The anti-spam engine has found nothing at {{ $labels.appliance }} for more than two hours. Mail arrives, \
             and a day ago there was some.",
            Page {
                meaning: "Mail arrives, and none was detected as spam. Yesterday some was.",
                impact: "Spam reaches the users.",
                panel: (Uid::Incoming, "Spam, certain and suspected per minute"),
                commands: &["`antispamstatus`", "`featurekey`", "`updatenow`"],
                causes: &[
                    "the engine's licence has expired",
                    "its rules are no longer updated",
                    "it was disabled in a mail policy",
                ],
                actions: &["update the rules", "review the last change of the mail policies"],
            },
        ),
    ]
}

fn amounts() -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosIncomingUnusual",
            Warning,
            Some("30m"),
            &format!("{RATE} / ({RATE} offset 1w > {FLOOR}) > {UNUSUAL}"),
            "Much more mail than usual at {{ $labels.appliance }}",
            "{{ $labels.appliance }} receives {{ $value | humanize }} times as much mail as a week ago at this time.",
            Page {
                meaning: "More than four times the volume of the same time last week.",
                impact: "The work queue may grow.",
                panel: (Uid::Incoming, "By verdict per minute"),
                commands: &["`tophosts`", "`rate`"],
                causes: &["a wave of spam", "a mail loop", "replies to your own newsletter", "another ESA is down"],
                actions: &["find the kind of mail by its verdicts", "stop a loop at its source"],
            },
        ),
        Alert::new(
            "AsyncosSpamWave",
            Info,
            Some("15m"),
            &format!(
                "appliance:asyncos_incoming_spam:rate / (appliance:asyncos_incoming_spam:rate offset 1w > {FLOOR}) > {UNUSUAL}"
            ),
            "Much more spam than usual at {{ $labels.appliance }}",
            "{{ $labels.appliance }} detects {{ $value | humanize }} times as much spam as a week ago at this time.",
            Page {
                meaning: "The appliance detects and stops more than four times as much spam as a week ago at this \
                          time.",
                impact: "None as long as the appliance keeps up. Some spam probably gets through.",
                panel: (Uid::Incoming, "Spam, certain and suspected per minute"),
                commands: &["`tophosts`", "Monitor > Incoming Mail, by sender"],
                causes: &["a campaign"],
                actions: &["check whether it has one source that the host access table can reject"],
            },
        ),
        Alert::new(
            "AsyncosThreatShareJumped",
            Warning,
            None,
            &format!("{NEWEST_SHARE} - {SHARE} offset 1d > {THREAT_JUMP} and {RATE} > {FLOOR}"),
            "The threat share at {{ $labels.appliance }} has jumped",
            "The share of blocked mail at {{ $labels.appliance }} has risen by {{ $value | humanizePercentage }} of \
             all mail within a day.",
            Page {
                meaning: "In the newest two windows, or in the newest whole hour, the share of threats is 25 points higher \
                          than in the hour a day before.",
                impact: "Legitimate mail may be blocked.",
                panel: (Uid::Incoming, "Threat share, and a week ago"),
                commands: &["Monitor > Incoming Mail", "Message Tracking: are there complaints in it?"],
                causes: &[
                    "a campaign",
                    "a filter or a policy that was changed and matches too much",
                    "a threat feed that lists legitimate senders",
                ],
                actions: &["find the engine by the verdicts", "revert the last change if it is a filter"],
            },
        ),
        Alert::new(
            "AsyncosThreatShareDropped",
            Warning,
            Some("30m"),
            &format!("{SHARE} / ({SHARE} offset 1d > 0.05) < {THREAT_FALL} and {RATE} > {FLOOR}"),
            "The threat share at {{ $labels.appliance }} has dropped",
            "The share of blocked mail at {{ $labels.appliance }} is {{ $value | humanizePercentage }} of the share a \
             day ago.",
            Page {
                meaning: "Less than half of yesterday's share of threats is blocked.",
                impact: "Threats may reach the users.",
                panel: (Uid::Incoming, "Threat share, and a week ago"),
                commands: &["`antispamstatus`, `antivirusstatus`, `ampconfig`", "`updatenow`", "`featurekey`"],
                causes: &["an engine, its updates or its licence", "DNS for the reputation service"],
                actions: &["find the silent engine by the verdicts", "update it or renew its licence"],
            },
        ),
        Alert::new(
            "AsyncosDmarcUnusual",
            Info,
            Some("15m"),
            &format!(
                "{now} * 3600 > {UNUSUAL} * 3600 * {} and {now} * 3600 > 100",
                Counted::in_rule(GROUP, "blocked_dmarc").rate_over(60, " offset 1d"),
                now = Counted::in_rule(GROUP, "blocked_dmarc").rate_over(60, "")
            ),
            "DMARC blocks more mail than usual at {{ $labels.appliance }}",
            "DMARC has blocked {{ printf \"%.0f\" $value }} recipients at {{ $labels.appliance }} within an hour, \
             more than four times as many as a day ago.",
            Page {
                meaning: "More than four times as many recipients as a day ago were blocked because DMARC failed.",
                impact: "Legitimate mail from one partner may be blocked.",
                panel: (Uid::Incoming, "Senders that fail authentication per minute"),
                commands: &["Monitor > DMARC Verification names the domains"],
                causes: &["mail with a forged sender domain", "a partner changed its provider but not its DNS records"],
                actions: &["find the domain and inform the partner"],
            },
        ),
    ]
}
