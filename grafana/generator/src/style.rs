//! What things look like: colours with a meaning, units, and limits.

use serde_json::{Value, json};

/// A colour and what it says. Red asks for an act, yellow for a look, blue is a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Good,
    Look,
    Act,
    Quantity,
    /// Mail that was let in.
    Clean,
    Marketing,
    Social,
    Bulk,
    Reputation,
    DomainReputation,
    InvalidRecipient,
    Spam,
    SuspectedSpam,
    Virus,
    Malware,
    Link,
    Filter,
    Policy,
    Plain,
    Preferred,
    Required,
    /// What was, for comparison.
    Past,
}

impl Colour {
    /// The name by which Grafana knows it in every theme.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good | Self::Clean | Self::Required => "green",
            Self::Look => "yellow",
            Self::Act | Self::Virus => "red",
            Self::Quantity | Self::Filter => "blue",
            Self::Marketing => "super-light-purple",
            Self::Social => "light-purple",
            Self::Bulk => "semi-dark-purple",
            Self::Reputation => "purple",
            Self::DomainReputation => "dark-purple",
            Self::InvalidRecipient => "#8e8e8e",
            Self::Spam => "orange",
            Self::SuspectedSpam => "light-orange",
            Self::Malware => "dark-red",
            Self::Link => "light-red",
            Self::Policy => "light-blue",
            Self::Plain => "dark-yellow",
            Self::Preferred => "light-green",
            Self::Past => "#b7b7b7",
        }
    }
}

/// What a value is counted in, by Grafana's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A plain number; the title says of what.
    Count,
    /// A whole number with all its digits.
    Whole,
    /// 1 is 100 percent.
    Ratio,
    Seconds,
    /// Seconds of something that lasts for minutes or days, as hours, minutes and seconds: "16.7 mins" is no good tick.
    Clock,
    Bytes,
    BytesPerSecond,
    /// An instant in milliseconds, shown as the time since.
    Ago,
    /// An instant in milliseconds, shown as a date.
    Date,
}

impl Unit {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Count => "short",
            Self::Whole => "locale",
            Self::Ratio => "percentunit",
            Self::Seconds => "s",
            Self::Clock => "dthms",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "Bps",
            Self::Ago => "dateTimeFromNow",
            Self::Date => "dateTimeAsIso",
        }
    }

    /// The width in pixels of a cell of a table with such a value, at least.
    pub(super) const fn width(self) -> usize {
        match self {
            Self::Count | Self::Whole | Self::Ratio => 60,
            Self::Seconds | Self::Clock | Self::Bytes | Self::BytesPerSecond => 95,
            Self::Ago => 130,
            Self::Date => 170,
        }
    }

    /// The largest value there is.
    pub(super) const fn most(self) -> Option<f64> {
        match self {
            Self::Ratio => Some(1.0),
            Self::Count
            | Self::Whole
            | Self::Seconds
            | Self::Clock
            | Self::Bytes
            | Self::BytesPerSecond
            | Self::Ago
            | Self::Date => None,
        }
    }
}

/// Where colours change: the colour below the first limit, then limits upwards.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) below: Colour,
    pub(super) steps: Vec<(f64, Colour)>,
}

impl Limits {
    /// A quantity that is neither good nor bad.
    pub(super) fn none() -> Self {
        Self { below: Colour::Quantity, steps: Vec::new() }
    }

    /// Red from `limit` on.
    pub(super) fn act(limit: f64) -> Self {
        Self { below: Colour::Good, steps: vec![(limit, Colour::Act)] }
    }

    /// Yellow from `limit` on.
    pub(super) fn look(limit: f64) -> Self {
        Self { below: Colour::Good, steps: vec![(limit, Colour::Look)] }
    }

    /// Yellow from `look` on, red from `act` on.
    pub(super) fn both(look: f64, act: f64) -> Self {
        Self { below: Colour::Good, steps: vec![(look, Colour::Look), (act, Colour::Act)] }
    }

    /// Red below `act`, yellow below `look`.
    pub(super) fn falling(act: f64, look: f64) -> Self {
        Self { below: Colour::Act, steps: vec![(act, Colour::Look), (look, Colour::Good)] }
    }

    /// Red below `limit`.
    pub(super) fn at_least(limit: f64) -> Self {
        Self { below: Colour::Act, steps: vec![(limit, Colour::Good)] }
    }

    /// Up to where a graph shows its axis at least: a little above the first limit, so that the line is in sight without
    /// flattening what is far below it.
    pub(super) fn axis(&self) -> Option<f64> {
        self.steps.first().map(|(limit, _)| limit * 1.2)
    }

    /// For the cells of a table: those without a value have no colour.
    pub(super) fn cells(&self) -> Value {
        const LOWEST: f64 = -1e15;
        let below = (self.below != Colour::Good).then_some((LOWEST, self.below));
        let steps =
            below.iter().chain(&self.steps).map(|(value, colour)| json!({"color": colour.name(), "value": value}));
        let first = json!({"color": "transparent", "value": null});
        json!({"mode": "absolute", "steps": std::iter::once(first).chain(steps).collect::<Vec<_>>()})
    }

    pub(super) fn to_json(&self) -> Value {
        let first = json!({"color": self.below.name(), "value": null});
        let rest = self.steps.iter().map(|(value, colour)| json!({"color": colour.name(), "value": value}));
        json!({"mode": "absolute", "steps": std::iter::once(first).chain(rest).collect::<Vec<_>>()})
    }
}

/// Words for numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// 0 and 1 of something that should be 1.
    UpDown,
    /// 0 and 1 of something that should be 0.
    NoYes,
    /// 0 and 1 of something that should be 1.
    YesNo,
    /// 0 and 1 of something that somebody chose.
    OffOn,
    /// Levels of resource conservation.
    Conservation,
    /// The severities of alerts, the worst first.
    Severity,
}

impl Words {
    pub(super) fn to_json(self) -> Value {
        let two = |zero: (&str, Colour), one: (&str, Colour)| {
            json!([{"type": "value", "options": {
                "0": {"color": zero.1.name(), "index": 0, "text": zero.0},
                "1": {"color": one.1.name(), "index": 1, "text": one.0},
            }}])
        };
        match self {
            Self::UpDown => two(("down", Colour::Act), ("up", Colour::Good)),
            Self::NoYes => two(("no", Colour::Good), ("YES", Colour::Act)),
            Self::OffOn => two(("off", Colour::Past), ("on", Colour::Good)),
            Self::YesNo => two(("NO", Colour::Act), ("yes", Colour::Good)),
            Self::Severity => json!([{"type": "value", "options": {
                "1": {"color": Colour::Act.name(), "index": 0, "text": "critical"},
                "2": {"color": Colour::Look.name(), "index": 1, "text": "warning"},
                "3": {"color": Colour::Quantity.name(), "index": 2, "text": "info"},
            }}]),
            Self::Conservation => json!([
                {"type": "value", "options": {"0": {"color": Colour::Good.name(), "index": 0, "text": "off"}}},
                {"type": "range", "options": {"from": 1, "to": 998, "result":
                    {"color": Colour::Look.name(), "index": 1, "text": "SLOWED"}}},
                {"type": "range", "options": {"from": 999, "to": 1_000_000, "result":
                    {"color": Colour::Act.name(), "index": 2, "text": "REFUSING"}}},
            ]),
        }
    }
}
