//! When counters began, which OpenMetrics alone can say: a line of `_created` after the line of each counter. Off unless
//! configured, and then nothing is kept for it. Knows nothing of what begins when.
//! **Source:** the OpenMetrics specification 1.0, section 5.1.

use std::sync::Arc;

use super::line::{self, ExtraLabels};
use super::scrape::Format;
use crate::base::clock::{Tick, Timestamp};
use crate::sample::Kind;
use crate::snapshot::CreationTimes;

/// The `_created` lines that a page in OpenMetrics has after the lines of one cell.
pub(super) type Created = Option<Arc<Vec<Option<Timestamp>>>>;

/// When a counter began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since<'a> {
    /// With the process.
    TheStart,
    /// While the process ran.
    Tick(Tick),
    /// As these say.
    Sum(&'a CreationTimes),
    /// Nobody knows.
    Unknown,
}

impl Since<'_> {
    /// The same by the wall clock for a line with labels of its `own`, in a process that `started` then.
    pub(super) fn time(self, own: ExtraLabels<'_>, started: Timestamp) -> Option<Timestamp> {
        match self {
            Self::TheStart => Some(started),
            Self::Tick(tick) => Some(started + tick.since(Tick::default())),
            Self::Sum(times) => match own {
                ExtraLabels::Labels(labels) => times.of(labels),
                ExtraLabels::Pair(..) | ExtraLabels::Registered(..) => None,
            },
            Self::Unknown => None,
        }
    }
}

/// Appends `lines` of the family `name` as `format` has them.
pub(super) fn write(name: &str, lines: &[u8], created: &Created, format: Format, out: &mut Vec<u8>) {
    let (Some(created), Format::OpenMetrics) = (created, format) else { return out.extend_from_slice(lines) };
    let mut created = created.iter();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(line);
        if let Some(Some(time)) = created.next() {
            after(name, line, *time, out);
        }
    }
}

/// Appends the line of `_created` that belongs to `line` of the counter `name`.
pub(super) fn after(name: &str, line: &[u8], time: Timestamp, out: &mut Vec<u8>) {
    let Some(base) = name.strip_suffix("_total") else { return };
    out.extend_from_slice(base.as_bytes());
    out.extend_from_slice(b"_created");
    out.extend_from_slice(&line::series(line)[name.len()..]);
    out.push(b' ');
    line::value(time.as_secs_f64(), out);
    out.push(b'\n');
}

/// Whether a family of this kind can have such lines.
pub(super) const fn is_dated(kind: Kind) -> bool {
    matches!(kind, Kind::Counter)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_counter_whose_beginning_is_known_is_followed_by_it() {
        let started = Timestamp::from_secs(1000) + Duration::from_millis(250);
        let since = [Since::TheStart, Since::Tick(Tick::default() + Duration::from_secs(60)), Since::Unknown];
        let created = Some(Arc::new(since.map(|since| since.time(ExtraLabels::NONE, started)).to_vec()));
        let lines = b"a_total{b=\"x y\"} 1\na_total 2\na_total{c=\"\"} 3\n";
        let text = |format| {
            let mut out = Vec::new();
            write("a_total", lines, &created, format, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(Format::Text).as_bytes(), lines);
        assert_eq!(
            text(Format::OpenMetrics),
            "a_total{b=\"x y\"} 1\na_created{b=\"x y\"} 1000.25\na_total 2\na_created 1060.25\na_total{c=\"\"} 3\n"
        );
    }
}
