//! Lines about the progress of a check, on standard error. On a terminal the last line shows what is being checked.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use super::report::Step;

/// Returns to the start of the line and clears it.
const CLEAR: &str = "\r\u{1b}[K";
/// Names that the last line shows; more would wrap, and a wrapped line cannot be cleared.
const MOST_NAMES: usize = 3;
/// Characters of the last line, for the same reason.
const MOST_CHARACTERS: usize = 78;

#[derive(Debug)]
pub(super) struct Progress {
    all: usize,
    is_terminal: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ended: usize,
    running: Vec<String>,
}

impl Progress {
    /// The progress of a check of so many appliances.
    pub(super) fn new(all: usize) -> Self {
        Self { all, is_terminal: std::io::stderr().is_terminal(), state: Mutex::default() }
    }

    /// An appliance is being checked from now on.
    pub(super) fn began(&self, appliance: &str) {
        self.update(None, |state| state.running.push(appliance.to_owned()));
    }

    /// Prints a step of an appliance.
    pub(super) fn step(&self, appliance: &str, step: &Step) {
        self.update(Some(&format!("{appliance}: {step}")), |_| {});
    }

    /// An appliance has been checked.
    pub(super) fn ended(&self, appliance: &str) {
        self.update(None, |state| {
            state.ended += 1;
            state.running.retain(|name| name != appliance);
        });
    }

    /// Locked as a whole, so that lines of several appliances do not mix.
    fn update(&self, line: Option<&str>, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let text = text(line, self.is_terminal.then(|| state.line(self.all)).as_deref());
        // Nobody may be reading.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

impl State {
    /// The last line; empty once all have ended.
    fn line(&self, all: usize) -> String {
        if self.running.is_empty() {
            return String::new();
        }
        let names = self.running.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if self.running.len() > MOST_NAMES { ", …" } else { "" };
        format!("{} of {all} checked; checking {names}{more}", self.ended).chars().take(MOST_CHARACTERS).collect()
    }
}

/// The bytes for a finished `line`, and for the `last` line of a terminal.
fn text(line: Option<&str>, last: Option<&str>) -> String {
    // Words of an appliance must not move the cursor.
    let line = line.map(|line| line.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect());
    let line = line.map_or_else(String::new, |line: String| format!("{line}\n"));
    match last {
        Some(last) => format!("{CLEAR}{line}{last}"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_has_a_last_line_and_a_file_has_none() {
        assert_eq!(text(Some("esa1: login: accepted\u{7}"), None), "esa1: login: accepted \n");
        assert_eq!(text(None, None), "");
        let last = "1 of 2 checked; checking esa2";
        assert_eq!(text(Some("a"), Some(last)), format!("\r\u{1b}[Ka\n{last}"));
        let mut state = State { ended: 1, running: vec!["esa2".into()] };
        assert_eq!(state.line(2), last);
        state.running = vec!["a".repeat(40), "b".repeat(40), "c".into(), "d".into()];
        assert_eq!(state.line(9).chars().count(), MOST_CHARACTERS);
        state.running.clear();
        assert_eq!(state.line(2), "");
    }
}
