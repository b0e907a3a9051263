//! Turns exchanges and the configuration into what a bundle may hold. Everything that is not known to be harmless is
//! replaced; whatever is forgotten here is replaced too.

use serde_json::{Map, Value};
use url::form_urlencoded::{byte_serialize, parse};

use super::pseudonyms::Pseudonyms;
use super::vocabulary::Vocabulary;
use super::{Recorded, body};
use crate::api::{Exchange, Identity};
use crate::catalogue::{self, Group, UNNAMED_KEY};
use crate::config::Config;

/// The longest body that is recorded, in bytes; the rest is cut.
const LONGEST_BODY: usize = 8 << 20;
/// Keys of an appliance with values of this program: choices, numbers, durations, names of the catalogue.
const KEPT: [&str; 11] = [
    "product",
    "polling",
    "counter_groups",
    "health",
    "system_status",
    "delivery_status",
    "inventory",
    "minimum_release",
    "serial",
    "device_groups",
    "devices",
];
/// Content types of answers.
const TYPES: [&str; 6] =
    ["application/json", "text/html", "text/xml", "application/xml", "text/plain", "application/octet-stream"];

/// Replaces what could identify somebody, for one bundle.
#[derive(Clone, Debug)]
pub struct Scrubber {
    pseudonyms: Pseudonyms,
    custom: Vec<Group>,
}

impl Scrubber {
    /// A scrubber that keeps the names of `custom` counter groups, which are reports of the vendor.
    #[must_use]
    pub fn new(custom: &[Group]) -> Self {
        Self { pseudonyms: Pseudonyms::new(Vocabulary::new(custom)), custom: custom.to_vec() }
    }

    /// The pseudonyms so far.
    #[must_use]
    pub fn pseudonyms(&self) -> &Pseudonyms {
        &self.pseudonyms
    }

    /// The exchange without what could identify somebody.
    pub fn exchange(&mut self, exchange: &Exchange<'_>) -> Recorded {
        let kind = self.kind_of(exchange.target);
        let request = format!("{} {}", exchange.method, self.target(exchange.target, &kind));
        let milliseconds = u64::try_from(exchange.took.as_millis()).unwrap_or(u64::MAX);
        let recorded =
            Recorded { request, status: None, failure: None, headers: Map::new(), milliseconds, body: String::new() };
        match &exchange.answer {
            Err(reason) => Recorded { failure: Some(reason.label().to_owned()), ..recorded },
            Ok(answer) => {
                let headers = answer
                    .headers
                    .iter()
                    .filter_map(|(name, value)| Some(((*name).to_owned(), Value::from(self.header(name, value)?))));
                let headers = headers.collect();
                let text = String::from_utf8_lossy(&answer.body[..answer.body.len().min(LONGEST_BODY)]);
                let body = body::scrubbed(&text, &kind, &mut self.pseudonyms);
                Recorded { status: Some(answer.status), headers, body, ..recorded }
            }
        }
    }

