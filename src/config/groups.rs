//! `counter_groups`: a profile by name, or a list of groups.

use std::sync::Arc;

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{GroupChoice, Polling, Product, field, polling, raw};
use crate::base::spelling::{self, NearestNames};
use crate::base::window::Grid;
use crate::catalogue::{self, DeviceType, Group, Keys, Profile};

pub(super) const PROFILES: &[(&str, Profile)] =
    &[("minimal", Profile::Minimal), ("default", Profile::Default), ("full", Profile::Full)];
/// Published clients request as many; an appliance's own limit is not known.
pub(super) const MOST_ROWS: usize = 1000;
const DEFAULT_SERIES: usize = 1000;
/// More series would make the page of metrics unusable.
pub(super) const MOST_SERIES: usize = 100_000;

/// Groups as the file names them, before an appliance gives them windows.
#[derive(Clone, Debug)]
pub(super) struct Selection(Vec<Selected>);

#[derive(Clone, Debug)]
struct Selected {
    group: Arc<Group>,
    top: Option<usize>,
    grid: Option<Grid>,
    series_limit: usize,
    path: Path,
}

impl Selection {
    /// The groups of a profile, and those of `custom` that are in it.
    pub(super) fn profile(profile: Profile, custom: &[Group], path: &Path) -> Self {
        let custom = custom.iter().filter(|group| group.profile.is_some_and(|least| least <= profile));
        let select = |group: Group| Selected {
            group: Arc::new(group),
            top: None,
            grid: None,
            series_limit: DEFAULT_SERIES,
            path: path.clone(),
        };
        Self(catalogue::profile(profile).cloned().chain(custom.cloned()).map(select).collect())
    }

    /// The groups of a key `counter_groups`; none where it is absent.
    pub(super) fn read(value: Option<Value>, custom: &[Group], path: &Path, problems: &mut Problems) -> Option<Self> {
        match value? {
            Value::Sequence(list) => Some(Self::listed(list, custom, path, problems)),
            other => {
                let named = other.as_str().and_then(|word| PROFILES.iter().find(|(known, _)| *known == word));
                if named.is_none() {
                    problems.error(path, not_a_profile(&other, custom));
                }
                Some(Self::profile(named.map_or(Profile::Minimal, |(_, profile)| *profile), custom, path))
            }
        }
    }

    fn listed(list: Vec<Value>, custom: &[Group], path: &Path, problems: &mut Problems) -> Self {
        if list.is_empty() {
            problems.error(path, "is empty; remove the key to use the profile `default`");
        }
        let mut found: Vec<Selected> = Vec::new();
        let mut of_profiles = Vec::new();
        for (position, element) in list.into_iter().enumerate() {
            let path = path.index(position);
            let profile = element.as_str().and_then(|word| PROFILES.iter().find(|(known, _)| *known == word));
            if let Some((_, profile)) = profile {
                of_profiles.extend(Self::profile(*profile, custom, &path).0);
                continue;
            }
            let Some(selected) = Self::element(element, custom, &path, problems) else { continue };
            if found.iter().any(|earlier| earlier.group.name == selected.group.name) {
                problems.error(&path, format!("`{}` is listed twice", selected.group.name));
            } else {
                found.push(selected);
            }
        }
        // A group with an entry of its own may have settings that the profile does not.
        for selected in of_profiles {
            if found.iter().all(|earlier| earlier.group.name != selected.group.name) {
                found.push(selected);
            }
        }
        Self(found)
    }

    fn element(element: Value, custom: &[Group], path: &Path, problems: &mut Problems) -> Option<Selected> {
        let raw = match element {
            Value::Mapping(_) => raw::Choice::read(element, path, problems),
            name => raw::Choice { name: Some(name), ..raw::Choice::default() },
        };
        if raw.name.is_none() {
            problems.error(path, "`name` is missing");
        }
        let grid = polling::grid(raw.window.as_ref(), &path.key("window"), problems);
        let top = field::number(raw.top.as_ref(), 1..=MOST_ROWS, &path.key("top"), problems);
        let series_limit =
            field::number(raw.series_limit.as_ref(), 1..=MOST_SERIES, &path.key("series_limit"), problems);
        let name = field::text(raw.name.as_ref(), path, problems)?;
        let known = custom.iter().find(|group| group.name == name).or_else(|| catalogue::group(&name));
        let Some(group) = known else {
            let nearest = nearest(&name);
            problems.error(
                path,
                format!(
                    "`{name}` is not a known counter group{nearest}; describe it in `custom_counter_groups` if it is \
                    new"
                ),
            );
            return None;
        };
        match &group.key {
            None if raw.top.is_some() && group.about == DeviceType::Mail => {
                problems.error(&path.key("top"), format!("`{name}` has only one row: remove `top`"));
            }
            Some(key) if key.keys != Keys::Bounded && raw.top.is_none() => problems.warn(
                path,
                format!("`{name}` has a row per {} in the world: set `top` to request only the highest", key.label),
            ),
            Some(_) | None => {}
        }
        Some(Selected {
            group: Arc::new(group.clone()),
            top,
            grid,
            series_limit: series_limit.unwrap_or(DEFAULT_SERIES),
            path: path.clone(),
        })
    }

    /// These groups with windows of their own or those of `polling`.
    pub(super) fn choices(&self, product: Product, polling: &Polling, problems: &mut Problems) -> Vec<GroupChoice> {
        let mut choices = Vec::with_capacity(self.0.len());
        for Selected { group, top, grid, series_limit, path } in &self.0 {
            let grid = grid.unwrap_or(polling.grid);
            if polling::aligned(grid, polling.alignment).length() > polling.catch_up.max(polling.grid.length()) {
                problems.error(path, "the window must not be longer than `catch_up`, or no window is ever fetched");
            }
            if group.about == DeviceType::Web && product == Product::Esa {
                problems.error(path, format!("`{}` is a web report, which only an SMA has", group.name));
            }
            choices.push(GroupChoice { group: Arc::clone(group), top: *top, grid, series_limit: *series_limit });
        }
        choices
    }
}

/// The complaint about a value that is neither a list nor the name of a profile.
fn not_a_profile(value: &Value, custom: &[Group]) -> String {
    let known = PROFILES.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let expected = format!("expected a list of counter groups or one of {known}, found {}", field::quoted(value));
    let Some(name) = value.as_str() else { return expected };
    let is_group = custom.iter().any(|group| group.name == name) || catalogue::group(name).is_some();
    if is_group {
        return format!("{expected}, which is a counter group: write `[{name}]`");
    }
    let mut search = NearestNames::new(name, 2, 1);
    PROFILES.iter().for_each(|(word, _)| search.consider(word));
    expected + &spelling::question(&search.found())
}

/// The known name nearest to `name`, as a question; nothing where none is near.
fn nearest(name: &str) -> String {
    // Generous, so that a name with a word left out is found.
    let most_slips = name.chars().count() / 2;
    let mut search = NearestNames::new(name, most_slips, 1);
    catalogue::groups().for_each(|group| search.consider(&group.name));
    spelling::question(&search.found())
}
