//! The counter group of a report: one of the catalogue, scalar or keyed, or one made up by a test; found by name, and
//! counted.

use crate::sim::behaviour::Behaviour;
use crate::sim::custom::CustomGroup;
use crate::sim::keyed::tally::{TallyInput, tally};
use crate::sim::keyed::web::{self, WebLimits};
use crate::sim::keyed::{self, KeyedGroup};
use crate::sim::scalar::{Contents, GROUPS, ScalarGroup};
use crate::sim::settings::TrafficKind;
use crate::sim::span::Span;
use crate::sim::table::Table;

/// A group, wherever it is defined.
#[derive(Clone, Copy)]
pub(super) enum Group<'a> {
    Scalar(&'static ScalarGroup),
    Keyed(&'static KeyedGroup),
    Custom(&'a CustomGroup),
}

/// The group of this name; those of a test win.
pub(super) fn find<'a>(behaviour: &'a Behaviour, name: &str) -> Option<Group<'a>> {
    let custom = behaviour.custom_groups.iter().find(|group| group.name == name).map(Group::Custom);
    let scalar = || GROUPS.iter().chain(web::SCALAR).find(|group| group.name == name).map(Group::Scalar);
    custom.or_else(scalar).or_else(|| keyed::find(name).map(Group::Keyed))
}

impl<'a> Group<'a> {
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Scalar(group) => group.name,
            Self::Keyed(group) => group.name,
            Self::Custom(group) => &group.name,
        }
    }

    /// Attributes that a web group does not take; `None` for a mail group.
    pub(super) fn web_limits(self) -> Option<WebLimits> {
        match self {
            Self::Scalar(_) | Self::Keyed(_) => web::limits(self.name()),
            Self::Custom(_) => None,
        }
    }

    /// The traffic that it counts.
    pub(super) fn traffic_kind(self) -> TrafficKind {
        if self.web_limits().is_some() { TrafficKind::Web } else { TrafficKind::Mail }
    }

    /// The names of its counters in the catalogue, in its order.
    pub(super) fn counters(self) -> Vec<&'a str> {
        match self {
            Self::Scalar(ScalarGroup { contents: Contents::Numbers(counters), .. }) => {
                counters.iter().map(|counter| counter.name).collect()
            }
            Self::Scalar(ScalarGroup { contents: Contents::ReportingSystem(names), .. }) => names.to_vec(),
            Self::Keyed(group) => group.columns.iter().map(|column| column.name).collect(),
            Self::Custom(group) => group.counters.iter().map(String::as_str).collect(),
        }
    }

    /// The counter with this name in this release.
    pub(super) fn counter(self, behaviour: &Behaviour, name: &str) -> Option<&'a str> {
        let named = |counter: &&str| behaviour.name_of(self.name(), counter).as_deref() == Some(name);
        self.counters().into_iter().find(named)
    }

    /// The rows of a keyed group; `None` when it is scalar.
    pub(super) fn table(self, behaviour: &Behaviour, devices: &[&str], span: Span) -> Option<Table> {
        let zeros = behaviour.zero_keys;
        match self {
            Self::Scalar(_) => None,
            Self::Keyed(group) => {
                let extra = behaviour.extra_keys(|number| group.pool.extra_key(number));
                Some(tally(group, &TallyInput { devices, span, extra: &extra, zeros }))
            }
            Self::Custom(group) => {
                let extra = behaviour.extra_keys(|number| format!("extra {number:05}"));
                group.is_keyed().then(|| group.tally(devices, &span, &extra, zeros))
            }
        }
    }
}
