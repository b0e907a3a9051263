//! Numbers for names, and the order of the names. Knows nothing of what they name.

use std::collections::HashMap;
use std::sync::Arc;

/// Names that never go: a number stays what it is.
#[derive(Debug, Default)]
pub(super) struct Interner {
    numbers: HashMap<Arc<str>, u32>,
    /// By number.
    order: Vec<u32>,
}

impl Interner {
    /// The number of `name`, a new one where it has none; its place is known after the next [`Interner::sort`].
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.known(name) {
            return number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.into(), number);
        number
    }

    /// The number of `name` if it has one.
    pub(super) fn known(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Brings the order up to date. That of names that were there before stays among them.
    pub(super) fn sort(&mut self) {
        if self.order.len() == self.numbers.len() {
            return;
        }
        let mut names: Vec<(&Arc<str>, u32)> = self.numbers.iter().map(|(name, number)| (name, *number)).collect();
        names.sort_unstable();
        self.order = vec![0; names.len()];
        for ((_, number), place) in names.into_iter().zip(0..) {
            self.order[number as usize] = place;
        }
    }

    /// The place of the name with this number.
    pub(super) fn order(&self, number: u32) -> u32 {
        self.order[number as usize]
    }

    /// The number of names.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_and_places_follow_the_alphabet() {
        let mut names = Interner::default();
        assert_eq!([names.number("m"), names.number("b"), names.number("m")], [0, 1, 0]);
        names.sort();
        assert_eq!([names.order(0), names.order(1)], [1, 0]);
        assert_eq!(names.number("c"), 2);
        names.sort();
        assert_eq!(([0, 1, 2].map(|number| names.order(number)), names.len()), ([2, 0, 1], 3));
    }
}
