//! The JSON Schema of the configuration, for editors: built from the tables of keys and the words that the readers accept,
//! so that it has no keys and no words of its own. It knows single values; how keys depend on each other is for `check`.

use serde_json::{Map, Value, json};

use super::polling::{self, RefusalLimit};
use super::{appliance, auth, custom, groups, raw, searches, sharding, tls};
use crate::base::shard::MOST_SHARDS;
use crate::catalogue;

/// The schema of the whole file.
pub(super) fn schema() -> Value {
    let tables: Map<String, Value> = raw::known_keys()
        .into_iter()
        .map(|(table, keys)| {
            let properties: Map<String, Value> =
                keys.iter().map(|key| ((*key).to_owned(), value(table, key))).collect();
            let mut described = json!({
                // A table whose keys are all commented out is empty.
                "type": ["object", "null"],
                "additionalProperties": false,
                "properties": properties,
            });
            let required = required(table);
            if !required.is_empty() {
                described["required"] = json!(required);
            }
            (table.to_owned(), described)
        })
        .collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of asyncos_exporter",
        "allOf": [reference("File")],
        "definitions": tables,
    })
}

/// The keys that a table cannot do without.
fn required(table: &str) -> &'static [&'static str] {
    match table {
        "File" => &["appliances"],
        "Appliance" => &["name", "url"],
        "Choice" | "Search" | "Custom" | "CustomCounter" => &["name"],
        "Sharding" => &["shards"],
        "Oidc" => &["client_id"],
        "Comparison" => &["operator", "value"],
        "XmlStatus" | "Proxy" => &["url"],
        _ => &[],
    }
}

