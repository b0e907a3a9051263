//! Keyed mail groups about outbreaks.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{KeyedGroup, group, single_counter, sum};

pub(super) const OUTBREAKS: &[KeyedGroup] = &[
    single_counter!("mail_vof_threat_details", k::OUTBREAK, "threat_detected", &[p::OUTBREAK]),
    single_counter!("mail_vof_threat_summary", k::OUTBREAK_CATEGORY, "threat_detected", &[p::OUTBREAK]),
    single_counter!("mail_vof_threats_by_level", k::OUTBREAK_LEVEL, "threat_detected", &[p::OUTBREAK]),
    single_counter!("mail_vof_threats_by_threat_type", k::OUTBREAK, "threat_detected", &[p::OUTBREAK]),
    group(
        "mail_vof_threats_by_time_threshold",
        k::TIME_BUCKET,
        &[p::events(257, 10)],
        &[
            sum("local_store_quarantine_message_exit", &[p::events(257, 10)]),
            sum("quarantine_message_exit", &[p::events(258, 25)]),
        ],
    ),
    single_counter!("mail_vof_threats_by_type", k::OUTBREAK_TYPE, "threat_detected", &[p::OUTBREAK]),
];
