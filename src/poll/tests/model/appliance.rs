//! The appliance of the model: what happened in every minute of its clock, and what its reports say of it at present.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::{Reply, Report};
use crate::base::clock::{Tick, Timestamp};
use crate::base::window::Window;

/// How long a part of its events may be under way.
const MOST_HELD: u64 = 36 * 60;

#[derive(Debug)]
pub(super) struct Appliance {
    pub(super) now: Timestamp,
    /// True time.
    pub(super) tick: Tick,
    /// Minutes some of whose events have not arrived yet.
    held: BTreeSet<u64>,
    /// Minutes some of whose events are in no report any more.
    gone: BTreeSet<u64>,
}

impl Appliance {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, tick: Tick::default(), held: BTreeSet::new(), gone: BTreeSet::new() }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.tick = self.tick + Duration::from_secs(seconds);
    }

    pub(super) fn set(&mut self, seconds: i64) {
        self.now = Timestamp::from_secs(self.now.as_secs().saturating_add_signed(seconds));
    }

    /// From now on and for so many minutes a part of the events is under way until they arrive.
    pub(super) fn hold(&mut self, minutes: u64) {
        let first = self.now.as_secs() / 60;
        self.held.extend(first..first + minutes.min(MOST_HELD));
    }

    /// Everything arrives that was under way.
    pub(super) fn arrive(&mut self) {
        self.held.clear();
    }

    /// The hour that ended so many minutes ago loses events from its report.
    pub(super) fn lose(&mut self, minutes: u64) {
        let end = self.now.as_secs() / 60 - minutes;
        self.gone.extend(end - 60..end);
    }

    /// Whether the report of `window` is all that happened.
    pub(super) fn is_whole(&self, window: Window) -> bool {
        minutes(window).all(|minute| !self.held.contains(&minute) && !self.gone.contains(&minute))
    }

    /// What the reports say of one minute at present.
    pub(super) fn said(&self, minute: u64) -> u64 {
        let held = if self.held.contains(&minute) { 1 + minute % 5 } else { 0 };
        let gone = if self.gone.contains(&minute) { 2 } else { 0 };
        happened(minute) - held - gone
    }

    /// The minutes of `window` that are over.
    pub(super) fn minutes_of(&self, window: Window) -> std::ops::Range<u64> {
        let minutes = minutes(window);
        minutes.start..minutes.end.min(self.now.as_secs() / 60)
    }

    pub(super) fn reply(&self, window: Window) -> Reply {
        let count: u64 = self.minutes_of(window).map(|minute| self.said(minute)).sum();
        let body = serde_json::json!({"data": {"resultSet": {"bytes_in": count}}}).to_string();
        Reply { report: Report::parse(&body).expect("a report"), at: self.now, sent: "/asked".into() }
    }
}

/// What happened in one minute: another number than in its neighbours, so that none passes for another.
pub(super) fn happened(minute: u64) -> u64 {
    10 + minute % 7
}

/// The minutes of `window`, counted since 1970.
pub(super) fn minutes(window: Window) -> std::ops::Range<u64> {
    window.start().as_secs() / 60..window.end().as_secs() / 60
}
