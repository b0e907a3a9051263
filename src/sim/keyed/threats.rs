//! Keyed mail groups about threats and malware.
//! **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p, Part};
use crate::sim::keyed::{KeyedGroup, Value, group, single_counter, sum, text};

const INDICATORS: Part = p::events(244, 25);
const FEED_IP: Part = p::events(245, 8);
const FEED_ALL: &[Part] = &[p::FEED_DOMAIN, p::FEED_HASH, p::FEED_URL, FEED_IP];

pub(super) const THREATS: &[KeyedGroup] = &[
    single_counter!("mail_incoming_malware_threat_file_detail", k::MALWARE, "detected_amp", &[p::AMP_IN]),
    single_counter!(
        "mail_sender_domain_threat_categories",
        k::SDR_CATEGORY,
        "total_threat_messages",
        &[p::events(241, 50)]
    ),
    single_counter!("mail_sender_domain_threat_levels", k::SDR_LEVEL, "total_threats", &[p::events(242, 50)]),
    group(
        "mail_threatfeeds_indicator_value_detail",
        k::INDICATOR,
        &[INDICATORS],
        &[sum("ioc_consumed", &[INDICATORS]), text("ioc_type", Value::OneOf(&["domain", "url", "sha256", "ip"]))],
    ),
    group(
        "mail_threatfeeds_source_detail",
        k::FEED,
        FEED_ALL,
        &[
            sum("domain_indicator", &[p::FEED_DOMAIN]),
            sum("file_hash_indicator", &[p::FEED_HASH]),
            sum("ip_indicator", &[FEED_IP]),
            sum("total_messages_matched", FEED_ALL),
            sum("url_indicator", &[p::FEED_URL]),
        ],
    ),
    group(
        "mail_virus_type_detail",
        k::VIRUS,
        &[p::VIRUS_IN, p::VIRUS_OUT],
        &[
            sum("incoming_total_recipients", &[p::VIRUS_IN]),
            sum("outgoing_total_recipients", &[p::VIRUS_OUT]),
            sum("total_recipients", &[p::VIRUS_IN, p::VIRUS_OUT]),
        ],
    ),
];
