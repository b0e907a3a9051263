//! The families that a page was ever made of, found again quickly. Knows nothing of lines.

use std::sync::Arc;

use super::family::{Family, Head};
use super::interner::Interner;

/// Every head, by its place.
#[derive(Debug, Default)]
pub(super) struct FamilyTable {
    names: Interner,
    /// By the number of the name. More than one where appliances use one name for different things: the first on the page
    /// heads it.
    heads: Vec<Vec<Arc<Head>>>,
    /// By the number of the name: the lookup that followed it the last time. Appliances have the same families in the same
    /// order, so that one comparison mostly finds a family, at a tenth of the cost of hashing it.
    next: Vec<Place>,
    /// The number of the name that was looked for last.
    last: usize,
}

/// Where a head is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// The number of its name.
    pub(super) name: u32,
    /// Which of those of its name.
    meaning: u32,
}

impl FamilyTable {
    /// The place of the head of `family`, which is made if it is new.
    pub(super) fn place(&mut self, family: Family<'_>) -> Place {
        let guess = self.next.get(self.last).copied().filter(|guess| self.get(*guess).family() == family);
        let place = guess.unwrap_or_else(|| self.look_up(family));
        if guess.is_none()
            && let Some(next) = self.next.get_mut(self.last)
        {
            *next = place;
        }
        self.last = place.name as usize;
        place
    }

    fn look_up(&mut self, family: Family<'_>) -> Place {
        let name = self.names.number(family.name);
        if name as usize == self.heads.len() {
            self.heads.push(Vec::with_capacity(1));
            self.next.push(Place::default());
        }
        let heads = &mut self.heads[name as usize];
        let known = heads.iter().position(|head| head.family() == family);
        let meaning = known.unwrap_or_else(|| {
            heads.push(Arc::new(Head::new(name, family)));
            heads.len() - 1
        });
        Place { name, meaning: u32::try_from(meaning).unwrap_or(u32::MAX) }
    }

    /// The head at `place`.
    pub(super) fn get(&self, place: Place) -> &Arc<Head> {
        &self.heads[place.name as usize][place.meaning as usize]
    }

    /// Brings the order of the names up to date.
    pub(super) fn sort(&mut self) {
        self.names.sort();
    }

    /// Where the families of this name are on the page.
    pub(super) fn order(&self, name: u32) -> u32 {
        self.names.order(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Kind;

    #[test]
    fn families_are_found_again_in_whatever_order_they_come() {
        let mut heads = FamilyTable::default();
        let families = ["a", "b", "c"].map(|name| Family { name, kind: Kind::Gauge, help: "x" });
        let other = Family { help: "y", ..families[1] };
        for round in 0..20 {
            let order = [0, 1, 2, 1, 0, 0, round % 3];
            for family in order.map(|which| families[which]).into_iter().chain([other, families[1]]) {
                let place = heads.place(family);
                assert_eq!(heads.get(place).family(), family);
            }
        }
        assert_eq!(heads.heads.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 1]);
    }
}
