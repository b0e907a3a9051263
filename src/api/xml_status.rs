//! Reads the status document, which a gateway's web interface serves as XML: counters since its birth, gauges of this
//! moment, and the days that its features have left.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::calendar::Civil;
use super::json::malformed;
use super::{Failure, Reason, field};
use crate::clock::Timestamp;

/// The largest document that is read; the recorded one has 5 KiB.
const LARGEST: usize = 1 << 20;
/// Levels of elements; the recorded document has three.
const DEEPEST: usize = 16;
/// Features, counters and gauges that are kept, of each; recorded are 10, 16 and 23.
const MOST_ENTRIES: usize = 256;
/// The longest name of a counter or gauge; the longest known one has 42 letters.
const LONGEST_NAME: usize = 100;
/// In the declaration at the beginning stands the encoding, within this many bytes.
const DECLARATION: usize = 128;

/// What the status document says. What it does not say, or says in another form, is none or left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct XmlStatus {
    /// The software's build, such as `phoebe 10.0.0-203`.
    pub build: Option<String>,
    /// The appliance's name for itself.
    pub hostname: Option<String>,
    /// When the document was made: what [`XmlStatus::parse`] was told, where the document has a time of its own.
    pub timestamp: Option<Timestamp>,
    /// When the appliance was started; off by the shift where the clocks have been changed since.
    pub birth: Option<Timestamp>,
    /// When the counters that can be reset last were; off likewise.
    pub last_counter_reset: Option<Timestamp>,
    /// Whether mail flows: `online`, or another word.
    pub system_state: Option<String>,
    /// The age of the oldest message in the queue.
    pub oldest_message_seconds: Option<f64>,
    /// Features with their keys, in the order of the document.
    pub features: Vec<Feature>,
    /// Counts over the appliance's lifetime by the document's names, in its order.
    pub counters: Vec<(String, u64)>,
    /// Measures of this moment by the document's names, in its order and its units, without suffixes for magnitudes;
    /// [`super::BaseUnit`] knows the units.
    pub gauges: Vec<(String, f64)>,
}

/// A feature that needs a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name, such as `IronPort Anti-Spam`.
    pub name: String,
    /// When its key expires, or did; none for one that is dormant or perpetual.
    pub expires: Option<Timestamp>,
}

impl XmlStatus {
    /// The path on the web interface, which is not below the API's root and needs Basic authentication.
    ///
    /// **Source:** published clients.
    pub const PATH: &'static str = "/xml/status";

    /// Reads a document that was made at `now` by the appliance's clock. Its own times are local and name no zone, so
    /// they serve only to count from.
    ///
    /// # Errors
    /// [`Reason::TooLarge`]; [`Reason::Malformed`] for what is no status document, breaks off, or declares a document
    /// type, which could define entities; [`Reason::Empty`] for one that tells nothing.
    ///
    /// **Source:** recorded document of a gateway 10.0. Suffixes are powers of 1024, as published clients take them.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, Failure> {
        if body.len() > LARGEST {
            return Err(Failure::new(Reason::TooLarge, format!("the document is larger than {LARGEST} bytes")));
        }
        let text = decoded(body);
        let mut reader = Reader::from_str(text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']));
        let mut document = Document { status: Self::default(), now, made: None, named: BTreeSet::new() };
        let mut depth: usize = 0;
        loop {
            let event = reader.read_event().map_err(|error| malformed(&format!("the XML breaks off: {error}")))?;
            match event {
                Event::Start(element) => {
                    document.take(&element, depth)?;
                    depth += 1;
                }
                Event::Empty(element) => document.take(&element, depth)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::DocType(_) => return Err(malformed("the document declares a type, where none is expected")),
                Event::Eof => return Err(malformed("the XML ends before its root does")),
                // References are never resolved: what matters stands in attributes.
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => continue,
            }
            if depth > DEEPEST {
                return Err(malformed("the elements of the document are nested too deeply"));
            }
            if depth == 0 {
                break;
            }
        }
        let status = document.status;
        let tells = status.system_state.is_some() || !status.features.is_empty();
        if !tells && status.counters.is_empty() && status.gauges.is_empty() {
            return Err(Failure::new(Reason::Empty, "the document holds neither state, features, counters nor gauges"));
        }
        Ok(status)
    }
}

