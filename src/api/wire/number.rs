//! Reads numbers in every form that an answer may have them in, and says why a value is none. The only reader of
//! numbers: reports, status answers and the XML status all go through it. Knows nothing of what a number means.

use serde::{Deserialize, Serialize};

use crate::catalogue::Unit;

/// A count or a measure within ±2^53, where every whole number is exact. The caller, which knows its
/// meaning, decides whether it may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Number {
    /// Exact.
    Whole(u64),
    /// A count that stopped at its bound.
    AtLeast(u64),
    /// An average, a share, or anything below zero.
    Fraction(f64),
}

/// A number as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    number: Number,
    /// The unit that stands beside the number, which is in bytes, seconds or percent then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<TextUnit>,
}

/// A unit that texts carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TextUnit {
    Bytes,
    Seconds,
    Percent,
}

/// Why what stands in a counter's place is no sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unusable {
    /// `null`, a text such as `N/A`, a switch, a list, a number in a unit that the counter does not have.
    NotANumber,
    /// Below zero, which no count, average or maximum is; a state such as a score may be.
    Negative,
    /// The answer gives the counter twice with different values, or two values have one name.
    Conflicting,
    /// Not whole, where a count is due: shown, but in no total.
    NotWhole,
    /// Beyond ±2^53, alone or as a sum: no appliance counts so far, and such numbers are not exact.
    TooLarge,
    /// Counting stopped at its bound: shown, but in no total.
    LowerBound,
}

/// The number of unusable values by reason, in the order of [`Unusable::ALL`].
pub type UnusableCounts = [u64; Unusable::ALL.len()];

/// A value of an answer, as the reader of its format finds it.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) enum Scalar<'a> {
    Null,
    Switch(bool),
    Whole(u64),
    Fraction(f64),
    Text(&'a str),
    /// A list or an object.
    Structure,
}

impl Number {
    /// 2^53: up to here every whole number is the same as an f64.
    const LARGEST: u64 = 1 << 53;

    /// A count.
    ///
    /// # Errors
    /// [`Unusable::TooLarge`].
    pub fn whole(count: u64) -> Result<Self, Unusable> {
        if count <= Self::LARGEST { Ok(Self::Whole(count)) } else { Err(Unusable::TooLarge) }
    }

    /// A measure; one that is whole and not negative is a count.
    ///
    /// # Errors
    /// [`Unusable::NotANumber`] for what is not finite, [`Unusable::TooLarge`].
    pub fn fraction(measure: f64) -> Result<Self, Unusable> {
        if !measure.is_finite() {
            Err(Unusable::NotANumber)
        } else if measure.abs() > Self::LARGEST as f64 {
            Err(Unusable::TooLarge)
        } else if measure.fract() == 0.0 && measure >= 0.0 {
            Ok(Self::Whole(measure as u64))
        } else {
            Ok(Self::Fraction(measure))
        }
    }

    /// The sum of both.
    ///
    /// # Errors
    /// [`Unusable::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, Unusable> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Self::whole(one.saturating_add(other)),
            (Self::Whole(one) | Self::AtLeast(one), Self::Whole(other) | Self::AtLeast(other)) => {
                Self::whole(one.saturating_add(other)).map(|_| Self::AtLeast(one + other))
            }
            (Self::Whole(_) | Self::AtLeast(_) | Self::Fraction(_), _) => {
                Self::fraction(self.as_f64() + other.as_f64())
            }
        }
    }

    /// The number if it is not below zero.
    ///
    /// # Errors
    /// [`Unusable::Negative`].
    pub fn not_negative(self) -> Result<Self, Unusable> {
        if self.as_f64() < 0.0 { Err(Unusable::Negative) } else { Ok(self) }
    }

    /// The number as Prometheus takes it: exact.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) | Self::AtLeast(number) => number as f64,
            Self::Fraction(number) => number,
        }
    }
}

impl From<Number> for Measure {
    fn from(number: Number) -> Self {
        Self { number, unit: None }
    }
}

impl Measure {
    /// Reads a value.
    ///
    /// Texts may hold a plain number, with commas between groups of three digits, or with a unit: `K`, `M`, `G` and `T`
    /// for powers of 1024 as published clients take them, with or without a `B`; `%`; `hh:mm:ss`, days, or both for a
    /// time. Of these, an answer with `17.50K` and `388G` is recorded; the rest is assumed.
    ///
    /// # Errors
    /// [`Unusable::NotANumber`], [`Unusable::TooLarge`].
    pub(in crate::api) fn read(value: Scalar<'_>) -> Result<Self, Unusable> {
        match value {
            Scalar::Whole(whole) => Number::whole(whole).map(Self::from),
            Scalar::Fraction(fraction) => Number::fraction(fraction).map(Self::from),
            Scalar::Text(text) => Self::read_text(text.trim()),
            Scalar::Null | Scalar::Switch(_) | Scalar::Structure => Err(Unusable::NotANumber),
        }
    }

