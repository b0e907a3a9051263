//! The targets that Prometheus finds by its HTTP service discovery: one an appliance, all at this exporter. Pure; knows
//! nothing of HTTP.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::{Appliance, Config, Scope};

/// The path at which one appliance is scraped.
const PROBE: &str = "/probe";

/// A list of targets as Prometheus takes it.
///
/// **Source:** Prometheus' documentation, HTTP SD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Discovery(Vec<TargetGroup>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct TargetGroup {
    targets: [String; 1],
    labels: BTreeMap<&'static str, String>,
}

impl Discovery {
    /// The appliances of `config`, to be scraped at `host`, which is this exporter, by `scheme`; `prefix` is before each path.
    #[must_use]
    pub(crate) fn new(config: &Config, host: &str, scheme: &str, prefix: &str) -> Self {
        let group = |appliance: &Appliance| TargetGroup {
            targets: [host.to_owned()],
            labels: BTreeMap::from([
                ("__metrics_path__", format!("{prefix}{PROBE}")),
                ("__param_target", appliance.name.clone()),
                ("__scheme__", scheme.to_owned()),
                ("__meta_asyncos_appliance", appliance.name.clone()),
                ("__meta_asyncos_product", appliance.product.label().to_owned()),
                ("__meta_asyncos_host", appliance.url.host_str().unwrap_or_default().to_owned()),
                ("__meta_asyncos_device_groups", listed(&appliance.scopes, Scope::device_group)),
                ("__meta_asyncos_devices", listed(&appliance.scopes, Scope::device)),
            ]),
        };
        Self(config.appliances.iter().map(group).collect())
    }

    /// As JSON.
    #[must_use]
    pub(crate) fn json(&self) -> String {
        // Lists and tables with text for keys can always be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The names with a comma before and after each, so that an expression finds one without looking at where it stands:
/// `.*,eu,.*`. Empty where there are none.
fn listed(scopes: &[Scope], name: fn(&Scope) -> &str) -> String {
    let names: Vec<&str> = scopes.iter().map(name).filter(|name| !name.is_empty()).collect();
    if names.is_empty() { String::new() } else { format!(",{},", names.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_appliance_is_a_target_at_this_exporter() {
        let text = "appliances:\n\
            - {name: 'e \"1\"', url: 'https://esa1.example.com:6443', username: u, password: hunter2}\n\
            - {name: m, url: 'https://m', username: u, password: hunter2, product: sma, device_groups: [eu, us]}\n";
        let config = Config::parse("given", text).unwrap_or_else(|error| panic!("{error}"));
        let json = Discovery::new(&config, "exporter:10042", "https", "/mail").json();
        let found: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let labels = |name: &str, product: &str, host: &str, groups: &str| {
            serde_json::json!({
                "__metrics_path__": "/mail/probe", "__param_target": name, "__scheme__": "https",
                "__meta_asyncos_appliance": name, "__meta_asyncos_product": product, "__meta_asyncos_host": host,
                "__meta_asyncos_device_groups": groups, "__meta_asyncos_devices": "",
            })
        };
        let expected = serde_json::json!([
            {"targets": ["exporter:10042"], "labels": labels("e \"1\"", "esa", "esa1.example.com", "")},
            {"targets": ["exporter:10042"], "labels": labels("m", "sma", "m", ",eu,us,")},
        ]);
        assert_eq!(found, expected);
        assert!(!json.contains("hunter2"));
    }
}
