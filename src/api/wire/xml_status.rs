//! Reads the status document, which a gateway's web interface serves as XML: counters since its birth, gauges of this
//! moment, and the days that its features have left.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use url::Url;

use crate::api::wire::calendar::Civil;
use crate::api::wire::field;
use crate::api::wire::json::malformed;
use crate::api::wire::number::{Measure, Number, Scalar, Unusable, UnusableCounts};
use crate::api::{BaseUnit, Failure, Reason};
use crate::base::clock::Timestamp;
use crate::catalogue::Unit;

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

/// The content of the status document. Values that are missing, or in another form, are none or left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct XmlStatus {
    /// The software's build, such as `phoebe 10.0.0-203`.
    pub build: Option<String>,
    /// The appliance's name for itself.
    pub hostname: Option<String>,
    /// The appliance's time as passed to [`XmlStatus::parse`]; none where the document does not say when it was made.
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
    /// [`crate::api::BaseUnit`] knows the units.
    pub gauges: Vec<(String, f64)>,
    /// Values that are no usable number or date.
    pub unusable: UnusableCounts,
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

    /// Where the page is on the web interface at `place`.
    pub(in crate::api) fn url(place: &Url) -> Url {
        let mut url = place.clone();
        url.set_path(Self::PATH);
        url
    }

    /// Reads a document that was made at `now` by the appliance's clock. Its own times are local and name no zone, so
    /// they serve only to count from.
    ///
    /// # Errors
    /// [`Reason::TooLarge`]; [`Reason::Malformed`] for what is no status document, is truncated, or declares a document
    /// type, which could define entities; [`Reason::Empty`] for one without any value.
    ///
    /// **Source:** recorded document of a gateway 10.0. Suffixes are powers of 1024, as published clients take them.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, Failure> {
        if body.len() > LARGEST {
            return Err(Failure::new(Reason::TooLarge, format!("the document is larger than {LARGEST} bytes")));
        }
        let text = decoded(body);
        let mut reader = Reader::from_str(text.trim_start_matches(['\u{feff}', ' ', '\r', '\n', '\t']));
        let mut document = Document { status: Self::default(), now, made: None, named: BTreeMap::new() };
        let mut depth: usize = 0;
        loop {
            let event = reader.read_event().map_err(|error| malformed(&format!("the XML is incomplete: {error}")))?;
            match event {
                Event::Start(element) => {
                    document.take(&element, depth)?;
                    depth += 1;
                }
                Event::Empty(element) => document.take(&element, depth)?,
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::DocType(_) => return Err(malformed("the document has an unexpected type declaration")),
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
            return Err(Failure::new(Reason::Empty, "the document has no state, features, counters or gauges"));
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
    /// Kinds, names and values so far: an element that comes a second time is left out.
    named: BTreeMap<(&'static str, String), Option<String>>,
}

impl Document {
    fn take(&mut self, element: &BytesStart<'_>, depth: usize) -> Result<(), Failure> {
        let name = element.name();
        if depth == 0 && name.as_ref() != "status" {
            return Err(malformed("the document is not a status document"));
        }
        match name.as_ref() {
            "status" if depth == 0 => {
                self.status.build = attribute(element, "build");
                self.status.hostname = attribute(element, "hostname");
                self.made = self.date(element);
                self.status.timestamp = self.made.map(|_| self.now);
            }
            "birth_time" => self.status.birth = self.instant(element),
            "last_counter_reset" => self.status.last_counter_reset = self.instant(element),
            "system" => self.status.system_state = attribute(element, "status"),
            "oldest_message" => {
                self.status.oldest_message_seconds = self.number(element, "secs", &Unit::Seconds).map(Number::as_f64);
            }
            "feature" => self.feature(element),
            "counter" => self.counter(element),
            "gauge" => self.gauge(element),
            _ => {}
        }
        Ok(())
    }

    /// `value` if it is usable; else it is counted.
    fn usable<T>(&mut self, value: Result<T, Unusable>) -> Option<T> {
        value.inspect_err(|unusable| unusable.count_in(&mut self.status.unusable)).ok()
    }

    /// The number in an attribute; none where that is missing, empty or no usable number.
    fn number(&mut self, element: &BytesStart<'_>, name: &str, unit: &Unit) -> Option<Number> {
        let text = whole(element, name)?;
        let number = Measure::read(Scalar::Text(&text)).and_then(|measure| measure.in_unit(unit)?.not_negative());
        self.usable(number)
    }

    /// The local time of an element; none where that is missing or no date.
    fn date(&mut self, element: &BytesStart<'_>) -> Option<Civil> {
        let text = attribute(element, "timestamp")?;
        self.usable(Civil::compact(&text).ok_or(Unusable::NotANumber))
    }

    /// The instant of a local time; none where it is after the document's own.
    fn instant(&mut self, element: &BytesStart<'_>) -> Option<Timestamp> {
        let civil = self.date(element)?;
        let seconds = self.made?.seconds().checked_sub(civil.seconds()).ok_or(Unusable::Negative);
        self.usable(seconds).map(|seconds| self.now - Duration::from_secs(seconds))
    }

    /// Whether nothing of this kind and name came before. Whatever says something else is counted.
    fn is_new(&mut self, kind: &'static str, name: &str, value: Option<String>) -> bool {
        match self.named.entry((kind, name.to_owned())) {
            Entry::Vacant(vacant) => {
                vacant.insert(value);
                return true;
            }
            Entry::Occupied(known) if *known.get() == value => {}
            Entry::Occupied(_) => Unusable::Conflicting.count_in(&mut self.status.unusable),
        }
        false
    }

    fn feature(&mut self, element: &BytesStart<'_>) {
        let Some(name) = attribute(element, "name") else { return };
        let remaining = whole(element, "time_remaining");
        if self.status.features.len() == MOST_ENTRIES || !self.is_new("feature", &name, remaining.clone()) {
            return;
        }
        // **Source:** recorded document, `Dormant/Perpetual`.
        let has_end = |text: &String| !["dormant", "perpetual"].iter().any(|word| text.to_lowercase().contains(word));
        let seconds = remaining.filter(has_end).and_then(|text| {
            let measure = Measure::read(Scalar::Text(&text));
            self.usable(measure.and_then(|measure| measure.in_unit(&Unit::Seconds)))
        });
        let expires = seconds.map(|seconds| {
            let span = Duration::from_secs(seconds.as_f64().abs() as u64);
            if seconds.as_f64() < 0.0 { self.now - span } else { self.now + span }
        });
        self.status.features.push(Feature { name, expires });
    }

    fn counter(&mut self, element: &BytesStart<'_>) {
        let lifetime = "lifetime";
        let name = measure_name(element).filter(|name| self.is_new("counter", name, attribute(element, lifetime)));
        let Some(name) = name else { return };
        let Some(number) = self.number(element, lifetime, &Unit::Count("events".into())) else { return };
        let count = match number {
            Number::Whole(count) => Ok(count),
            Number::AtLeast(_) | Number::Fraction(_) => Err(Unusable::NotWhole),
        };
        if let Some(count) = self.usable(count)
            && self.status.counters.len() < MOST_ENTRIES
        {
            self.status.counters.push((name, count));
        }
    }

    fn gauge(&mut self, element: &BytesStart<'_>) {
        let current = "current";
        let name = measure_name(element).filter(|name| self.is_new("gauge", name, attribute(element, current)));
        let Some(name) = name else { return };
        if let Some(number) = self.number(element, current, &BaseUnit::of(&name).unit)
            && self.status.gauges.len() < MOST_ENTRIES
        {
            self.status.gauges.push((name, number.as_f64()));
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

/// The first attribute of that name as a text of bearable length.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    field::tidied(&whole(element, name)?)
}

/// The first attribute of that name, not cut: the beginning of a number is another one. None as well where it is empty,
/// or refers to what XML does not predefine.
fn whole(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    let text = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
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
