//! JSON and its numbers read a second time and in another way, for what a parser found to be held against. It is read
//! leniently, since only what a parser took comes here: every entry is kept, a name that comes twice too.

use crate::catalogue::Unit;

/// Below so many levels a structure is a word: no parser looks as deep.
const DEEPEST: usize = 100;
/// 2^53: above it, numbers are not exact and none is kept.
const LARGEST: u64 = 1 << 53;

/// A value of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    /// `null`, a switch, or a word in place of a number.
    Word,
    /// A number that is whole and fits.
    Whole(u64),
    /// Any other number.
    Fraction(f64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// The body as a tree; none where it is truncated.
pub(crate) fn read(body: &str) -> Option<Tree> {
    Rest(body).value(0)
}

impl Tree {
    /// The entries under `name`.
    pub(crate) fn get<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        match self {
            Self::Object(entries) => entries.iter().filter(|(own, _)| own == name).map(|(_, value)| value).collect(),
            _ => Vec::new(),
        }
    }

    /// The entries under `name` at any depth.
    pub(crate) fn named<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        self.walk(&mut |tree| found.extend(tree.get(name)));
        found
    }

    /// Whether any object has a name twice.
    pub(crate) fn repeats(&self) -> bool {
        match self {
            Self::Object(entries) => {
                let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.windows(2).any(|pair| pair[0] == pair[1]) || entries.iter().any(|(_, value)| value.repeats())
            }
            Self::List(elements) => elements.iter().any(Self::repeats),
            _ => false,
        }
    }

    /// The number that stands here, in a text too; none where there is none that can be kept.
    pub(crate) fn number(&self) -> Option<Written> {
        match self {
            Self::Whole(number) => (*number <= LARGEST).then(|| Written::plain(*number as f64)),
            Self::Fraction(number) => kept(*number).map(Written::plain),
            Self::Text(text) => written(text),
            Self::Word | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Every number that can be kept, in whatever unit.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let mut found = Vec::new();
        self.walk(&mut |tree| found.extend(tree.number().map(|written| written.value)));
        found
    }

    /// Every text and every name.
    pub(crate) fn texts(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.walk(&mut |tree| match tree {
            Self::Text(text) => found.push(text.as_str()),
            Self::Object(entries) => found.extend(entries.iter().map(|(name, _)| name.as_str())),
            Self::Word | Self::Whole(_) | Self::Fraction(_) | Self::List(_) => {}
        });
        found
    }

    fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Self)) {
        see(self);
        match self {
            Self::List(elements) => elements.iter().for_each(|element| element.walk(see)),
            Self::Object(entries) => entries.iter().for_each(|(_, value)| value.walk(see)),
            Self::Word | Self::Whole(_) | Self::Fraction(_) | Self::Text(_) => {}
        }
    }
}

/// The unread rest of a body.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn value(&mut self, depth: usize) -> Option<Tree> {
        match self.next()? {
            '"' => Some(Tree::Text(self.text()?)),
            '[' | '{' if depth == DEEPEST => self.skip(),
            '[' => {
                self.take();
                let mut elements = Vec::new();
                while !self.ends(']')? {
                    elements.push(self.value(depth + 1)?);
                }
                Some(Tree::List(elements))
            }
            '{' => {
                self.take();
                let mut entries = Vec::new();
                while !self.ends('}')? {
                    self.next().filter(|letter| *letter == '"')?;
                    let name = self.text()?;
                    self.ends(':')?;
                    entries.push((name, self.value(depth + 1)?));
                }
                Some(Tree::Object(entries))
            }
            _ => Some(self.word()),
        }
    }

    /// The first letter after blanks and commas.
    fn next(&mut self) -> Option<char> {
        self.0 = self.0.trim_start_matches([' ', '\t', '\r', '\n', ',']);
        self.0.chars().next()
    }

    fn take(&mut self) {
        self.0 = &self.0[1..];
    }

    /// Whether `end` comes next, which is taken then.
    fn ends(&mut self, end: char) -> Option<bool> {
        let ends = self.next()? == end;
        if ends {
            self.take();
        }
        Some(ends)
    }

    /// A text in quotes; as it stands where its escapes are wrong, which nobody can have kept then.
    fn text(&mut self) -> Option<String> {
        let mut is_escaped = false;
        let end = self.0[1..].find(|letter| {
            let is_end = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            is_end
        })?;
        let (quoted, rest) = self.0.split_at(end + 2);
        self.0 = rest;
        Some(serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned()))
    }

    fn word(&mut self) -> Tree {
        let end = self.0.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        match (word.parse(), serde_json::from_str(word)) {
            (Ok(number), _) => Tree::Whole(number),
            (Err(_), Ok(number)) => Tree::Fraction(number),
            (Err(_), Err(_)) => Tree::Word,
        }
    }

    /// Passes over a structure.
    fn skip(&mut self) -> Option<Tree> {
        let mut open = 0_usize;
        loop {
            match self.next()? {
                '"' => drop(self.text()?),
                letter => {
                    self.0 = &self.0[letter.len_utf8()..];
                    match letter {
                        '[' | '{' => open += 1,
                        ']' | '}' => open -= 1,
                        _ => {}
                    }
                }
            }
            if open == 0 {
                return Some(Tree::Word);
            }
        }
    }
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) value: f64,
    beside: Beside,
}

