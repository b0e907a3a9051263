//! Keyed mail groups about threats and malware. **Source:** the Swagger client kribsi/esa_python for names and counters; the numbers
//! are made up.

use crate::sim::keyed::key as k;
use crate::sim::keyed::part::{self as p};
use crate::sim::keyed::{Keyed, Value, group, sum, text};

pub(super) const THREATS: &[Keyed] = &[
    group("mail_incoming_malware_threat_file_detail", k::MALWARE, &[p::AMP_IN], &[sum("detected_amp", &[p::AMP_IN])]),
    group(
        "mail_sender_domain_threat_categories",
        k::SDR_CATEGORY,
        &[p::events(241, 50)],
        &[sum("total_threat_messages", &[p::events(241, 50)])],
    ),
    group(
        "mail_sender_domain_threat_levels",
        k::SDR_LEVEL,
        &[p::events(242, 50)],
        &[sum("total_threats", &[p::events(242, 50)])],
    ),
    group(
        "mail_threatfeeds_indicator_value_detail",
        k::INDICATOR,
        &[p::events(244, 25)],
        &[
            sum("ioc_consumed", &[p::events(244, 25)]),
            text("ioc_type", Value::OneOf(&["domain", "url", "sha256", "ip"])),
        ],
    ),
    group(
        "mail_threatfeeds_source_detail",
        k::FEED,
        &[p::FEED_DOMAIN, p::FEED_HASH, p::FEED_URL, p::events(245, 8)],
        &[
            sum("domain_indicator", &[p::FEED_DOMAIN]),
            sum("file_hash_indicator", &[p::FEED_HASH]),
            sum("ip_indicator", &[p::events(245, 8)]),
            sum("total_messages_matched", &[p::FEED_DOMAIN, p::FEED_HASH, p::FEED_URL, p::events(245, 8)]),
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
