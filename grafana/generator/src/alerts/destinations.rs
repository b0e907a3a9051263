//! Alerts about single destinations, from the delivery status of gateways that offer it.

use super::super::alert::Severity::Warning;
use super::super::alert::{Alert, Page};
use super::super::board::Uid;

pub(super) fn alerts() -> Vec<Alert> {
    vec![Alert::new(
        "AsyncosDestinationStuck",
        Warning,
        None,
        // The sum of the others is never stuck: one of many that takes mail hides the rest. Where the series is younger than a
        // quarter of an hour, nobody knows yet; nor while the domain had no series of its own now and then, because
        // others had more waiting: what it took then is in the sum.
        "min_over_time(asyncos_destination_active_recipients{domain!=\"(other)\"}[15m]) > 0 and \
         increase(asyncos_destination_delivered_recipients_total[15m]) == 0 and \
         asyncos_destination_active_recipients offset 15m > 0 and \
         count_over_time(asyncos_destination_active_recipients[15m]) >= on (EACH) group_left () \
         count_over_time(asyncos_up[15m])",
        "Mail to {{ $labels.domain }} is stuck at {{ $labels.appliance }}",
        "{{ $labels.appliance }} has delivered nothing to {{ $labels.domain }} for 15 minutes, with at least \
         {{ $value | humanize }} recipients waiting.",
        Page {
            meaning: "Recipients of this domain have waited for 15 minutes, and none was delivered. A slow domain, which takes \
                      some mail, does not count. Only the domains with the most waiting recipients are watched \
                      (`delivery_status`).",
            impact: "Mail to this domain is delayed, and bounces when it is too old.",
            panel: (Uid::Capacity, "Waiting recipients by destination"),
            commands: &["`hoststatus DOMAIN`", "`tophosts active`", "`tail mail_logs`, for the domain", "`dnsstatus`"],
            causes: &[
                "the mail servers of the domain are down, or refuse the address of the appliance",
                "DNS for the domain fails",
                "a firewall, or a wrong SMTP route: `smtproutes`",
                "delivery is suspended: `resumedel`",
            ],
            actions: &[
                "ask the postmaster of the domain",
                "`delivernow` once the domain is reachable again",
                "check whether the address of the appliance is on a blocklist",
            ],
        },
    )]
}
