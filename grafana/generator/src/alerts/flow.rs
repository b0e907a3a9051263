//! Alerts about mail that should come and does not, or comes in other amounts than it used to.
//!
//! Whether nothing came is asked of the gauges of the newest window: they are right for windows of any length, each is seen
//! by several scrapes, and there are none where the figures are old.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;
use super::super::threshold::{FLOOR, THREAT_FALL, THREAT_JUMP, UNUSUAL};

const INCOMING: &str = "asyncos_mail_incoming_traffic_summary";
const RATE: &str = "appliance:asyncos_incoming_recipients:rate30m";
const SHARE: &str = "appliance:asyncos_incoming_threats:ratio_rate65m";

/// Nothing of `counter` in any window seen in `range`, and the newest one is fresh.
fn nothing(counter: &str, range: &str) -> String {
    format!("max_over_time({INCOMING}_{counter}_last_window[{range}]) == 0 and {INCOMING}_{counter}_last_window == 0")
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
            "No mail comes in through {{ $labels.appliance }}",
            "{{ $labels.appliance }} has had no incoming mail for half an hour, unlike at this time a week ago.",
            Page {
                meaning: "The reports of the last windows are there and say that not one recipient was attempted. At the same \
                          time a week ago there was mail.",
                impact: "Nobody gets mail through this appliance. Others may take its share.",
                panel: (Uid::Fleet, "Incoming by appliance per minute"),
                commands: &[
                    "`status`: are listeners suspended?",
                    "`telnet APPLIANCE 25` from outside",
                    "`tail mail_logs`",
                ],
                causes: &[
                    "the listener is suspended: `resumelistener`",
                    "DNS, a firewall or a load balancer no longer leads to it",
                    "resource conservation",
                    "a holiday",
                ],
                actions: &["try SMTP from outside before anything else", "resume the listener"],
            },
        ),
        Alert::new(
            "AsyncosReputationFilterSilent",
            Warning,
            Some("30m"),
            &format!(
                "{} and on (EACH) increase({INCOMING}_blocked_reputation_total[2h] offset 1d) > 100 and on (EACH) \
                 {RATE} > {FLOOR}",
                nothing("blocked_reputation", "2h")
            ),
            "{{ $labels.appliance }} stops nothing by reputation",
            "Reputation has stopped nothing at {{ $labels.appliance }} for more than two hours, unlike yesterday, and mail \
             comes in.",
            Page {
                meaning: "Mail comes in, and not one connection was rejected for its reputation. Yesterday there were many.",
                impact: "More spam gets to the engines and to the users.",
                panel: (Uid::Incoming, "Rejected before scanning per minute"),
                commands: &["`sbstatus`", "`dnsstatus`", "`updatenow`"],
                causes: &[
                    "DNS look-ups of the reputation service fail",
                    "the licence of the anti-spam engine has ended",
                    "another host in front of the appliance hides the senders' addresses",
                ],
                actions: &["restore DNS", "look at the licences"],
            },
        ),
        Alert::new(
            "AsyncosSpamEngineSilent",
            Warning,
            Some("30m"),
            &format!(
                "{} and on (EACH) increase({INCOMING}_detected_spam_total[2h] offset 1d) > 100 and on (EACH) {RATE} > \
                 {FLOOR}",
                nothing("detected_spam", "2h")
            ),
            "{{ $labels.appliance }} finds no spam",
            "The anti-spam engine has found nothing at {{ $labels.appliance }} for more than two hours, unlike yesterday, and \
             mail comes in.",
            Page {
                meaning: "Mail comes in, and none of it was found to be spam. Yesterday some was.",
                impact: "Spam gets to the users.",
                panel: (Uid::Incoming, "Spam, certain and suspected per minute"),
                commands: &["`antispamstatus`", "`featurekey`", "`updatenow`"],
                causes: &[
                    "the engine's licence has ended",
                    "its rules are not updated any more",
                    "somebody switched it off in a mail policy",
                ],
                actions: &["update the rules", "look at the mail policies' last change"],
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
            "{{ $labels.appliance }} has {{ $value | humanize }} times the incoming mail of this time a week ago.",
            Page {
                meaning: "More than four times the volume of the same time last week.",
                impact: "The work queue may grow.",
                panel: (Uid::Incoming, "By verdict per minute"),
                commands: &["`tophosts`", "`rate`"],
                causes: &[
                    "a wave of spam",
                    "a mail loop",
                    "a newsletter of our own and its answers",
                    "another gateway is down",
                ],
                actions: &["see by the verdicts what it is", "stop a loop at its source"],
            },
        ),
        Alert::new(
            "AsyncosSpamWave",
            Info,
            Some("15m"),
            &format!(
                "appliance:asyncos_incoming_spam:rate30m / (appliance:asyncos_incoming_spam:rate30m offset 1w > {FLOOR}) > \
                 {UNUSUAL}"
            ),
            "Much more spam than usual at {{ $labels.appliance }}",
            "{{ $labels.appliance }} finds {{ $value | humanize }} times the spam of this time a week ago.",
            Page {
                meaning: "More than four times the spam of the same time last week was found, and stopped.",
                impact: "None as long as the appliance keeps up. Some of it will not have been recognised.",
                panel: (Uid::Incoming, "Spam, certain and suspected per minute"),
                commands: &["`tophosts`", "Monitor > Incoming Mail, by sender"],
                causes: &["a campaign"],
                actions: &["see whether it has one source that the host access table can reject"],
            },
        ),
        Alert::new(
            "AsyncosThreatShareJumped",
            Warning,
            Some("30m"),
            &format!("{SHARE} - {SHARE} offset 1d > {THREAT_JUMP} and {RATE} > {FLOOR}"),
            "More of the mail at {{ $labels.appliance }} is stopped",
            "The share of stopped mail at {{ $labels.appliance }} is higher than a day ago by {{ $value | humanizePercentage }} \
             of all mail.",
            Page {
                meaning: "The share of threats has risen by 25 points within a day.",
                impact: "Perhaps good mail is stopped.",
                panel: (Uid::Incoming, "Threat share, and a week ago"),
                commands: &["Monitor > Incoming Mail", "Message Tracking: are there complaints in it?"],
                causes: &[
                    "a campaign",
                    "a filter or a policy that was changed and matches too much",
                    "a feed that calls good senders bad",
                ],
                actions: &["see by the verdicts which engine it is", "take back the last change if it is a filter"],
            },
        ),
        Alert::new(
            "AsyncosThreatShareDropped",
            Warning,
            Some("30m"),
            &format!("{SHARE} / ({SHARE} offset 1d > 0.05) < {THREAT_FALL} and {RATE} > {FLOOR}"),
            "Less of the mail at {{ $labels.appliance }} is stopped",
            "The share of stopped mail at {{ $labels.appliance }} is {{ $value | humanizePercentage }} of what it was a day ago.",
            Page {
                meaning: "Less than half of yesterday's share of threats is stopped.",
                impact: "Threats may get to the users.",
                panel: (Uid::Incoming, "Threat share, and a week ago"),
                commands: &["`antispamstatus`, `antivirusstatus`, `ampconfig`", "`updatenow`", "`featurekey`"],
                causes: &["an engine, its updates or its licence", "DNS for the reputation service"],
                actions: &["see by the verdicts which engine has fallen silent", "update it, renew its licence"],
            },
        ),
        Alert::new(
            "AsyncosDmarcUnusual",
            Info,
            Some("15m"),
            &format!(
                "increase({INCOMING}_blocked_dmarc_total[65m]) > {UNUSUAL} * \
                 increase({INCOMING}_blocked_dmarc_total[65m] offset 1d) and \
                 increase({INCOMING}_blocked_dmarc_total[65m]) > 100"
            ),
            "DMARC stops more than usual at {{ $labels.appliance }}",
            "DMARC has stopped {{ printf \"%.0f\" $value }} recipients at {{ $labels.appliance }} within an hour, more than four \
             times as many as a day ago.",
            Page {
                meaning: "Four times as many recipients as yesterday were stopped because DMARC failed.",
                impact: "Perhaps good mail of one partner is stopped.",
                panel: (Uid::Incoming, "Senders that fail authentication per minute"),
                commands: &["Monitor > DMARC Verification names the domains"],
                causes: &["forged mail in somebody's name", "a partner changed its provider and not its records"],
                actions: &["find out which domain it is; inform the partner"],
            },
        ),
    ]
}
