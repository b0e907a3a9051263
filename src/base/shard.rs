//! Which of several exporters polls an appliance: a pure function of its name and their number, so that they need not
//! speak with each other. Knows nothing of configurations or of what is polled.

use crate::base::hash;

/// The most shards there may be: an exporter polls a thousand appliances, so a thousand of them watch more than there
/// are.
pub const MOST_SHARDS: u32 = 1000;

/// One of several exporters that share a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    shards: u32,
    index: u32,
}

/// There is no such shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchShard {
    /// Fewer than one or more than [`MOST_SHARDS`].
    #[error("{0} shards, where from 1 to {MOST_SHARDS} are possible")]
    Number(u32),
    /// They are counted from zero.
    #[error("index {index} is none of {shards} shard(s), which are counted from 0 to {}", shards - 1)]
    Index {
        /// The index.
        index: u32,
        /// The number of shards.
        shards: u32,
    },
}

impl Shard {
    /// The only one, which owns everything.
    pub const ALONE: Self = Self { shards: 1, index: 0 };

    /// The shard `index` of `shards`, counted from zero.
    ///
    /// # Errors
    /// When there cannot be so many, or fewer than that.
    pub const fn try_new(shards: u32, index: u32) -> Result<Self, NoSuchShard> {
        if shards == 0 || shards > MOST_SHARDS {
            return Err(NoSuchShard::Number(shards));
        }
        if index >= shards {
            return Err(NoSuchShard::Index { index, shards });
        }
        Ok(Self { shards, index })
    }

    /// The number of shards; at least 1.
    #[must_use]
    pub const fn shards(self) -> u32 {
        self.shards
    }

    /// Which of them this is, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Whether this one polls the appliance `name`; of the shards of one number exactly one does.
    #[must_use]
    pub fn owns(self, name: &str) -> bool {
        owner(name, self.shards) == self.index
    }
}

/// Which of `shards` polls the appliance `name`; 0 where there are none.
///
/// The one with the highest weight for it, so that another shard takes over only what it is the highest for, and
/// nothing moves between the others. **Source:** Thaler and Ravishankar, "Using name-based mappings to increase hit
/// rates", 1998.
#[must_use]
pub fn owner(name: &str, shards: u32) -> u32 {
    (0..shards).max_by_key(|index| weight(name, *index)).unwrap_or(0)
}

/// The number at the end of the name of a pod of a StatefulSet, as of `asyncos-exporter-2`; a domain behind it does not
/// matter. None where the name ends otherwise, as that of a Deployment's pod does.
#[must_use]
pub fn ordinal(name: &str) -> Option<u32> {
    let host = name.split('.').next().unwrap_or_default();
    let (set, ordinal) = host.rsplit_once('-')?;
    // `parse` would take a sign.
    let is_number = ordinal.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !set.is_empty()).then(|| ordinal.parse().ok())?
}

