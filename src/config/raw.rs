//! The raw twin: the tables of the file with values of any type, so that reading one never stops at a mistake.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{document, field, suggestion};

/// Declares tables whose values are not looked at yet, with the list of their keys.
macro_rules! tables {
    ($all:ident: $($(#[$doc:meta])* $table:ident { $($key:ident),+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Default)]
            pub(super) struct $table { $(pub(super) $key: Option<Value>),+ }

            impl $table {
                const KEYS: &[&str] = &[$(stringify!($key)),+];

                /// Takes the known keys of `value`; the others are problems, as is a value that is no table.
                pub(super) fn read(value: Value, path: &Path, problems: &mut Problems) -> Self {
                    let mut entries = table(value, path, problems);
                    let table = Self { $($key: entries.remove(stringify!($key))),+ };
                    for key in entries.keys() {
                        match document::missing_space(key) {
                            // What follows the colon may be a secret, so that the path ends before it.
                            Some(complaint) => problems.error(path, complaint),
                            None => {
                                let others = other_tables(stringify!($table));
                                let message = suggestion::unknown_key(key, Self::KEYS, others);
                                problems.error(&path.key(key), message);
                            }
                        }
                    }
                    table
                }
            }
        )+

        /// Every table's name in the code and its keys.
        pub(super) fn $all() -> Vec<(&'static str, &'static [&'static str])> {
            vec![$((stringify!($table), $table::KEYS)),+]
        }
    };
}

tables! {
    web_keys:
    /// The file of the web side.
    Web { tls_server_config, http_server_config, basic_auth_users, rate_limit }
    /// Its `tls_server_config`.
    WebTls {
        cert_file, key_file, cert, key, client_ca_file, client_ca, client_auth_type, client_allowed_sans, min_version,
        max_version, cipher_suites, prefer_server_cipher_suites, curve_preferences
    }
    /// Its `http_server_config`.
    WebHttp { http2, headers }
}

/// Every table's name in the code and its keys.
pub(super) fn known_keys() -> Vec<(&'static str, &'static [&'static str])> {
    [appliance_keys(), polling_keys(), group_keys()].concat()
}

tables! {
    appliance_keys:
    /// The file itself.
    File { sharding, web, defaults, counter_groups, custom_counter_groups, tracking_searches, detections, appliances }
    /// `sharding`.
    Sharding { shards, index, index_env, from }
    /// `web`.
    WebPages { created_timestamps }
    /// One element of `appliances`.
    Appliance {
        name, url, product, auth, username, password, password_file, password_env, credential, two_factor, oidc, tls,
        proxy, polling, counter_groups, device_groups, devices, health, system_status, delivery_status, xml_status,
        quarantines, inventory, tracking_searches, detections, minimum_release, serial
    }
    /// `two_factor` of an appliance.
    TwoFactor {
        when, totp_secret, totp_secret_file, totp_secret_env, totp_secret_credential, digits, period, algorithm, command,
        username_field, passcode_field, encoding
    }
    /// `oidc` of an appliance.
    Oidc {
        issuer, token_url, grant, client_id, client_secret, client_secret_file, client_secret_env,
        client_secret_credential, client_auth, scope, parameters, token, header, prefix, tls
    }
    /// `xml_status` of an appliance, where it is more than a switch.
    XmlStatus { url }
    /// `delivery_status` of an appliance.
    DeliveryStatus { top }
    /// `tls` of an appliance.
    Tls { ca_file, server_name, fingerprint_sha256, insecure_skip_verify, cert_file, key_file, min_version, legacy }
    /// `proxy` of an appliance.
    Proxy { url, username, password, password_file, password_env, credential }
}

/// Declares the tables `polling` and `defaults`, which has all keys of the former.
macro_rules! polling_tables {
    ($($key:ident),+) => {
        tables! {
            polling_keys:
            /// `defaults`: what `polling` of an appliance has, and two keys of the appliance itself.
            Defaults { $($key),+, minimum_release, serial }
            /// `polling` of an appliance.
            Polling { $($key),+ }
        }

        impl Defaults {
            /// The part that is about polling, and then `minimum_release` and `serial`.
            pub(super) fn split(self) -> (Polling, Option<Value>, Option<Value>) {
                (Polling { $($key: self.$key),+ }, self.minimum_release, self.serial)
            }
        }
    };
}

polling_tables! {
    window, settle, timeout, concurrency, requests_per_minute, max_login_refusals, catch_up, start, alignment, running_hour,
    late
}

tables! {
    group_keys:
    /// One element of a list of `counter_groups` that is more than a name.
    Choice { name, top, window, series_limit }
    /// One element of `tracking_searches`.
    Search { name, search_option, filters, delivered_only, window }
    /// A filter of a search that says how it compares.
    Comparison { operator, value }
    /// `detections`, where it is more than a switch.
    Detections { window, internal_domains, canary }
    /// Its `canary`.
    Canary { sender, subject, interval }
    /// One element of `custom_counter_groups`.
    Custom { name, key, device_type, aggregation, unit, counters }
    /// One element of its `counters` that is more than a name.
    CustomCounter { name, aggregation, unit }
}

/// The tables that a key was probably meant for if it is none of `table`, each with the path that leads to it. Those of the
/// web configuration have none.
pub(super) fn other_tables(table: &str) -> &'static [(&'static str, &'static [&'static str])] {
    const BELOW_APPLIANCES: &[(&str, &[&str])] = &[
        ("appliances[].tls", Tls::KEYS),
        ("appliances[].polling", Polling::KEYS),
        ("appliances[].two_factor", TwoFactor::KEYS),
        ("appliances[].oidc", Oidc::KEYS),
        ("appliances[]", Appliance::KEYS),
    ];
    const BELOW_FILE: &[(&str, &[&str])] = &[
        ("defaults", Defaults::KEYS),
        ("web", WebPages::KEYS),
        ("sharding", Sharding::KEYS),
        ("appliances[]", Appliance::KEYS),
    ];
    match table {
        "File" => BELOW_FILE,
        "Appliance" | "Polling" | "Defaults" | "Tls" | "TwoFactor" | "Oidc" => BELOW_APPLIANCES,
        _ => &[],
    }
}

/// The entries of a table. Nothing at all counts as an empty one: a key whose children are all commented out.
pub(super) fn table(value: Value, path: &Path, problems: &mut Problems) -> BTreeMap<String, Value> {
    let found = field::kind(&value);
    let hint = value.as_str().and_then(document::missing_space).map(|hint| format!(": {hint}")).unwrap_or_default();
    let mapping = match value {
        Value::Mapping(mapping) => mapping,
        Value::Null => return BTreeMap::new(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Sequence(_) | Value::Tagged(_) => {
            problems.error(path, format!("expected a table, found {found}{hint}"));
            return BTreeMap::new();
        }
    };
    let mut entries = BTreeMap::new();
    for (key, value) in mapping {
        match key {
            Value::String(key) => {
                entries.insert(key, value);
            }
            other => problems.error(path, format!("expected names as keys, found {}", field::kind(&other))),
        }
    }
    entries
}
