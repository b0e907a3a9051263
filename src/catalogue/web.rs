//! Reports about web traffic, which managers have. Their counters are not published, so they are taken as they come.
//! `web_transaction` is missing: it lists transactions and counts nothing.
//!
//! **Source:** the addendum to the API of AsyncOS 12.5 for web; that a group is keyed, and by what, is inferred.

use std::borrow::Cow::Borrowed;

use super::Source::{Documented, Inferred};
use super::entry::{count, keyed, sum};
use super::{Aggregation, Counter, DeviceType, Group, Key, Keys, Unit};

/// Nobody knows how they add up, so they become gauges alone.
const UNPUBLISHED: Option<(Aggregation, Unit)> = Some((Aggregation::Unknown, count("unit unknown")));

/// The one counter that a sample of the guide shows, with addresses of clients for keys. That it belongs to the
/// report of users and counts transactions is inferred.
const OF_USERS: &[Counter] = &[sum("blocked_malware", count("transactions"), Documented, "Blocked because of malware")];

/// Sorted by name. Keys are personal wherever a report is about users, even if it lists what one of them met.
/// Applications, their behaviours and ports are too many to count as bounded.
pub(super) const GROUPS: &[Group] = &[
    web("domains", keyed("domain", Keys::Unbounded), &[], "Web traffic by domain"),
    web("policy_by_user", keyed("policy", Keys::Personal), &[], "Web traffic of one user by the policy that matched"),
    web("users_by_app", keyed("user", Keys::Personal), &[], "Users of one web application"),
    web("users_by_app_type", keyed("user", Keys::Personal), &[], "Users of one type of web applications"),
    web("users_by_category", keyed("user", Keys::Personal), &[], "Users of one URL category"),
    web("web_amp_detail_by_filename", keyed("file", Keys::Unbounded), &[], "Files in web traffic with an AMP verdict"),
    web("web_amp_detail_summary", None, &[], "Files in web traffic by AMP verdict, in detail"),
    web(
        "web_amp_file_analysis_by_filename",
        keyed("file", Keys::Unbounded),
        &[],
        "Files in web traffic sent to AMP analysis",
    ),
    web(
        "web_amp_reputation_update",
        keyed("file", Keys::Unbounded),
        &[],
        "Files in web traffic with a changed AMP verdict",
    ),
    web("web_amp_summary", None, &[], "Files in web traffic by AMP verdict"),
    web(
        "web_application_name_application_behavior_detail",
        keyed("behaviour", Keys::Unbounded),
        &[],
        "Web applications by behaviour",
    ),
    web(
        "web_application_name_application_type_detail",
        keyed("application", Keys::Unbounded),
        &[],
        "Web applications of one type",
    ),
    web("web_application_name_detail", keyed("application", Keys::Unbounded), &[], "Web traffic by application"),
    web(
        "web_application_type_application_name_detail",
        keyed("application", Keys::Unbounded),
        &[],
        "Web traffic by application and its type",
    ),
    web(
        "web_application_type_detail",
        keyed("application_type", Keys::Bounded),
        &[],
        "Web traffic by type of application",
    ),
    web("web_filenames_by_sha", keyed("file", Keys::Unbounded), &[], "Names of one file in web traffic"),
    web("web_host_by_traffic_monitor", keyed("host", Keys::Unbounded), &[], "Layer 4 traffic monitor by host"),
    web("web_malware_category", keyed("malware_category", Keys::Bounded), &[], "Malware in web traffic by category"),
    web(
        "web_malware_category_malware_name_detail",
        keyed("malware", Keys::Unbounded),
        &[],
        "Malware in web traffic by name and category",
    ),
    web(
        "web_malware_category_malware_name_user_detail",
        keyed("user", Keys::Personal),
        &[],
        "Users who met one malware",
    ),
    web(
        "web_malware_name_malware_category_detail",
        keyed("malware", Keys::Unbounded),
        &[],
        "Malware of one category in web traffic by name",
    ),
    web("web_port_detail", keyed("port", Keys::Unbounded), &[], "Layer 4 traffic monitor by port"),
    web("web_services_summary", None, &[], "Transactions of the web proxy"),
    web("web_socks_destinations", keyed("destination", Keys::Unbounded), &[], "SOCKS traffic by destination"),
    web("web_socks_users", keyed("user", Keys::Personal), &[], "SOCKS traffic by user"),
    web("web_user_amp_detail", keyed("file", Keys::Personal), &[], "Files of one user with an AMP verdict"),
    web(
        "web_user_application_detail",
        keyed("application", Keys::Personal),
        &[],
        "Web traffic of one user by application",
    ),
    web("web_user_by_traffic_monitor", keyed("client_ip", Keys::Personal), &[], "Layer 4 traffic monitor by client"),
    web("web_user_detail", keyed("user", Keys::Personal), OF_USERS, "Web traffic by user or client"),
    web(
        "web_user_malware_name_malware_category_detail",
        keyed("malware", Keys::Personal),
        &[],
        "Malware that one user met, by name",
    ),
    web(
        "web_user_webcat_detail",
        keyed("url_category", Keys::Personal),
        &[],
        "Web traffic of one user by URL category",
    ),
    web("web_users_by_sha_detail", keyed("user", Keys::Personal), &[], "Users who met one file"),
    web("web_wbrs_score_detail", keyed("score", Keys::Bounded), &[], "Web traffic by reputation score"),
    web(
        "web_wbrs_threat_type_detail",
        keyed("threat_type", Keys::Bounded),
        &[],
        "Web traffic by the threat type of its reputation",
    ),
    web("web_webcat_detail", keyed("url_category", Keys::Bounded), &[], "Web traffic by URL category"),
];

const fn web(name: &'static str, key: Option<Key>, counters: &'static [Counter], help: &'static str) -> Group {
    Group {
        name: Borrowed(name),
        help: Borrowed(help),
        kind_source: Inferred,
        profile: None,
        about: DeviceType::Web,
        key,
        others: UNPUBLISHED,
        counters: Borrowed(counters),
    }
}
