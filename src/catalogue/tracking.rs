//! Searches of the message tracking: the filters there are, what each takes, and the parameters they become. Knows nothing
//! of requests or answers; the configuration validates its filters here.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::clock::Timestamp;
use crate::base::spelling;
use crate::base::window::Window;

mod table;

use table::FilterPart;

pub use table::filters;

/// The path of searches below the API's root; [`Search::query`] has the parameters.
///
/// **Source:** published documentation of the vendor; recorded answers.
pub(crate) const PATH: &str = "message-tracking/messages";
/// The longest value of a filter: above any address (RFC 5321 section 4.5.3.1 allows 320 bytes) and any subject worth
/// searching for, and even escaped far below the 8000 bytes of a URL that RFC 9110 section 4.1 makes servers take.
const LONGEST_VALUE: usize = 500;
/// The comparisons of texts. **Source:** published clients.
const OPERATORS: &[&str] = &["contains", "is", "begins_with"];
/// The comparison of a text that comes without one, which is the default of a published client too.
const DEFAULT_OPERATOR: &str = "is";

/// One way to narrow a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Our name, as in a configuration.
    pub name: &'static str,
    /// The kind of its value.
    pub value_kind: ValueKind,
    /// The API's spelling; of a comparison, without `Operator` and `Value`.
    parameter: &'static str,
}

/// The kind of value that a filter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// A text to compare with, and how.
    Comparison,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// `true`; the API cannot search for the opposite.
    Flag,
    /// Any text.
    Text,
}

/// A value as a configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterValue {
    /// A word, a text, a number as text.
    Text(String),
    /// A switch.
    Flag(bool),
    /// A text to compare with, and how.
    Comparison {
        /// `contains`, `is` or `begins_with`.
        operator: String,
        /// The text.
        value: String,
    },
}

/// An invalid filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterProblem {
    /// Its name, as it was given.
    pub filter: String,
    /// The problem; repeats the name only if no filter has it.
    pub message: String,
}

/// A search that cannot be wrong, save for names that only the appliance knows.
///
/// The rule by which the API combines filters is not published. A published client treats those on the fate of a
/// message, such as `spam_positive`, `dmarc_action` and `delivery_status`, as alternatives, and those on the message
/// itself, such as its sender, as conditions that must all hold. So a second fate cannot be a filter: [`Outcome`] reads
/// it from the rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Search {
    target: SearchTarget,
    outcome: Outcome,
    /// The filters' parameters, sorted by our names of them; each begins with `&`.
    parameters: String,
}

/// The records that a search covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum SearchTarget {
    Messages,
    RejectedConnections,
}

/// The messages of a search that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// All of them.
    Any,
    /// Those that their row calls delivered.
    Delivered,
}

impl SearchTarget {
    const fn option(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::RejectedConnections => "rejected_connections",
        }
    }
}

impl Search {
    /// A search of messages that pass `filters`; of all, where there are none.
    ///
    /// # Errors
    /// All that is wrong, in the order of the names.
    pub fn try_new(filters: &BTreeMap<String, FilterValue>) -> Result<Self, Vec<FilterProblem>> {
        let mut parameters = String::new();
        let mut problems = Vec::new();
        for (name, value) in filters {
            let parameter = match (table::filter_named(name), table::comparison_part(name)) {
                (Some(filter), _) => filter.parameter(value),
                (None, Some((filter, FilterPart::Value))) => filter.comparison(value, filters),
                (None, Some((filter, FilterPart::Operator)))
                    if filters.contains_key(&filter.part_name(FilterPart::Value)) =>
                {
                    continue;
                }
                (None, Some((filter, FilterPart::Operator))) => {
                    Err(format!("is nothing without `{}`", filter.part_name(FilterPart::Value)))
                }
                (None, None) => Err(unknown(name)),
            };
            match parameter {
                Ok(parameter) => parameters.push_str(&parameter),
                Err(message) => problems.push(FilterProblem { filter: name.clone(), message }),
            }
        }
        if problems.is_empty() {
            Ok(Self { target: SearchTarget::Messages, outcome: Outcome::Any, parameters })
        } else {
            Err(problems)
        }
    }

    /// The same search among connections that were rejected before there was a message.
    #[must_use]
    pub fn of_rejected_connections(self) -> Self {
        Self { target: SearchTarget::RejectedConnections, ..self }
    }

    /// The same search, counting only messages that were delivered.
    #[must_use]
    pub fn of_delivered_messages(self) -> Self {
        Self { outcome: Outcome::Delivered, ..self }
    }

    /// The messages that are counted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// A text that no other search has: totals of one search never continue with another.
    #[must_use]
    pub fn identity(&self) -> String {
        match self.outcome {
            Outcome::Any => self.parameters(),
            Outcome::Delivered => format!("{}#delivered", self.parameters()),
        }
    }

    /// The parameters of the search, without a window.
    #[must_use]
    pub fn parameters(&self) -> String {
        format!("searchOption={}{}", self.target.option(), self.parameters)
    }

