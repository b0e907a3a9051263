//! The answers of one appliance in the order of their requests, one line each, so that no request is repeated after an
//! interruption. A line that was not written whole ends the journal; what follows is written over it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::api::Report;
use crate::base::hash;

/// Lines between two waits for the disk: what a power cut may take away is requested again.
const LINES_PER_SYNC: u32 = 64;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JournalEntry {
    /// The position of the report in the plan.
    pub(super) report: usize,
    /// The start of the window, in seconds since 1970.
    pub(super) start: u64,
    pub(super) answer: JournalAnswer,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum JournalAnswer {
    Report(Report),
    /// The report of this window is not available, for this reason.
    Missing(String),
    /// The report is not available at all, for this reason.
    Refused(String),
}

/// An open journal. First its lines are read, then others are added.
#[derive(Debug)]
pub(super) struct Journal {
    reader: BufReader<File>,
    /// The bytes of the lines that were read or added.
    length: u64,
    is_read: bool,
    unsynced: u32,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    #[error("another backfill is running in this directory")]
    InUse,
    #[error("it belongs to another plan: use another --output")]
    AnotherPlan,
    #[error("it does not continue as planned: delete the directory and begin again")]
    AnotherOrder,
    #[error("it is not complete")]
    Incomplete,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Journal {
    /// Opens the journal at `path` for the plan with this `digest`, or creates it. Only one process can have it open.
    ///
    /// # Errors
    /// When it is open already, or is that of another plan.
    pub(super) fn open(path: &Path, digest: u64) -> Result<Self, JournalError> {
        // Reports may name persons.
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse,
            TryLockError::Error(error) => JournalError::Io(error),
        })?;
        let mut journal = Self { reader: BufReader::new(file), length: 0, is_read: false, unsynced: 0 };
        match journal.read_line()? {
            Some(found) if found == format!("{digest:016x}") => Ok(journal),
            Some(_) => Err(JournalError::AnotherPlan),
            None => {
                journal.write_line(&format!("{digest:016x}"))?;
                Ok(journal)
            }
        }
    }

    /// The next entry that was recorded; none once there are no more.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn recorded(&mut self) -> Result<Option<JournalEntry>, JournalError> {
        let Some(line) = self.read_line()? else { return Ok(None) };
        // A line whose hash is right was written by a version that reads it.
        serde_json::from_str(&line).map(Some).map_err(|_| JournalError::AnotherPlan)
    }

    /// As [`Journal::recorded`], of the request that the plan has next.
    ///
    /// # Errors
    /// Also when another request was recorded.
    pub(super) fn recorded_for(&mut self, report: usize, start: u64) -> Result<Option<JournalAnswer>, JournalError> {
        match self.recorded()? {
            Some(entry) if entry.report == report && entry.start == start => Ok(Some(entry.answer)),
            Some(_) => Err(JournalError::AnotherOrder),
            None => Ok(None),
        }
    }

    /// Records an entry, after all others were read.
    ///
    /// # Errors
    /// Those of the disk; the entry is then not recorded.
    pub(super) fn record(&mut self, entry: &JournalEntry) -> Result<(), JournalError> {
        self.write_line(&serde_json::to_string(entry).map_err(io::Error::from)?)
    }

    /// The text of the next line; none after the last whole one.
    fn read_line(&mut self) -> Result<Option<String>, JournalError> {
        if self.is_read {
            return Ok(None);
        }
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line)?;
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        let text = text.and_then(|line| line.split_once(' '));
        let text = text.filter(|(digest, text)| *digest == format!("{:016x}", hash::stable(text.as_bytes())));
        if let Some((_, text)) = text {
            self.length += line.len() as u64;
            return Ok(Some(text.to_owned()));
        }
        self.is_read = true;
        Ok(None)
    }

    fn write_line(&mut self, text: &str) -> Result<(), JournalError> {
        let line = format!("{:016x} {text}\n", hash::stable(text.as_bytes()));
        let file = self.reader.get_mut();
        // Also after a line that could be written in part only.
        file.set_len(self.length)?;
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(line.as_bytes())?;
        self.length += line.len() as u64;
        self.unsynced += 1;
        if self.unsynced >= LINES_PER_SYNC {
            file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: u64 = 7;

    fn entry(report: usize) -> JournalEntry {
        let body = r#"{"data": {"resultSet": {"a": [{"x": 5}, {"y\n": "7 KB"}], "b": [{"x": 0.1}]}}}"#;
        let answer = match report {
            0 => JournalAnswer::Missing("status 404: no data".into()),
            _ => JournalAnswer::Report(Report::parse(body).expect("a report")),
        };
        JournalEntry { report, start: 3600 * report as u64, answer }
    }

    fn recorded(path: &Path) -> Vec<JournalEntry> {
        let mut journal = Journal::open(path, DIGEST).expect("a journal");
        std::iter::from_fn(|| journal.recorded().expect("readable")).collect()
    }

    #[test]
    fn wherever_it_was_cut_off_whole_entries_stay_and_others_follow() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, DIGEST).expect("a journal");
        assert_eq!(journal.recorded().expect("readable"), None);
        for report in 0..3 {
            journal.record(&entry(report)).expect("written");
        }
        drop(journal);
        let whole = std::fs::read(&path).expect("a file");
        assert_eq!(recorded(&path), [entry(0), entry(1), entry(2)]);
        let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
        for cut in 0..whole.len() {
            std::fs::write(&path, &whole[..cut]).expect("written");
            let kept = ends[1..].iter().filter(|end| **end < cut).count();
            let mut journal = Journal::open(&path, DIGEST).expect("a journal");
            for report in 0..kept {
                assert_eq!(journal.recorded().expect("readable"), Some(entry(report)), "cut at {cut}");
            }
            assert_eq!(journal.recorded().expect("readable"), None, "cut at {cut}");
            for report in kept..3 {
                journal.record(&entry(report)).expect("written");
            }
            drop(journal);
            assert_eq!(std::fs::read(&path).expect("a file"), whole, "cut at {cut}");
        }
    }

    #[test]
    fn it_serves_one_process_and_one_plan() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal");
        let mut journal = Journal::open(&path, DIGEST).expect("a journal");
        assert!(matches!(Journal::open(&path, DIGEST), Err(JournalError::InUse)));
        assert_eq!(journal.recorded().expect("readable"), None);
        journal.record(&entry(1)).expect("written");
        drop(journal);
        assert!(matches!(Journal::open(&path, 8), Err(JournalError::AnotherPlan)));
        let mut journal = Journal::open(&path, DIGEST).expect("a journal");
        assert!(matches!(journal.recorded_for(1, 0), Err(JournalError::AnotherOrder)));
    }
}
