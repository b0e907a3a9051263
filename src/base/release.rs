//! The build number of an AsyncOS release, such as `15.5.5-014`. Knows nothing of who states it.

use std::fmt;
use std::str::FromStr;

/// The longest number in it: no release comes near, and it fits the type.
const MOST_DIGITS: usize = 6;

/// Three numbers and, where it is stated, the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    numbers: [u32; 3],
    build: Option<u32>,
}

/// A text that is no build number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotARelease;

impl Release {
    /// The release of these numbers, whatever its build.
    #[must_use]
    pub const fn of(numbers: [u32; 3]) -> Self {
        Self { numbers, build: None }
    }

    /// The first word of `text` that is a build number: a status page writes one behind a code name.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| word.parse().ok())
    }

    /// Whether this release is older than `minimum`. A minimum without a build is met by every build of its numbers. None
    /// where only the build could decide and this release does not state its own.
    #[must_use]
    pub fn is_below(self, minimum: Self) -> Option<bool> {
        match (self.numbers == minimum.numbers, self.build, minimum.build) {
            (false, _, _) => Some(self.numbers < minimum.numbers),
            (true, _, None) => Some(false),
            (true, Some(own), Some(least)) => Some(own < least),
            (true, None, Some(_)) => None,
        }
    }
}

impl FromStr for Release {
    type Err = NotARelease;

    /// # Errors
    /// When `text` is anything but `<number>.<number>.<number>`, with or without `-<build>`.
    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let (numbers, build) = match text.split_once('-') {
            Some((numbers, build)) => (numbers, Some(number(build)?)),
            None => (text, None),
        };
        let mut parts = numbers.split('.');
        let mut next = || number(parts.next().ok_or(NotARelease)?);
        let numbers = [next()?, next()?, next()?];
        if parts.next().is_some() { Err(NotARelease) } else { Ok(Self { numbers, build }) }
    }
}

impl fmt::Display for Release {
    /// The build has three digits, as the vendor writes it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        self.build.map_or(Ok(()), |build| write!(out, "-{build:03}"))
    }
}

impl fmt::Display for NotARelease {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("expected an AsyncOS build number such as `15.5.5-014` or `15.5.5`")
    }
}

impl std::error::Error for NotARelease {}

fn number(digits: &str) -> Result<u32, NotARelease> {
    // A sign, which the parser of numbers takes, is none of a build number.
    let are_digits = digits.len() <= MOST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { digits.parse().map_err(|_| NotARelease) } else { Err(NotARelease) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn releases_are_compared_number_by_number() {
        let rising =
            ["9.8.0-092", "15.5.5-014", "15.5.10-001", "15.5.10-002", "15.10.0-001", "16.0.4-302", "16.0.4-1002"];
        for (place, text) in rising.iter().enumerate() {
            for (other, minimum) in rising.iter().enumerate() {
                let is_below = release(text).is_below(release(minimum));
                assert_eq!(is_below, Some(place < other), "{text} below {minimum}");
            }
        }
    }

    #[test]
    fn a_build_that_is_not_stated_decides_nothing() {
        let is_below = |text, minimum| release(text).is_below(release(minimum));
        assert_eq!(is_below("15.5.5-014", "15.5.5"), Some(false));
        assert_eq!(is_below("15.5.4-999", "15.5.5"), Some(true));
        assert_eq!(is_below("15.5.5", "15.5.5-014"), None);
        assert_eq!(is_below("15.5.4", "15.5.5-014"), Some(true));
        assert_eq!(is_below("15.5.6", "15.5.5-014"), Some(false));
    }

    #[test]
    fn a_build_number_is_written_as_it_was_read() {
        for text in ["15.5.5-014", "16.0.4-302", "15.5.5", "0.0.0-000", "16.0.4-1002"] {
            assert_eq!(release(text).to_string(), text);
        }
        assert_eq!(release("15.5.5-14").to_string(), "15.5.5-014");
    }

    #[test]
    fn other_texts_are_no_build_number() {
        let long = "1".repeat(10_000);
        for text in [
            "",
            "15",
            "15.5",
            "15.5.5.1",
            "15.5.5-",
            "-014",
            "15.5.5-014-1",
            "v15.5.5",
            "15.5.x",
            " 15.5.5",
            "15..5",
            "+15.5.5",
            "15.5.5-+14",
            "15.5.1234567",
            "١٥.5.5",
            &long,
        ] {
            assert_eq!(text.parse::<Release>(), Err(NotARelease), "{text}");
        }
    }

    #[test]
    fn it_is_found_behind_a_code_name() {
        assert_eq!(Release::find("phoebe 16.0.0-050"), Some(release("16.0.0-050")));
        assert_eq!(Release::find("16.0.0-050"), Some(release("16.0.0-050")));
        assert_eq!(Release::find("phoebe 16"), None);
    }
}
