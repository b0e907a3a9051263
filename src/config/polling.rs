//! The keys of `polling`: of one appliance, and as defaults for all.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{Alignment, Late, Polling, Product, Settle, field, raw};
use crate::base::window::Grid;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

const DEFAULT_WINDOW: Duration = Duration::from_secs(5 * 60);
/// Published clients wait 30 to 100 seconds for a report.
const DEFAULT_TIMEOUT: Duration = MINUTE;
const DEFAULT_CATCH_UP: Duration = DAY;
/// Beyond a month of windows a report for the range is the better tool.
const LONGEST_CATCH_UP: Duration = Duration::from_secs(31 * 24 * 3600);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The appliance's own limit is not documented; more requests in parallel would no longer be polling.
pub(super) const MOST_CONCURRENT: usize = 8;

/// Four a second, which nothing needs for long, are assumed to be no burden.
const DEFAULT_REQUESTS: NonZeroU32 = NonZeroU32::new(240).expect("not zero");
/// A hundred a second are no limit any more.
pub(super) const MOST_REQUESTS: usize = 6000;

/// Consecutive refused logins after which logins stop: from 1 to 4, as the appliance locks an account after five unless
/// configured otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusalLimit(u32);

impl RefusalLimit {
    pub(super) const MOST: u32 = 4;

    /// A limit of `refusals`; none where that is not from 1 to 4.
    #[must_use]
    pub const fn try_new(refusals: u32) -> Option<Self> {
        if refusals >= 1 && refusals <= Self::MOST { Some(Self(refusals)) } else { None }
    }

    /// The number of refused logins.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for RefusalLimit {
    /// Three, which leaves two attempts for the people who use the account.
    fn default() -> Self {
        Self(3)
    }
}

pub(super) const LATE: &[(&str, Late)] = &[("add", Late::Add), ("ignore", Late::Ignore)];
pub(super) const ALIGNMENTS: &[(&str, Alignment)] =
    &[("auto", Alignment::Auto), ("minute", Alignment::Minute), ("hour", Alignment::Hour)];

/// A value of the key `settle`.
#[derive(Clone, Copy, Debug)]
enum SettleWish {
    Fixed(Duration),
    Auto,
}

/// The keys of one table; none where a key is absent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    grid: Option<Grid>,
    settle: Option<SettleWish>,
    timeout: Option<Duration>,
    concurrency: Option<NonZeroUsize>,
    requests_per_minute: Option<NonZeroU32>,
    max_login_refusals: Option<RefusalLimit>,
    catch_up: Option<Duration>,
    start: Option<Duration>,
    alignment: Option<Alignment>,
    running_hour: Option<bool>,
    late: Option<Late>,
}

impl Wishes {
    pub(super) fn read(value: Option<Value>, path: &Path, problems: &mut Problems) -> Self {
        value.map_or_else(Self::default, |value| Self::of(&raw::Polling::read(value, path, problems), path, problems))
    }

