//! Judges product, release and clock of an appliance by what its login states. Pure.

use crate::api::{ClockDoubt, Identity};
use crate::base::release::Release;
use crate::commands::probe::product_name;
use crate::config::Product;

use super::report::{Step, StepKind};

/// A clock that is this far off confuses who compares the metrics with the appliance's own reports.
const LARGE_SKEW_SECONDS: f64 = 60.0;

/// The product of a model; none where its name does not tell.
///
/// **Source:** a token recorded on an SMA with `M600V`; that all models of an ESA begin with C or X and a digit, and all of
/// an SMA with M and a digit, is assumed.
fn product_of(model: &str) -> Option<Product> {
    let mut letters = model.chars();
    match (letters.next()?, letters.next()?.is_ascii_digit()) {
        ('C' | 'X', true) => Some(Product::Esa),
        ('M', true) => Some(Product::Sma),
        _ => None,
    }
}

/// The step about the release; `configured` and `minimum` are from the configuration.
pub(super) fn release(configured: Product, minimum: Option<Release>, identity: Option<Identity>) -> Step {
    let product = product_name(configured);
    let Some(Identity { model, release, serial: _ }) = identity else {
        let text = format!("{product}, the login does not state the release");
        return Step::works(StepKind::Release, text).with_cell("unknown");
    };
    let other = model.as_deref().and_then(product_of).filter(|product| *product != configured);
    let model = model.map_or_else(String::new, |model| format!(", model {model}"));
    let text = format!("{product}, AsyncOS {release}{model}");
    let is_below = |minimum: Release| release.is_below(minimum) == Some(true);
    let first = configured.first_release();
    let step = if let Some(minimum) = minimum.filter(|minimum| is_below(*minimum)) {
        Step::failed(StepKind::Release, format!("{text}, older than `minimum_release` {minimum}"))
    } else if let Some(other) = other {
        let text = format!("{text}, which looks like a {}: check `product`", product_name(other));
        Step::warning(StepKind::Release, text)
    } else if is_below(first) {
        let text = format!("{text}, older than {first}, the first release with this API: upgrade the appliance");
        Step::warning(StepKind::Release, text)
    } else {
        Step::works(StepKind::Release, text)
    };
    step.with_cell(release.to_string())
}

/// The step about the clock; `skew` is in seconds, ahead of this machine where positive, and none where no `Date` came.
pub(super) fn clock(skew: Option<f64>, doubt: Option<ClockDoubt>) -> Step {
    let Some(skew) = skew else {
        let text = "responses have no usable `Date`: windows follow this machine's clock";
        return Step::warning(StepKind::Clock, text);
    };
    let direction = if skew < 0.0 { "behind" } else { "ahead of" };
    let text = format!("{:.0} s {direction} this machine", skew.abs());
    match doubt {
        Some(ClockDoubt::Refused) => {
            let text = format!("{text}, which is not trusted: check the date, the time zone and NTP of both");
            Step::failed(StepKind::Clock, text)
        }
        Some(ClockDoubt::Unconfirmed) | None if skew.abs() >= LARGE_SKEW_SECONDS => {
            Step::warning(StepKind::Clock, format!("{text}: check NTP of both"))
        }
        Some(ClockDoubt::Unconfirmed) | None => Step::works(StepKind::Clock, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(product: Product, minimum: Option<&str>, model: Option<&str>, release_text: &str) -> String {
        let parsed = |text: &str| text.parse().expect("a release");
        let identity = Identity { model: model.map(str::to_owned), release: parsed(release_text), serial: None };
        release(product, minimum.map(parsed), Some(identity)).to_string()
    }

    #[test]
    fn old_releases_and_the_other_product_are_warnings() {
        let esa = "Secure Email Gateway (ESA), AsyncOS";
        let sma = "Secure Email and Web Manager (SMA), AsyncOS";
        let old = |first| format!("older than {first}, the first release with this API: upgrade the appliance");
        for (product, model, release, expected) in [
            (Product::Esa, "C100V", "13.0.0-392", format!("release: {esa} 13.0.0-392, model C100V")),
            (
                Product::Esa,
                "C100V",
                "12.5.3-041",
                format!("release: warning: {esa} 12.5.3-041, model C100V, {}", old("13.0.0")),
            ),
            (Product::Sma, "M600V", "12.5.0-670", format!("release: {sma} 12.5.0-670, model M600V")),
            (
                Product::Sma,
                "M600V",
                "11.5.1-105",
                format!("release: warning: {sma} 11.5.1-105, model M600V, {}", old("12.0.0")),
            ),
            (
                Product::Esa,
                "M600V",
                "15.5.1-055",
                format!(
                    "release: warning: {esa} 15.5.1-055, model M600V, which looks like a Secure Email and Web Manager (SMA): \
                     check `product`"
                ),
            ),
            (
                Product::Sma,
                "X1070",
                "15.5.1-055",
                format!(
                    "release: warning: {sma} 15.5.1-055, model X1070, which looks like a Secure Email Gateway (ESA): check \
                     `product`"
                ),
            ),
            (Product::Sma, "Cloud", "15.5.1-055", format!("release: {sma} 15.5.1-055, model Cloud")),
        ] {
            assert_eq!(said(product, None, Some(model), release), expected);
        }
        let expected = format!("release: failed: {esa} 15.0.0-104, older than `minimum_release` 15.5.0");
        assert_eq!(said(Product::Esa, Some("15.5.0"), None, "15.0.0-104"), expected);
        let unknown = release(Product::Esa, None, None);
        assert_eq!((unknown.shown(), unknown.outcome), ("unknown", super::super::report::Outcome::Works));
    }

    #[test]
    fn a_clock_is_judged_by_its_distance_and_by_whether_it_is_used() {
        for (skew, doubt, expected) in [
            (Some(0.4), None, "clock: 0 s ahead of this machine"),
            (Some(-59.0), None, "clock: 59 s behind this machine"),
            (Some(-60.0), None, "clock: warning: 60 s behind this machine: check NTP of both"),
            (
                Some(90.0),
                Some(ClockDoubt::Unconfirmed),
                "clock: warning: 90 s ahead of this machine: check NTP of both",
            ),
            (
                Some(90_000.0),
                Some(ClockDoubt::Refused),
                "clock: failed: 90000 s ahead of this machine, which is not trusted: check the date, the time zone and NTP \
                 of both",
            ),
            (None, None, "clock: warning: responses have no usable `Date`: windows follow this machine's clock"),
        ] {
            assert_eq!(clock(skew, doubt).to_string(), expected);
        }
    }
}