    fn read_text(text: &str) -> Result<Self, Unusable> {
        let of = |number: Number, unit| Self { number, unit: Some(unit) };
        if let Some(number) = text.strip_suffix('%') {
            return Ok(of(plain(number.trim_end())?, TextUnit::Percent));
        }
        if let Some(seconds) = seconds(text) {
            return Ok(of(Number::whole(seconds)?, TextUnit::Seconds));
        }
        if let Some((number, scale)) = sized(text) {
            let number = plain(number)?;
            // No size has a sign or an exponent.
            return Ok(of(Number::fraction(number.as_f64() * scale)?, TextUnit::Bytes));
        }
        plain(text).map(Self::from)
    }

    /// The number in `unit`, in which a number without a unit is.
    ///
    /// # Errors
    /// [`Unusable::NotANumber`] where another unit is written beside it.
    pub fn in_unit(self, unit: &Unit) -> Result<Number, Unusable> {
        match (self.unit, unit) {
            (None, _)
            | (Some(TextUnit::Bytes), Unit::Bytes)
            | (Some(TextUnit::Seconds), Unit::Seconds)
            | (Some(TextUnit::Percent), Unit::Percent) => Ok(self.number),
            (Some(_), _) => Err(Unusable::NotANumber),
        }
    }

    /// The number, whatever its unit.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.number.as_f64()
    }
}

/// A number without a unit.
fn plain(text: &str) -> Result<Number, Unusable> {
    if let Ok(whole) = text.parse() {
        return Number::whole(whole);
    }
    let parsed = match ungrouped(text) {
        Some(digits) => digits.parse(),
        None => text.parse(),
    };
    parsed.map_err(|_| Unusable::NotANumber).and_then(Number::fraction)
}

/// `text` without the commas between its groups of three digits; none where there are none, or other ones.
fn ungrouped(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (first, rest) = whole.split_once(',')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = first.strip_prefix('-').unwrap_or(first);
    let are_groups = first.len() <= 3 && rest.split(',').all(|group| group.len() == 3 && digits(group));
    (digits(first) && are_groups && digits(fraction)).then(|| text.replace(',', ""))
}

/// The number before a suffix for its magnitude, and the bytes of one of it.
fn sized(text: &str) -> Option<(&str, f64)> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let scale = match text[number.len()..].to_ascii_uppercase().as_str() {
        "B" => 1.0,
        "K" | "KB" => 1024.0,
        "M" | "MB" => 1024.0 * 1024.0,
        "G" | "GB" => 1024.0 * 1024.0 * 1024.0,
        "T" | "TB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let number = number.trim_end();
    // The parser of numbers would also take signs and exponents.
    let is_size = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    is_size.then_some((number, scale))
}

/// The seconds of `hh:mm:ss`, of `2 days`, or of both in a row, as Python writes them with a comma between.
fn seconds(text: &str) -> Option<u64> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str| part.parse::<u64>().ok().filter(|_| digits(part));
    let (days, time) = match text.split_once(' ') {
        Some((days, rest)) => {
            let time = rest.strip_prefix("days").or_else(|| rest.strip_prefix("day"))?;
            (number(days)?, Some(time.trim_start_matches(',').trim_start()).filter(|time| !time.is_empty()))
        }
        None => (0, Some(text)),
    };
    let of_time = |time: &str| {
        let mut parts = time.split(':');
        let hours = number(parts.next()?)?;
        let below_60 = |part: &str| number(part).filter(|number| part.len() == 2 && *number < 60);
        let (minutes, seconds) = (below_60(parts.next()?)?, below_60(parts.next()?)?);
        parts.next().is_none().then(|| hours.saturating_mul(3600).saturating_add(minutes * 60 + seconds))
    };
    let of_day = time.map_or(Some(0), of_time)?;
    Some(days.saturating_mul(86_400).saturating_add(of_day))
}

impl Unusable {
    /// Every reason, for counters that start at zero.
    pub const ALL: [Self; 6] =
        [Self::NotANumber, Self::Negative, Self::Conflicting, Self::NotWhole, Self::TooLarge, Self::LowerBound];

    /// The value of the label `reason`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::Negative => "negative",
            Self::Conflicting => "conflicting",
            Self::NotWhole => "not_whole",
            Self::TooLarge => "too_large",
            Self::LowerBound => "lower_bound",
        }
    }

    /// Adds one to `counts`.
    pub fn count_in(self, counts: &mut UnusableCounts) {
        if let Some(position) = Self::ALL.iter().position(|known| *known == self) {
            counts[position] += 1;
        }
    }
}

#[cfg(test)]
mod tests;