    pub(super) fn of(raw: &raw::Polling, path: &Path, problems: &mut Problems) -> Self {
        let mut span = |key: &str, value: Option<&Value>, least, most| {
            field::duration(value, least..=most, &path.key(key), problems)
        };
        let settle = match raw.settle.as_ref().and_then(Value::as_str) {
            Some("auto") => Some(SettleWish::Auto),
            _ => span("settle", raw.settle.as_ref(), Duration::ZERO, DAY).map(SettleWish::Fixed),
        };
        let timeout = span("timeout", raw.timeout.as_ref(), SECOND, LONGEST_TIMEOUT);
        let catch_up = span("catch_up", raw.catch_up.as_ref(), MINUTE, LONGEST_CATCH_UP);
        let start = span("start", raw.start.as_ref(), Duration::ZERO, LONGEST_CATCH_UP);
        let requests_per_minute = field::number(
            raw.requests_per_minute.as_ref(),
            1..=MOST_REQUESTS,
            &path.key("requests_per_minute"),
            problems,
        );
        let concurrency =
            field::number(raw.concurrency.as_ref(), 1..=MOST_CONCURRENT, &path.key("concurrency"), problems);
        let max_login_refusals = field::number(
            raw.max_login_refusals.as_ref(),
            1..=RefusalLimit::MOST as usize,
            &path.key("max_login_refusals"),
            problems,
        );
        Self {
            grid: grid(raw.window.as_ref(), &path.key("window"), problems),
            settle,
            timeout,
            concurrency: concurrency.and_then(NonZeroUsize::new),
            requests_per_minute: requests_per_minute.and_then(|most| NonZeroU32::new(u32::try_from(most).ok()?)),
            max_login_refusals: max_login_refusals.and_then(|most| RefusalLimit::try_new(u32::try_from(most).ok()?)),
            catch_up,
            start,
            alignment: field::choice(raw.alignment.as_ref(), ALIGNMENTS, &path.key("alignment"), problems),
            running_hour: field::switch(raw.running_hour.as_ref(), &path.key("running_hour"), problems),
            late: field::choice(raw.late.as_ref(), LATE, &path.key("late"), problems),
        }
    }

    /// The polling of an appliance: these values, then `defaults`, then the default of `product`.
    pub(super) fn settled(self, defaults: Self, product: Product, path: &Path, problems: &mut Problems) -> Polling {
        let standard = Grid::try_new(DEFAULT_WINDOW).unwrap_or(Grid::HOURS);
        let alignment = self.alignment.or(defaults.alignment).unwrap_or(Alignment::Auto);
        let grid = self.grid.or(defaults.grid).unwrap_or(standard);
        let usual = product.default_settle();
        let settle = match self.settle.or(defaults.settle) {
            Some(SettleWish::Fixed(delay)) => Settle::Fixed(delay),
            Some(SettleWish::Auto) => Settle::Auto(usual),
            None => Settle::Fixed(usual),
        };
        let polling = Polling {
            grid,
            settle,
            timeout: self.timeout.or(defaults.timeout).unwrap_or(DEFAULT_TIMEOUT),
            concurrency: self.concurrency.or(defaults.concurrency).unwrap_or(NonZeroUsize::MIN),
            requests_per_minute: self.requests_per_minute.or(defaults.requests_per_minute).unwrap_or(DEFAULT_REQUESTS),
            max_login_refusals: self.max_login_refusals.or(defaults.max_login_refusals).unwrap_or_default(),
            catch_up: self.catch_up.or(defaults.catch_up).unwrap_or(DEFAULT_CATCH_UP),
            start: self.start.or(defaults.start),
            alignment,
            running_hour: self.running_hour.or(defaults.running_hour).unwrap_or(true),
            late: self.late.or(defaults.late).unwrap_or(Late::Add),
        };
        if polling.catch_up < aligned(grid, alignment).length() {
            problems.error(&path.key("catch_up"), "must not be shorter than `window`, or no window is ever fetched");
        }
        if polling.start.is_some_and(|start| start > polling.catch_up) {
            problems.error(&path.key("start"), "must not be longer than `catch_up`, or the first windows are lost");
        }
        polling
    }
}

/// The windows of `grid` with `alignment` applied.
pub(super) fn aligned(grid: Grid, alignment: Alignment) -> Grid {
    match alignment {
        Alignment::Hour => grid.in_hours(),
        Alignment::Auto | Alignment::Minute => grid,
    }
}

/// The windows of a key `window`.
pub(super) fn grid(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<Grid> {
    let length = field::duration(value, Duration::ZERO..=LONGEST_CATCH_UP, path, problems)?;
    match Grid::try_new(length) {
        Ok(grid) => Some(grid),
        Err(reason) => {
            let found = value.and_then(Value::as_str).unwrap_or_default();
            problems.error(path, format!("{reason}, found `{found}`"));
            None
        }
    }
}