/// A document that is being read.
struct Document {
    status: XmlStatus,
    now: Timestamp,
    /// The document's own time, which `now` is in its zone.
    made: Option<Civil>,
    /// Kinds and names so far: whoever comes a second time is left out.
    named: BTreeSet<(&'static str, String)>,
}

impl Document {
    fn take(&mut self, element: &BytesStart<'_>, depth: usize) -> Result<(), Failure> {
        let name = element.name();
        if depth == 0 && name.as_ref() != "status" {
            return Err(malformed("the document is no status document"));
        }
        match name.as_ref() {
            "status" if depth == 0 => {
                self.status.build = attribute(element, "build");
                self.status.hostname = attribute(element, "hostname");
                self.made = attribute(element, "timestamp").and_then(|text| Civil::compact(&text));
                self.status.timestamp = self.made.map(|_| self.now);
            }
            "birth_time" => self.status.birth = self.instant(element),
            "last_counter_reset" => self.status.last_counter_reset = self.instant(element),
            "system" => self.status.system_state = attribute(element, "status"),
            "oldest_message" => {
                self.status.oldest_message_seconds =
                    attribute(element, "secs").and_then(|text| field::magnitude(&text));
            }
            "feature" => self.feature(element),
            "counter" => self.counter(element),
            "gauge" => self.gauge(element),
            _ => {}
        }
        Ok(())
    }

    /// The instant of a local time; none where it is after the document's own.
    fn instant(&self, element: &BytesStart<'_>) -> Option<Timestamp> {
        let civil = Civil::compact(&attribute(element, "timestamp")?)?;
        let seconds = self.made?.seconds().checked_sub(civil.seconds())?;
        Some(self.now - Duration::from_secs(seconds))
    }

    fn feature(&mut self, element: &BytesStart<'_>) {
        let Some(name) = attribute(element, "name") else { return };
        if self.status.features.len() == MOST_ENTRIES || !self.named.insert(("feature", name.clone())) {
            return;
        }
        let remaining = attribute(element, "time_remaining").and_then(|text| text.parse::<i64>().ok());
        let expires = remaining.map(|seconds| {
            let span = Duration::from_secs(seconds.unsigned_abs());
            if seconds < 0 { self.now - span } else { self.now + span }
        });
        self.status.features.push(Feature { name, expires });
    }

    fn counter(&mut self, element: &BytesStart<'_>) {
        let count = attribute(element, "lifetime").and_then(|text| text.parse().ok());
        let (Some(name), Some(count)) = (measure_name(element), count) else { return };
        if self.status.counters.len() < MOST_ENTRIES && self.named.insert(("counter", name.clone())) {
            self.status.counters.push((name, count));
        }
    }

    fn gauge(&mut self, element: &BytesStart<'_>) {
        let number = attribute(element, "current").and_then(|text| field::magnitude(&text));
        let (Some(name), Some(number)) = (measure_name(element), number) else { return };
        if self.status.gauges.len() < MOST_ENTRIES && self.named.insert(("gauge", name.clone())) {
            self.status.gauges.push((name, number));
        }
    }
}

/// The name of a counter or gauge, where it can be part of a metric's.
fn measure_name(element: &BytesStart<'_>) -> Option<String> {
    let is_name = |name: &String| {
        name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    attribute(element, "name").filter(is_name)
}

/// The first attribute of that name; none as well where it is empty, or refers to what XML does not predefine.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    field::tidied(&attribute.normalized_value(XmlVersion::Implicit1_0).ok()?)
}

/// The document as text: in the recorded encoding, ISO 8859-1, where it declares another one than UTF-8.
fn decoded(body: &[u8]) -> Cow<'_, str> {
    let declaration = String::from_utf8_lossy(&body[..body.len().min(DECLARATION)]).to_ascii_lowercase();
    let declaration = declaration.split("?>").next().unwrap_or_default();
    if declaration.contains("encoding") && !declaration.contains("utf-8") {
        // The first 256 characters of Unicode are those of ISO 8859-1.
        body.iter().copied().map(char::from).collect()
    } else {
        String::from_utf8_lossy(body)
    }
}

#[cfg(test)]
mod tests;