/// The values of one key. A table or a key that is not listed has any value, which a test forbids.
fn value(table: &str, key: &str) -> Value {
    match (table, key) {
        ("File", "sharding") => reference("Sharding"),
        ("File", "web") => reference("WebPages"),
        ("File", "defaults") => reference("Defaults"),
        ("File" | "Appliance", "counter_groups") => {
            json!({"anyOf": [words(groups::PROFILES), list(&json!({"anyOf": [group(), reference("Choice")]}))]})
        }
        ("File", "custom_counter_groups") => list(&reference("Custom")),
        ("File" | "Appliance", "tracking_searches") => list(&reference("Search")),
        ("File" | "Appliance", "detections") => json!({"anyOf": [switch(), reference("Detections")]}),
        ("Detections", "internal_domains") => list(&text()),
        ("Detections", "canary") => reference("Canary"),
        ("Canary", "sender" | "subject") => text(),
        ("File", "appliances") => json!({"type": "array", "minItems": 1, "items": reference("Appliance")}),
        ("Sharding", "shards") => number(1, MOST_SHARDS as usize),
        ("Sharding", "index") => number(0, MOST_SHARDS as usize - 1),
        ("Sharding", "from") => words(sharding::NAMES),
        ("Appliance", "url") | ("XmlStatus" | "Proxy", "url") => json!({"type": "string", "pattern": "^https?://"}),
        ("Appliance", "product") => words(appliance::PRODUCTS),
        ("Appliance", "auth") => words(auth::METHODS),
        ("Appliance", "two_factor") => reference("TwoFactor"),
        ("Appliance", "oidc") => reference("Oidc"),
        ("Appliance" | "Oidc", "tls") => reference("Tls"),
        ("Appliance", "proxy") => reference("Proxy"),
        ("Appliance", "polling") => reference("Polling"),
        ("Appliance", "device_groups" | "devices") => list(&text()),
        ("Appliance", "xml_status") => json!({"anyOf": [switch(), reference("XmlStatus")]}),
        ("Appliance", "delivery_status") => reference("DeliveryStatus"),
        ("DeliveryStatus", "top") => number(1, super::status_options::MOST_DESTINATIONS),
        ("Appliance", "quarantines") => json!({"anyOf": [switch(), list(&text())]}),
        (
            _,
            "health"
            | "system_status"
            | "inventory"
            | "serial"
            | "created_timestamps"
            | "running_hour"
            | "delivered_only"
            | "insecure_skip_verify"
            | "legacy",
        ) => switch(),
        ("TwoFactor", "when") => words(auth::second_factor::DEMANDS),
        ("TwoFactor", "digits") => number(6, 8),
        ("TwoFactor", "algorithm") => words(auth::second_factor::HASHES),
        ("TwoFactor", "encoding") => words(auth::second_factor::ENCODINGS),
        ("TwoFactor", "command") => list(&text()),
        ("Oidc", "grant") => words(auth::oidc::GRANTS),
        ("Oidc", "client_auth") => words(auth::oidc::CLIENT_AUTHS),
        ("Oidc", "token") => words(auth::oidc::TOKENS),
        ("Oidc", "parameters") => json!({"type": ["object", "null"], "additionalProperties": text()}),
        // Empty where the token stands alone.
        ("Oidc", "prefix") => json!({"type": "string"}),
        ("Tls", "min_version") => words(tls::VERSIONS),
        ("Tls", "fingerprint_sha256") => json!({"type": "string", "pattern": "^([0-9A-Fa-f]{2}:?){32}$"}),
        (_, "settle") => json!({"anyOf": [duration(), {"const": "auto"}]}),
        (_, "window" | "timeout" | "catch_up" | "start" | "period" | "interval") => duration(),
        (_, "concurrency") => number(1, polling::MOST_CONCURRENT),
        (_, "requests_per_minute") => number(1, polling::MOST_REQUESTS),
        (_, "max_login_refusals") => number(1, RefusalLimit::MOST as usize),
        (_, "alignment") => words(polling::ALIGNMENTS),
        (_, "late") => words(polling::LATE),
        ("Choice", "name") => group(),
        ("Choice", "top") => number(1, groups::MOST_ROWS),
        ("Choice", "series_limit") => number(1, groups::MOST_SERIES),
        ("Search", "search_option") => words(searches::OPTIONS),
        ("Search", "filters") => {
            let value = json!({"anyOf": [text(), {"type": "number"}, switch(), reference("Comparison")]});
            json!({"type": ["object", "null"], "additionalProperties": value})
        }
        ("Custom" | "CustomCounter", "aggregation") => words(custom::AGGREGATIONS),
        ("Custom", "device_type") => words(custom::ABOUT),
        ("Custom", "counters") => list(&json!({"anyOf": [text(), reference("CustomCounter")]})),
        ("Custom" | "CustomCounter", "name") | ("Custom", "key") => {
            json!({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"})
        }
        _ if is_text(key) => text(),
        _ => Value::Bool(true),
    }
}

/// Whether the key takes any text, in whichever table.
fn is_text(key: &str) -> bool {
    const SUFFIXES: [&str; 4] = ["_file", "_env", "_credential", "_field"];
    const TEXTS: [&str; 16] = [
        "name",
        "username",
        "password",
        "credential",
        "totp_secret",
        "client_id",
        "client_secret",
        "issuer",
        "token_url",
        "scope",
        "header",
        "server_name",
        "minimum_release",
        "unit",
        "operator",
        "value",
    ];
    TEXTS.contains(&key) || SUFFIXES.iter().any(|suffix| key.ends_with(suffix))
}

fn reference(table: &str) -> Value {
    json!({"$ref": format!("#/definitions/{table}")})
}

fn text() -> Value {
    json!({"type": "string", "minLength": 1})
}

fn switch() -> Value {
    json!({"type": "boolean"})
}

fn number(least: usize, most: usize) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

fn duration() -> Value {
    json!({"type": "string", "pattern": "^([0-9]+ ?[A-Za-z]+ ?)+$", "examples": ["90s", "5m", "24h"]})
}

fn list(items: &Value) -> Value {
    json!({"type": ["array", "null"], "items": items})
}

fn words<T>(words: &[(&str, T)]) -> Value {
    json!({"enum": words.iter().map(|(word, _)| word).collect::<Vec<_>>()})
}

/// The name of a counter group: those of the catalogue for completion, and any other, which the file may describe.
fn group() -> Value {
    let known: Vec<&str> =
        groups::PROFILES.iter().map(|(word, _)| *word).chain(catalogue::groups().map(|group| &*group.name)).collect();
    json!({"anyOf": [{"enum": known}, text()]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_kind_of_value() {
        for (table, keys) in raw::known_keys() {
            for key in keys {
                assert_ne!(value(table, key), Value::Bool(true), "{key} of {table}");
            }
        }
    }
}
