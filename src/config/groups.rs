//! `counter_groups`: a profile by name, or a list of groups.

use serde_yaml::Value;

use super::problem::{Path, Problems};
use super::{GroupChoice, Polling, field, polling, raw};
use crate::catalogue::{self, Group, Profile};
use crate::window::Grid;

const PROFILES: &[(&str, Profile)] =
    &[("minimal", Profile::Minimal), ("default", Profile::Default), ("full", Profile::Full)];

/// Groups as the file names them, before an appliance gives them windows.
#[derive(Clone, Debug)]
pub(super) struct Selection(Vec<Selected>);

#[derive(Clone, Debug)]
struct Selected {
    group: &'static Group,
    grid: Option<Grid>,
    path: Path,
}

impl Selection {
    /// The groups of a profile.
    pub(super) fn profile(profile: Profile, path: &Path) -> Self {
        let select = |group| Selected { group, grid: None, path: path.clone() };
        Self(catalogue::profile(profile).map(select).collect())
    }

    /// What a key `counter_groups` asks for; none where it is absent.
    pub(super) fn read(value: Option<Value>, path: &Path, problems: &mut Problems) -> Option<Self> {
        match value? {
            Value::Sequence(list) => Some(Self::listed(list, path, problems)),
            other => {
                let profile = field::choice(Some(&other), PROFILES, path, problems);
                Some(Self::profile(profile.unwrap_or(Profile::Minimal), path))
            }
        }
    }

    fn listed(list: Vec<Value>, path: &Path, problems: &mut Problems) -> Self {
        if list.is_empty() {
            problems.error(path, "names no counter group; leave the key out for the profile `default`");
        }
        let mut found: Vec<Selected> = Vec::new();
        for (position, element) in list.into_iter().enumerate() {
            let path = path.index(position);
            let Some(selected) = Self::element(element, &path, problems) else { continue };
            if found.iter().any(|earlier| earlier.group.name == selected.group.name) {
                problems.error(&path, format!("`{}` is named twice", selected.group.name));
            } else {
                found.push(selected);
            }
        }
        Self(found)
    }

    fn element(element: Value, path: &Path, problems: &mut Problems) -> Option<Selected> {
        let raw = match element {
            Value::Mapping(_) => raw::Choice::read(element, path, problems),
            name => raw::Choice { name: Some(name), ..raw::Choice::default() },
        };
        if raw.name.is_none() {
            problems.error(path, "`name` is missing");
        }
        let grid = polling::grid(raw.window.as_ref(), &path.key("window"), problems);
        let name = field::text(raw.name.as_ref(), path, problems)?;
        if catalogue::is_keyed(&name) {
            let most = 1000; // "top 1000 used in the wild"; an appliance's own limit is not published
            field::number(raw.top.as_ref(), 1..=most, &path.key("top"), problems);
            problems.warn(path, format!("`{name}` has a row per key; this version does not collect such groups yet"));
            return None;
        }
        let Some(group) = catalogue::group(&name) else {
            problems.error(path, format!("`{name}` is no known counter group{}", nearest(&name)));
            return None;
        };
        if raw.top.is_some() {
            problems.error(&path.key("top"), format!("`{name}` has one row only: leave `top` out"));
        }
        Some(Selected { group, grid, path: path.clone() })
    }

    /// These groups with windows of their own or those of `polling`.
    pub(super) fn choices(&self, polling: &Polling, problems: &mut Problems) -> Vec<GroupChoice> {
        let mut choices = Vec::with_capacity(self.0.len());
        for Selected { group, grid, path } in &self.0 {
            let grid = polling::aligned(grid.unwrap_or(polling.grid), polling.alignment);
            if grid.length() > polling.catch_up.max(polling.grid.length()) {
                problems.error(path, "the window must not be longer than `catch_up`, or none is ever fetched");
            }
            choices.push(GroupChoice { group, grid });
        }
        choices
    }
}

/// A known name that shares the longest beginning with `name`, as a question; nothing where none is near.
fn nearest(name: &str) -> String {
    const NEAR: usize = 8;
    let shared = |known: &str| known.bytes().zip(name.bytes()).take_while(|(one, other)| one == other).count();
    let best = catalogue::groups().iter().max_by_key(|group| shared(group.name));
    best.filter(|group| shared(group.name) >= NEAR)
        .map(|group| format!("; did you mean `{}`?", group.name))
        .unwrap_or_default()
}
