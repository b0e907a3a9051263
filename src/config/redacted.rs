//! The current configuration as text for people: every key with its value, and no secret. Structures are destructured
//! completely, so that a new key cannot be forgotten here.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Alignment, Appliance, Config, GroupChoice, Late, Polling, Quarantines, Scope, SearchChoice, Settle, Share,
    StatusOptions,
};
use crate::base::period::Period;
use crate::base::shard::Shard;
use crate::catalogue::tracking::Outcome;
use crate::catalogue::{Aggregation, Counter, DeviceType, Group, Unit};

mod auth;
mod connection;

use auth::LoginKeys;
use connection::{ProxyKeys, Tls};

/// The text in place of a secret.
const HIDDEN: &str = "<secret>";

impl Config {
    /// The configuration with every default filled in, as YAML; secrets read `<secret>`.
    #[must_use]
    pub fn redacted(&self) -> String {
        // Tables with text for keys can always be written.
        serde_yaml::to_string(&self.file()).unwrap_or_else(|error| format!("# cannot be displayed: {error}\n"))
    }

    /// As [`Config::redacted`], for programs.
    #[must_use]
    pub fn redacted_json(&self) -> serde_json::Value {
        serde_json::to_value(self.file()).unwrap_or_default()
    }

    fn file(&self) -> File<'_> {
        let Share { shard, configured: _ } = self.share;
        let sharding = (shard != Shard::ALONE).then(|| Part { shards: shard.shards(), index: shard.index() });
        File {
            sharding,
            custom_counter_groups: self.custom_groups.iter().map(CustomGroup::of).collect(),
            web: Pages { created_timestamps: self.created_timestamps },
            appliances: self.appliances.iter().map(Entry::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sharding: Option<Part>,
    web: Pages,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    custom_counter_groups: Vec<CustomGroup<'a>>,
    appliances: Vec<Entry<'a>>,
}

/// Settings of the pages of metrics.
#[derive(Serialize)]
struct Pages {
    created_timestamps: bool,
}

/// This shard and the number of shards; appliances of other shards are not displayed.
#[derive(Serialize)]
struct Part {
    shards: u32,
    index: u32,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    url: &'a str,
    product: &'static str,
    #[serde(flatten)]
    account: LoginKeys<'a>,
    tls: Tls<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<ProxyKeys<'a>>,
    polling: Pace,
    counter_groups: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    device_groups: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<&'a str>,
    health: bool,
    system_status: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_status: Option<DeliveryStatusKeys>,
    xml_status: XmlStatus<'a>,
    quarantines: QuarantineKeys<'a>,
    inventory: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_release: Option<String>,
    serial: bool,
    tracking_searches: Vec<Search<'a>>,
}

impl<'a> Entry<'a> {
    fn of(appliance: &'a Appliance) -> Self {
        let Appliance {
            name,
            url,
            product,
            auth,
            credentials,
            trust,
            proxy,
            polling,
            scopes,
            groups,
            searches,
            status_options,
            minimum_release,
            serial,
        } = appliance;
        let StatusOptions { health, system_status, delivery_status, xml_status, quarantines, inventory, named: _ } =
            status_options;
        let members =
            |wanted: fn(&Scope) -> &str| scopes.iter().map(wanted).filter(|name| !name.is_empty()).collect::<Vec<_>>();
        Self {
            name,
            url: url.as_str().trim_end_matches('/'),
            product: product.label(),
            account: LoginKeys::of(auth, credentials),
            tls: Tls::of(trust),
            proxy: proxy.as_ref().map(ProxyKeys::of),
            polling: Pace::of(polling),
            counter_groups: groups.iter().map(Choice::of).collect(),
            device_groups: members(Scope::device_group),
            devices: members(Scope::device),
            health: *health,
            system_status: *system_status,
            delivery_status: delivery_status.map(|top| DeliveryStatusKeys { top: top.get() }),
            xml_status: xml_status.as_ref().map_or(XmlStatus::Off(false), |url| XmlStatus::At { url: url.as_str() }),
            quarantines: match quarantines {
                Quarantines::All => QuarantineKeys::All(true),
                Quarantines::Named(names) => QuarantineKeys::Named(names),
            },
            inventory: *inventory,
            minimum_release: minimum_release.map(|minimum| minimum.to_string()),
            serial: *serial,
            tracking_searches: searches.iter().map(Search::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct DeliveryStatusKeys {
    top: usize,
}

#[derive(Serialize)]
struct Pace {
    window: String,
    settle: String,
    timeout: String,
    concurrency: usize,
    requests_per_minute: u32,
    max_login_refusals: u32,
    catch_up: String,
    start: String,
    alignment: &'static str,
    running_hour: bool,
    late: &'static str,
}

impl Pace {
    fn of(polling: &Polling) -> Self {
        let Polling {
            grid,
            settle,
            timeout,
            concurrency,
            requests_per_minute,
            max_login_refusals,
            catch_up,
            start,
            alignment,
            running_hour,
            late,
        } = *polling;
        Self {
            window: span(grid.length()),
            settle: match settle {
                Settle::Fixed(delay) => span(delay),
                Settle::Auto(_) => "auto".into(),
            },
            timeout: span(timeout),
            concurrency: concurrency.get(),
            requests_per_minute: requests_per_minute.get(),
            max_login_refusals: max_login_refusals.get(),
            catch_up: span(catch_up),
            start: span(start.unwrap_or(grid.length())),
            alignment: match alignment {
                Alignment::Auto => "auto",
                Alignment::Minute => "minute",
                Alignment::Hour => "hour",
            },
            running_hour,
            late: match late {
                Late::Add => "add",
                Late::Ignore => "ignore",
            },
        }
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<usize>,
    window: String,
    series_limit: usize,
}

impl<'a> Choice<'a> {
    fn of(choice: &'a GroupChoice) -> Self {
        let GroupChoice { group, top, grid, series_limit } = choice;
        Self { name: &group.name, top: *top, window: span(grid.length()), series_limit: *series_limit }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum XmlStatus<'a> {
    Off(bool),
    At { url: &'a str },
}

#[derive(Serialize)]
#[serde(untagged)]
enum QuarantineKeys<'a> {
    All(bool),
    Named(&'a [String]),
}

#[derive(Serialize)]
struct Search<'a> {
    name: &'a str,
    search_option: String,
    /// In the API's own names.
    filters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    delivered_only: bool,
    window: String,
}

impl<'a> Search<'a> {
    fn of(choice: &'a SearchChoice) -> Self {
        let SearchChoice { name, search, grid } = choice;
        let parameters = search.parameters();
        let mut filters: BTreeMap<String, String> =
            url::form_urlencoded::parse(parameters.as_bytes()).into_owned().collect();
        let search_option = filters.remove("searchOption").unwrap_or_default();
        let delivered_only = search.outcome() == Outcome::Delivered;
        Self { name, search_option, filters, delivered_only, window: span(grid.length()) }
    }
}

#[derive(Serialize)]
struct CustomGroup<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    device_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    counters: Vec<CustomCounter<'a>>,
}

impl<'a> CustomGroup<'a> {
    fn of(group: &'a Group) -> Self {
        let Group { name, help: _, kind_source: _, profile: _, about, key, others, counters } = group;
        Self {
            name,
            key: key.as_ref().map(|key| &*key.label),
            device_type: match about {
                DeviceType::Mail | DeviceType::Tracking => "esa",
                DeviceType::Web => "wsa",
            },
            aggregation: others.as_ref().map(|(aggregation, _)| word(*aggregation)),
            unit: others.as_ref().map(|(_, unit)| noun(unit)),
            counters: counters.iter().map(CustomCounter::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct CustomCounter<'a> {
    name: &'a str,
    aggregation: &'static str,
    unit: &'a str,
}

impl<'a> CustomCounter<'a> {
    fn of(counter: &'a Counter) -> Self {
        let Counter { name, aggregation, unit, help: _, source: _ } = counter;
        Self { name, aggregation: word(*aggregation), unit: noun(unit) }
    }
}

fn word(aggregation: Aggregation) -> &'static str {
    match aggregation {
        Aggregation::Sum => "sum",
        Aggregation::Average => "average",
        Aggregation::Maximum => "maximum",
        Aggregation::Last => "last",
        Aggregation::Unknown => "unknown",
        Aggregation::Text => "text",
    }
}

/// The unit as the file names it.
fn noun(unit: &Unit) -> &str {
    match unit {
        Unit::Percent => "percent",
        Unit::Count(_) | Unit::Bytes | Unit::Seconds | Unit::Text => unit.noun(),
    }
}

fn span(span: std::time::Duration) -> String {
    Period(span).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    const PASSWORD: &str = "hunter2: never shown";

    #[test]
    fn no_second_secret_is_shown_nor_what_may_be_one() {
        let text = "appliances:\n\
            - {name: a, url: 'https://a', username: u, password: hunter2-1, two_factor: {totp_secret: MFRGGZDF}}\n\
            - {name: b, url: 'https://b', username: u, password: hunter2-2, two_factor: {command: [/bin/sh, hunter2-3]}}\n\
            - {name: c, url: 'https://c', auth: oidc, oidc: {issuer: 'https://i/r', client_id: c, client_secret: hunter2-4}}\n\
            - {name: d, url: 'https://d', auth: oidc, username: u, password: hunter2-5,\n\
                oidc: {token_url: 'https://i/t?key=hunter2-6', grant: password, client_id: c, client_secret: hunter2-7,\n\
                       parameters: {audience: hunter2-8}}}\n";
        let config = Config::parse("given", text).unwrap_or_else(|error| panic!("{error}"));
        let shown = config.redacted();
        assert!(!shown.contains("hunter2") && !shown.contains("MFRGGZDF"), "{shown}");
        let parts = [
            "totp_secret: <secret>\n",
            "    - /bin/sh\n    - <secret>\n",
            "issuer: https://i/r\n",
            "client_secret: <secret>\n",
            "token_url: https://i/t?<secret>\n",
            "audience: <secret>\n",
        ];
        for part in parts {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
    }

    /// The fleet with its passwords replaced, as reading what is shown brings it.
    fn hidden(mut config: Config) -> Config {
        for appliance in &mut config.appliances {
            appliance.credentials.password = Passphrase::try_new(HIDDEN).expect("a password");
            appliance.polling.start = appliance.polling.start.or(Some(appliance.polling.grid.length()));
            // What is shown has every key.
            appliance.status_options.named.clear();
        }
        config.warnings.clear();
        config
    }

    #[test]
    fn what_is_shown_is_the_same_configuration_without_its_secrets() {
        let text = format!(
            "web: {{created_timestamps: true}}\n\
             defaults: {{window: 15m, settle: auto, minimum_release: 15.5.5-014, serial: true}}\n\
             counter_groups: [minimal, mail_new, {{name: mail_incoming_domain_detail, top: 20, window: 1h}}]\n\
             custom_counter_groups:\n\
             - {{name: mail_new, key: policy, aggregation: sum, unit: messages, counters: [{{name: w, unit: percent}}]}}\n\
             tracking_searches: [{{name: s, filters: {{envelope_sender: {{operator: contains, value: 'a b&c@'}}}}}}]\n\
             detections: {{internal_domains: [example.com], canary: {{subject: probe}}}}\n\
             appliances:\n\
             - {{name: a, url: 'https://a:6443', username: u, password: '{PASSWORD}'}}\n\
             - {{name: b, url: 'https://b', username: u, password: '{PASSWORD}', product: sma, auth: basic,\n\
                 device_groups: [g], devices: [d], quarantines: [], xml_status: {{url: 'https://c'}}, health: true,\n\
                 tls: {{fingerprint_sha256: {}, server_name: s}}, polling: {{start: 1h, late: ignore}},\n\
                 tracking_searches: [], minimum_release: 16.0.4, serial: false}}\n",
            "ab".repeat(32)
        );
        let config = Config::parse("given", &text).unwrap_or_else(|error| panic!("{error}"));
        let shown = config.redacted();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(shown.matches("password: <secret>\n").count(), 2, "{shown}");
        let again = Config::parse("shown", &shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(hidden(again), hidden(config), "{shown}");
    }
}