    /// The parameters of the search over `window`, without those of a page. Dates keep their colons; their seconds are
    /// dropped, which the appliance declines, so that windows in a row stay so.
    ///
    /// **Source:** published documentation of the vendor; published clients.
    #[must_use]
    pub fn query(&self, window: Window) -> String {
        let minute = |time: Timestamp| Timestamp::from_secs(time.as_secs() / 60 * 60);
        let (start, end) = (minute(window.start()), minute(window.end()));
        let option = self.target.option();
        let parameters = &self.parameters;
        format!("startDate={start}&endDate={end}&searchOption={option}&ciscoHost=All_Hosts{parameters}")
    }
}

impl Filter {
    /// The API's spelling; of a comparison, without `Operator` and `Value`.
    #[must_use]
    pub const fn api_name(&self) -> &'static str {
        self.parameter
    }

    /// The API's name of one half of a comparison.
    fn part_name(&self, part: FilterPart) -> String {
        match part {
            FilterPart::Operator => format!("{}Operator", self.parameter),
            FilterPart::Value => format!("{}Value", self.parameter),
        }
    }

    /// As [`Filter::parameter`], of a comparison that is given in the API's own two parameters.
    fn comparison(&self, value: &FilterValue, filters: &BTreeMap<String, FilterValue>) -> Result<String, String> {
        match (value, filters.get(&self.part_name(FilterPart::Operator))) {
            (FilterValue::Text(value), Some(FilterValue::Text(operator))) => {
                comparison(self.parameter, operator, value)
            }
            (FilterValue::Text(value), None) => comparison(self.parameter, DEFAULT_OPERATOR, value),
            (FilterValue::Text(_) | FilterValue::Flag(_) | FilterValue::Comparison { .. }, _) => {
                Err("expected text".into())
            }
        }
    }

    /// The parameters that `value` becomes, or what is wrong with it.
    fn parameter(&self, value: &FilterValue) -> Result<String, String> {
        let key = self.parameter;
        match (self.value_kind, value) {
            (ValueKind::Comparison, FilterValue::Comparison { operator, value }) => comparison(key, operator, value),
            (ValueKind::Comparison, FilterValue::Text(value)) => comparison(key, DEFAULT_OPERATOR, value),
            (ValueKind::OneOf(words), FilterValue::Text(value)) => {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(value));
                word.map(|word| format!("&{key}={word}")).ok_or_else(|| format!("{}, found `{value}`", self.expected()))
            }
            // A published client knows no other value, written like this.
            (ValueKind::Flag, FilterValue::Text(word)) if word.eq_ignore_ascii_case("true") => {
                Ok(format!("&{key}=True"))
            }
            (ValueKind::Flag, FilterValue::Flag(true)) => Ok(format!("&{key}=True")),
            (ValueKind::Flag, FilterValue::Flag(false)) => {
                Err("takes only `true`, since the API cannot search for the opposite: omit the key instead".into())
            }
            (ValueKind::Text, FilterValue::Text(value)) => Ok(format!("&{key}={}", encoded(value)?)),
            (ValueKind::Comparison, FilterValue::Flag(_))
            | (ValueKind::OneOf(_) | ValueKind::Text, FilterValue::Flag(_) | FilterValue::Comparison { .. })
            | (ValueKind::Flag, FilterValue::Text(_) | FilterValue::Comparison { .. }) => Err(self.expected()),
        }
    }

    fn expected(&self) -> String {
        match self.value_kind {
            ValueKind::Comparison => "expected text, or `operator` and `value`".into(),
            ValueKind::OneOf(words) => format!("expected {}", Listed(words)),
            ValueKind::Flag => "expected `true`".into(),
            ValueKind::Text => "expected text".into(),
        }
    }
}

fn comparison(key: &str, operator: &str, value: &str) -> Result<String, String> {
    if !OPERATORS.contains(&operator) {
        return Err(format!("expected {} as `operator`, found `{operator}`", Listed(OPERATORS)));
    }
    Ok(format!("&{key}Operator={operator}&{key}Value={}", encoded(value)?))
}

/// `value` as it stands in a query.
fn encoded(value: &str) -> Result<String, String> {
    if value.trim().is_empty() || value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
        return Err(format!("must be one line of 1 to {LONGEST_VALUE} bytes"));
    }
    Ok(url::form_urlencoded::byte_serialize(value.as_bytes()).collect())
}

fn unknown(name: &str) -> String {
    let nearest: Vec<&str> = table::nearest(name).iter().map(|filter| filter.name).collect();
    format!("`{name}` is no known filter{}", spelling::question(&nearest))
}

/// Words as a choice for a message.
struct Listed(&'static [&'static str]);

impl fmt::Display for Listed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.0.iter().map(|word| format!("`{word}`")).collect();
        let one_of = if words.len() > 1 { "one of " } else { "" };
        write!(out, "{one_of}{}", words.join(", "))
    }
}

#[cfg(test)]
mod tests;
