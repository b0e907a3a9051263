//! The names that a misspelt one probably stands for. Knows nothing of what they name.

use std::cmp::Ordering;

/// Letters of a name that are compared; no name that is known has more.
const LONGEST: usize = 128;

/// Finds the names nearest to a misspelt one: those with the fewest letters to insert, leave out or replace.
#[derive(Debug)]
pub(crate) struct NearestNames {
    meant: Vec<char>,
    /// More slips make it another name.
    most_slips: usize,
    /// Names that are kept; at least 1.
    most_names: usize,
    /// The nearest first, and by name where two are as near.
    found: Vec<(usize, String)>,
}

impl NearestNames {
    /// A search for at most `most_names` names that differ from `meant` by at most `most_slips` letters.
    pub(crate) fn new(meant: &str, most_slips: usize, most_names: usize) -> Self {
        let meant = meant.chars().take(LONGEST).collect();
        Self { meant, most_slips, most_names: most_names.max(1), found: Vec::new() }
    }

    /// Keeps `name` if it is near enough.
    pub(crate) fn consider(&mut self, name: &str) {
        let is_full = self.found.len() == self.most_names;
        let farthest = self.found.last().filter(|_| is_full);
        let most = farthest.map_or(self.most_slips, |(slips, _)| *slips);
        let known: Vec<char> = name.chars().take(LONGEST).collect();
        let Some(slips) = distance(&self.meant, &known, most) else { return };
        let order = |(found, other): &(usize, String)| found.cmp(&slips).then_with(|| other.as_str().cmp(name));
        let place = self.found.partition_point(|found| order(found) == Ordering::Less);
        if self.found.get(place).is_some_and(|found| order(found) == Ordering::Equal) {
            return;
        }
        self.found.insert(place, (slips, name.to_owned()));
        self.found.truncate(self.most_names);
    }

    /// The names that were found, the nearest first.
    pub(crate) fn found(self) -> Vec<String> {
        self.found.into_iter().map(|(_, name)| name).collect()
    }
}

/// A question for the end of a message, such as "; did you mean `a`, `b` or `c`?"; empty without names.
pub(crate) fn question<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => format!("; did you mean {only}?"),
        Some((last, others)) => format!("; did you mean {} or {last}?", others.join(", ")),
    }
}

/// Text of a client, fit to be repeated in a message: one line, printable, of limited length.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST_QUOTED: usize = 100;
    let rest = if text.chars().nth(LONGEST_QUOTED).is_some() { "…" } else { "" };
    text.chars().take(LONGEST_QUOTED).flat_map(char::escape_debug).chain(rest.chars()).collect()
}

/// The fewest letters to insert, leave out or replace to make `one` the `other`; none if that is more than `most`.
fn distance(mut one: &[char], mut other: &[char], most: usize) -> Option<usize> {
    // Names of metrics begin alike, and often end alike: what is equal need not be looked at for each pair of letters.
    while let ([first, rest @ ..], [same, others @ ..]) = (one, other)
        && first == same
    {
        (one, other) = (rest, others);
    }
    while let ([rest @ .., last], [others @ .., same]) = (one, other)
        && last == same
    {
        (one, other) = (rest, others);
    }
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = Vec::with_capacity(above.len());
        current.push(row + 1);
        for (column, compared) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != compared);
            current.push(replaced.min(above[column + 1] + 1).min(current[column] + 1));
        }
        if current.iter().all(|slips| *slips > most) {
            return None;
        }
        above = current;
    }
    Some(above[other.len()]).filter(|slips| *slips <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(one: &str, other: &str, most: usize) -> Option<usize> {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&letters(one), &letters(other), most)
    }

    #[test]
    fn distances_count_slips_up_to_a_bound() {
        let cases = [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("subject", "subjct", 1),
            ("aab", "ab", 1),
            ("abcabc", "abc", 3),
            ("ab", "ba", 2),
        ];
        for (one, other, expected) in cases {
            assert_eq!(slips(one, other, 10), Some(expected), "{one} {other}");
            assert_eq!(slips(other, one, expected), Some(expected), "{other} {one}");
            assert_eq!(expected.checked_sub(1).and_then(|most| slips(one, other, most)), None, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_names_come_first_and_each_once() {
        let nearest = |meant: &str, slips: usize, names: usize| {
            let mut search = NearestNames::new(meant, slips, names);
            for name in ["cart", "dog", "bat", "cat", "cat", "car", "cats"] {
                search.consider(name);
            }
            search.found()
        };
        assert_eq!(nearest("cat", 1, 3), ["cat", "bat", "car"]);
        assert_eq!(nearest("catt", 1, 9), ["cart", "cat", "cats"]);
        assert_eq!(nearest("cxt", 1, 1), ["cat"]);
        assert!(nearest("nonsense", 3, 3).is_empty() && nearest("", 2, 3).is_empty());
        assert!(nearest(&"cat".repeat(100_000), 3, 3).is_empty());
    }

    #[test]
    fn a_question_lists_the_names() {
        assert_eq!(question::<&str>(&[]), "");
        assert_eq!(question(&["a"]), "; did you mean `a`?");
        assert_eq!(question(&["a", "b"]), "; did you mean `a` or `b`?");
        assert_eq!(question(&["a", "b", "c"]), "; did you mean `a`, `b` or `c`?");
    }
}