/// The unit or sign beside a number.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Beside {
    Nothing,
    Percent,
    Size,
    Time,
}

impl Written {
    fn plain(value: f64) -> Self {
        Self { value: value + 0.0, beside: Beside::Nothing }
    }

    /// The number, where it may be in `unit`.
    pub(crate) fn within(self, unit: &Unit) -> Option<f64> {
        let fits = match self.beside {
            Beside::Nothing => true,
            Beside::Percent => *unit == Unit::Percent,
            Beside::Size => *unit == Unit::Bytes,
            Beside::Time => *unit == Unit::Seconds,
        };
        fits.then_some(self.value)
    }
}

/// The number of a text.
pub(crate) fn written(text: &str) -> Option<Written> {
    let text = text.trim();
    let with = |beside| move |value| Written { value, beside };
    if let Some(text) = text.strip_suffix('%') {
        return digits(text.trim_end()).map(with(Beside::Percent));
    }
    let time = || time(text).filter(|seconds| *seconds <= u128::from(LARGEST)).map(|seconds| seconds as f64);
    let value = digits(text).map(with(Beside::Nothing));
    value.or_else(|| time().map(with(Beside::Time))).or_else(|| size(text).map(with(Beside::Size)))
}

/// `value` where it is finite and exact.
fn kept(value: f64) -> Option<f64> {
    (value.abs() <= LARGEST as f64).then_some(value)
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit())
}

/// A number with commas between groups of three digits, or without.
fn digits(text: &str) -> Option<f64> {
    if let Ok(whole) = text.parse::<u64>() {
        return (whole <= LARGEST).then_some(whole as f64);
    }
    let value = if text.contains(',') { without_commas(text)? } else { text.to_owned() };
    kept(value.parse::<f64>().ok()? + 0.0)
}

/// Puts the commas where they belong and looks whether that is the text.
fn without_commas(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    let (sign, amount) = if let Some(amount) = plain.strip_prefix('-') { ("-", amount) } else { ("", &*plain) };
    let whole = amount.find('.').map_or(amount, |point| &amount[..point]);
    let fraction = &amount[whole.len()..];
    if !are_digits(whole) || !(fraction.is_empty() || are_digits(&fraction[1..])) {
        return None;
    }
    let groups = whole.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    let grouped = groups.collect::<Vec<_>>().join(",");
    (format!("{sign}{grouped}{fraction}") == text).then_some(plain)
}

/// Bytes of a number with a magnitude.
fn size(text: &str) -> Option<f64> {
    let upper = text.to_ascii_uppercase();
    let letters = upper.strip_suffix('B').unwrap_or(&upper);
    let (number, power) = ["K", "M", "G", "T"]
        .into_iter()
        .zip(1..)
        .find_map(|(letter, power)| Some((letters.strip_suffix(letter)?, power)))
        .unwrap_or((letters, 0));
    let number = number.trim_end();
    let is_bare = number.chars().all(|letter| letter.is_ascii_digit() || letter == '.' || letter == ',');
    kept(digits(number).filter(|_| is_bare)? * f64::from(1_u32 << 10).powi(power))
}

/// Seconds of a time of day, of days, or of both.
fn time(text: &str) -> Option<u128> {
    let number = |part: &str| part.parse::<u64>().ok().filter(|_| are_digits(part)).map(u128::from);
    let of_day = |clock: &str| match clock.split(':').collect::<Vec<_>>()[..] {
        [hours, minutes, seconds] if minutes.len() == 2 && seconds.len() == 2 => {
            let (minutes, seconds) = (number(minutes)?, number(seconds)?);
            (minutes < 60 && seconds < 60).then_some(number(hours)? * 3600 + minutes * 60 + seconds)
        }
        _ => None,
    };
    let Some((days, clock)) = text.split_once("day") else { return of_day(text) };
    let clock = clock.strip_prefix('s').unwrap_or(clock).trim_start_matches(',').trim_start();
    let rest = if clock.is_empty() { 0 } else { of_day(clock)? };
    Some(number(days.strip_suffix(' ')?)? * 86_400 + rest)
}