    /// The keys of `config` that decide what is requested of its appliance `name`, and its custom counter groups. Host,
    /// account, TLS and proxy are left out.
    pub fn config(&mut self, config: &Config, name: &str) -> (Map<String, Value>, Vec<Value>) {
        let file = config.redacted_json();
        let list = |key: &str| file[key].as_array().cloned().unwrap_or_default();
        let entries = list("appliances");
        let Some(entry) = entries.iter().find(|entry| entry["name"] == name).and_then(Value::as_object) else {
            return (Map::new(), Vec::new());
        };
        let mut kept: Map<String, Value> = entry
            .iter()
            .filter(|(key, _)| KEPT.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for (key, kind) in [("device_groups", "group"), ("devices", "host")] {
            kept.get_mut(key).into_iter().for_each(|names| self.names(names, kind));
        }
        let auth = if entry.get("auth").is_some_and(|auth| auth == "basic") { "basic" } else { "jwt" };
        kept.insert("auth".to_owned(), auth.into());
        kept.insert("xml_status".to_owned(), entry.get("xml_status").is_some_and(Value::is_object).into());
        if let Some(quarantines) = entry.get("quarantines") {
            let mut quarantines = quarantines.clone();
            self.names(&mut quarantines, "quarantine");
            kept.insert("quarantines".to_owned(), quarantines);
        }
        let searches = entry.get("tracking_searches").and_then(Value::as_array).cloned().unwrap_or_default();
        let searches: Vec<Value> = searches.into_iter().map(|search| self.search(search)).collect();
        kept.insert("tracking_searches".to_owned(), searches.into());
        (kept, list("custom_counter_groups"))
    }

    /// The model in a token, if it is one of the vendor's.
    pub fn model(&mut self, identity: &Identity) -> Option<String> {
        identity.model.as_deref().map(|model| self.pseudonyms.value(model, "model"))
    }

    fn names(&mut self, value: &mut Value, kind: &str) {
        match value {
            Value::String(name) => *name = self.pseudonyms.name(name, kind),
            Value::Array(names) => names.iter_mut().for_each(|name| self.names(name, kind)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
    }

    fn search(&mut self, mut search: Value) -> Value {
        if let Some(name) = search.get_mut("name") {
            self.names(name, "search");
        }
        for (name, value) in search.get_mut("filters").and_then(Value::as_object_mut).into_iter().flatten() {
            if let Value::String(text) = value {
                // A flag is a text in a request and a switch in a configuration.
                *value = if text == "true" { true.into() } else { self.parameter(name, text).into() };
            }
        }
        search
    }

    /// The beginning of pseudonyms in the answer to a request for `target`: what the keys of its report are.
    fn kind_of(&self, target: &str) -> String {
        let path = target.split('?').next().unwrap_or_default();
        let Some((_, report)) = path.split_once("/reporting/") else {
            let kinds = [("/config/appliances", "serial"), ("quarantine", "quarantine"), ("/privileges", "privilege")];
            return kinds.iter().find(|(part, _)| path.contains(part)).map_or("text", |(_, kind)| kind).to_owned();
        };
        let name = report.split('/').next().unwrap_or_default();
        let group = catalogue::group(name).or_else(|| self.custom.iter().find(|group| group.name == name));
        group.map_or(UNNAMED_KEY, Group::key_label).replace('_', "-")
    }

    fn target(&mut self, target: &str, kind: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let segments: Vec<String> = path.split('/').map(|segment| self.segment(segment, kind)).collect();
        let pairs: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| self.pair(pair)).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", segments.join("/"), pairs.join("&"))
    }

    fn segment(&mut self, segment: &str, kind: &str) -> String {
        let decoded = decoded(segment);
        let replaced = self.pseudonyms.name(&decoded, kind);
        if replaced == decoded { segment.to_owned() } else { encoded(&replaced).replace('+', "%20") }
    }

    fn pair(&mut self, pair: &str) -> String {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = decoded(value);
        let replaced = self.parameter(name, &decoded);
        // What stays, stays in its own spelling: colons of dates are not escaped.
        let value = if replaced == decoded { value.to_owned() } else { encoded(&replaced) };
        format!("{}={value}", self.pseudonyms.name(name, "parameter"))
    }

    fn parameter(&mut self, name: &str, text: &str) -> String {
        match name {
            "device_group_name" => self.pseudonyms.name(text, "group"),
            "device_name" => self.pseudonyms.name(text, "host"),
            "quarantines" => self.pseudonyms.name(text, "quarantine"),
            "startDate" | "endDate" | "offset" | "limit" | "top" => self.pseudonyms.value(text, "text"),
            _ => self.pseudonyms.name(text, "text"),
        }
    }

    fn header(&mut self, name: &str, value: &str) -> Option<String> {
        match name {
            "Content-Type" => {
                let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                TYPES.contains(&kind.as_str()).then_some(kind)
            }
            "Location" => {
                // Relative or not; the query may hold a session.
                let path = value.split(['?', '#', ';']).next().unwrap_or_default();
                let (root, path) = match path.split_once("://") {
                    Some((scheme, rest)) if matches!(scheme, "http" | "https") => {
                        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
                        let host = host.rsplit('@').next().unwrap_or_default();
                        (format!("{scheme}://{}/", self.pseudonyms.name(host, "host")), path)
                    }
                    Some(_) | None => (String::new(), path),
                };
                Some(root + &self.target(path, "path"))
            }
            _ => Some(value.trim()).filter(|value| self.pseudonyms.value(value, "text") == *value).map(str::to_owned),
        }
    }
}

fn decoded(text: &str) -> String {
    let pair = format!("={}", text.replace('&', "%26"));
    parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