/// The weight of the shard `index` for the appliance `name`; the largest one polls it. The same in every release and on
/// every machine, or two shards would poll one appliance and none another. No two weights of a name are equal, since
/// both steps are reversible.
fn weight(name: &str, index: u32) -> u64 {
    hash::spread(hash::stable(name.as_bytes()) ^ hash::spread(u64::from(index)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const NAMES: usize = 1000;

    /// Names as fleets have them, which differ by a digit or two, and those of sites.
    fn fleets() -> [Vec<String>; 3] {
        let names = |name: fn(usize) -> String| (0..NAMES).map(name).collect();
        [
            names(|number| format!("esa{number}")),
            names(|number| format!("esa{:02}.site{:02}.example.com", number % 10, number / 10)),
            names(|number| format!("{number:04}-mail")),
        ]
    }

    #[test]
    fn shards_of_one_number_own_every_name_once() {
        for shards in 1..=16 {
            for name in fleets().iter().flatten() {
                let owners = (0..shards).filter(|index| Shard::try_new(shards, *index).expect("one").owns(name));
                assert_eq!(owners.count(), 1, "{name} of {shards}");
            }
        }
    }

    #[test]
    fn every_shard_has_about_its_share() {
        for (fleet, shards) in fleets().iter().flat_map(|fleet| (2..=16).map(move |shards| (fleet, shards))) {
            let mut counts = vec![0_usize; shards as usize];
            for name in fleet {
                counts[owner(name, shards) as usize] += 1;
            }
            // Chance alone spreads a count by the root of p(1-p)n; four of that are seen once in 16,000 counts.
            let share = 1.0 / f64::from(shards);
            let (mean, spread) = (NAMES as f64 * share, (NAMES as f64 * share * (1.0 - share)).sqrt());
            for count in &counts {
                assert!((*count as f64 - mean).abs() < 4.0 * spread, "{counts:?} of {}", fleet[0]);
            }
        }
    }

    #[test]
    fn one_more_shard_takes_its_share_and_nothing_moves_between_the_others() {
        for (fleet, shards) in fleets().iter().flat_map(|fleet| (1..=16).map(move |shards| (fleet, shards))) {
            let moved: Vec<_> = fleet.iter().filter(|name| owner(name, shards) != owner(name, shards + 1)).collect();
            assert!(moved.iter().all(|name| owner(name, shards + 1) == shards), "only to the new one");
            let share = 1.0 / f64::from(shards + 1);
            let most = NAMES as f64 * share + 4.0 * (NAMES as f64 * share * (1.0 - share)).sqrt();
            assert!((moved.len() as f64) < most, "{} of {NAMES} move to shard {shards}", moved.len());
        }
    }

    #[test]
    fn who_polls_what_is_the_same_in_every_release() {
        let owners: Vec<u32> = (1..=9).map(|number| owner(&format!("esa{number}"), 3)).collect();
        assert_eq!(owners, [2, 0, 2, 2, 0, 2, 2, 2, 0]);
    }

    #[test]
    fn a_shard_beyond_the_last_does_not_exist() {
        assert_eq!(Shard::try_new(1, 0), Ok(Shard::ALONE));
        assert_eq!(Shard::try_new(3, 3), Err(NoSuchShard::Index { index: 3, shards: 3 }));
        assert_eq!(Shard::try_new(0, 0), Err(NoSuchShard::Number(0)));
        assert_eq!(Shard::try_new(1001, 0), Err(NoSuchShard::Number(1001)));
        let said = Shard::try_new(3, 7).expect_err("none").to_string();
        assert_eq!(said, "index 7 is none of 3 shard(s), which are counted from 0 to 2");
    }

    #[test]
    fn the_ordinal_is_what_a_stateful_set_ends_its_names_with() {
        for (name, expected) in [
            ("asyncos-exporter-0", Some(0)),
            ("asyncos-exporter-12", Some(12)),
            ("asyncos-exporter-2.shards.monitoring.svc.cluster.local", Some(2)),
            ("shard-007", Some(7)),
            // The names of a Deployment's pods end in five letters and digits.
            ("asyncos-exporter-7d9f8b6c5d-x2x84", None),
            ("asyncos-exporter", None),
            ("shard3", None),
            ("shard-", None),
            ("shard-+3", None),
            ("shard-4294967296", None),
            ("-3", None),
            ("3", None),
            ("", None),
            ("esa.example-3", None),
        ] {
            assert_eq!(ordinal(name), expected, "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_name_has_one_owner_and_moves_to_a_new_shard_only(name in ".{1,64}", shards in 1..64_u32) {
            let owners: Vec<u32> =
                (0..shards).filter(|index| Shard::try_new(shards, *index).expect("one").owns(&name)).take(2).collect();
            prop_assert_eq!(&owners, &[owner(&name, shards)]);
            let next = owner(&name, shards + 1);
            prop_assert!(next == owners[0] || next == shards);
        }

        #[test]
        fn no_two_weights_are_equal(name in ".{1,64}") {
            let weights: BTreeSet<u64> = (0..MOST_SHARDS).map(|index| weight(&name, index)).collect();
            prop_assert_eq!(weights.len(), MOST_SHARDS as usize);
        }
    }
}
