//! A bundle: the requests to one appliance and its answers, as text that a person can read before it is sent to somebody.
//! Whatever could identify somebody is replaced before it gets here; see [`Scrubber`].
//!
//! The first line is a JSON object about the whole. Each exchange is a line with a JSON object, and after it the body,
//! each line of which begins with `| `.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

mod body;
mod form;
mod pseudonyms;
mod scrub;
mod vocabulary;

pub use pseudonyms::Pseudonyms;
pub use scrub::Scrubber;

/// The version of the format. A reader refuses a higher one.
const FORMAT: u32 = 1;
/// The beginning of each line of a body.
const BODY: &str = "| ";
/// The account in the configuration of a replay. It is no secret: the simulated appliance accepts any.
const ACCOUNT: [&str; 2] = ["monitor", "replay"];

/// One round of requests to an appliance.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Facts about the whole.
    pub about: About,
    /// In the order of the requests.
    pub exchanges: Vec<Recorded>,
}

/// Facts about a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// The version of the format.
    pub asyncos_exporter_bundle: u32,
    /// The version of the exporter that recorded it.
    pub exporter: String,
    /// When it was recorded, by the appliance's clock.
    pub recorded: String,
    /// `esa` or `sma`.
    pub product: String,
    /// The model in the token, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The release in the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The keys of the configuration that decide what is requested.
    pub config: Map<String, Value>,
    /// Counter groups of the configuration that the catalogue lacks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_counter_groups: Vec<Value>,
}

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Method, path and query.
    pub request: String,
    /// The HTTP status; none where there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Headers that change how the answer is read.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// From the first byte sent to the last received.
    #[serde(default)]
    pub milliseconds: u64,
    /// The body; on lines of its own.
    #[serde(skip)]
    pub body: String,
}

/// A text that is no bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct InvalidBundle {
    line: usize,
    problem: String,
}

impl Recording {
    /// A recording without exchanges, of the current version of the exporter.
    #[must_use]
    pub fn new(recorded: String, product: &str, config: Map<String, Value>) -> Self {
        let about = About {
            asyncos_exporter_bundle: FORMAT,
            exporter: env!("CARGO_PKG_VERSION").to_owned(),
            recorded,
            product: product.to_owned(),
            model: None,
            release: None,
            config,
            custom_counter_groups: Vec::new(),
        };
        Self { about, exchanges: Vec::new() }
    }

    /// Reads a bundle.
    ///
    /// # Errors
    /// When it is none, or has a newer format: the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidBundle> {
        let mut lines = text.split('\n').zip(1..);
        let (first, _) = lines.next().unwrap_or(("", 1));
        let invalid = |line, problem: String| InvalidBundle { line, problem };
        let about: About = serde_json::from_str(first).map_err(|error| invalid(1, format!("not a bundle: {error}")))?;
        if about.asyncos_exporter_bundle > FORMAT {
            let problem = format!("format {} is newer than this exporter", about.asyncos_exporter_bundle);
            return Err(invalid(1, problem));
        }
        let mut exchanges: Vec<Recorded> = Vec::new();
        let mut is_first = true;
        for (line, number) in lines {
            let body = line.strip_prefix(BODY).or_else(|| (line == BODY.trim_end()).then_some(""));
            match (body, exchanges.last_mut()) {
                (Some(part), Some(exchange)) => {
                    if !is_first {
                        exchange.body.push('\n');
                    }
                    exchange.body.push_str(part);
                    is_first = false;
                }
                (Some(_), None) => return Err(invalid(number, "a body without a request".into())),
                (None, _) if line.trim().is_empty() || line.starts_with('#') => {}
                (None, _) => {
                    let exchange = serde_json::from_str(line).map_err(|error| invalid(number, error.to_string()))?;
                    exchanges.push(exchange);
                    is_first = true;
                }
            }
        }
        Ok(Self { about, exchanges })
    }

    /// The configuration with which an exporter requests what was recorded, from a simulated appliance at `url`. The
    /// appliance is called `recorded`.
    #[must_use]
    pub fn config_for(&self, url: &str) -> String {
        let mut entry = self.about.config.clone();
        let [username, password] = ACCOUNT;
        entry.extend([
            ("name".to_owned(), "recorded".into()),
            ("url".to_owned(), url.into()),
            ("username".to_owned(), username.into()),
            ("password".to_owned(), password.into()),
        ]);
        let mut file = Map::from_iter([("appliances".to_owned(), json!([entry]))]);
        if !self.about.custom_counter_groups.is_empty() {
            file.insert("custom_counter_groups".to_owned(), self.about.custom_counter_groups.clone().into());
        }
        // JSON is YAML.
        format!("{:#}\n", Value::Object(file))
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |value: Result<String, serde_json::Error>| value.map_err(|_| fmt::Error);
        writeln!(out, "{}", line(serde_json::to_string(&self.about))?)?;
        for exchange in &self.exchanges {
            writeln!(out, "{}", line(serde_json::to_string(exchange))?)?;
            for part in exchange.body.split('\n').filter(|_| !exchange.body.is_empty()) {
                out.write_str(BODY)?;
                out.write_str(part)?;
                out.write_char('\n')?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording() -> Recording {
        let config = Map::from_iter([("product".to_owned(), "esa".into()), ("health".to_owned(), true.into())]);
        let mut recording = Recording::new("2026-11-23T12:00:00.000Z".into(), "esa", config);
        let exchange = |body: &str| Recorded {
            request: "GET /esa/api/v2.0/health".into(),
            status: Some(200),
            failure: None,
            headers: Map::new(),
            milliseconds: 5,
            body: body.into(),
        };
        recording.exchanges = ["", "{\"data\": {}}", "a\n\nb\n", "| x\r\n{", "\n"].map(exchange).into();
        recording
    }

    #[test]
    fn a_bundle_reads_as_it_was_written() {
        let recording = recording();
        assert_eq!(Recording::parse(&recording.to_string()), Ok(recording));
    }

    #[test]
    fn the_wrong_line_of_a_bundle_is_named() {
        let text = recording().to_string();
        let first = text.lines().next().expect("a line").to_owned();
        for (text, expected) in [
            ("".to_owned(), "line 1: not a bundle: "),
            ("{}".to_owned(), "line 1: not a bundle: missing field `asyncos_exporter_bundle`"),
            (first.replace("bundle\":1", "bundle\":2"), "line 1: format 2 is newer than this exporter"),
            (format!("{first}\n| x"), "line 2: a body without a request"),
            (format!("{first}\n\n# remark\n{{\"status\": 200}}"), "line 4: missing field `request`"),
        ] {
            let error = Recording::parse(&text).expect_err("no bundle").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn the_configuration_of_a_replay_is_one() {
        let text = recording().config_for("http://127.0.0.1:6080");
        let config = crate::config::Config::parse("bundle", &text).expect("a configuration");
        assert!(config.appliances[0].status_options.health);
        assert_eq!(config.appliances[0].name, "recorded");
    }
}
