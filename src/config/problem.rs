//! Problems of a configuration, each with its place.

use std::fmt::{self, Write as _};

use super::location;
use super::path::Path;

/// One thing that is wrong, or worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place, such as `config.yaml:12: appliances[0].url`; without line or path where YAML has none.
    place: String,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and values of the file are quoted, and a problem is one line whatever stands in them.
        for letter in self.place.chars().chain(": ".chars()).chain(self.message.chars()) {
            if letter.is_control() {
                write!(out, "{}", letter.escape_default())?;
            } else {
                out.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// Every problem of one configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn unreadable(file: &str, reason: &str) -> Self {
        Self { problems: vec![Problem { place: file.into(), message: format!("cannot read the file: {reason}") }] }
    }

    pub(super) fn not_yaml(file: &str, line: Option<usize>, error: &str) -> Self {
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        Self { problems: vec![Problem { place: format!("{file}{line}"), message: format!("not valid YAML: {error}") }] }
    }

    /// The problems in the order of the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    /// One problem a line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            let line_break = if position == 0 { "" } else { "\n" };
            write!(out, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub(super) struct Problems {
    errors: Vec<(Path, String)>,
    warnings: Vec<(Path, String)>,
}

impl Problems {
    pub(super) fn error(&mut self, path: &Path, message: impl Into<String>) {
        self.errors.push((path.clone(), message.into()));
    }

    pub(super) fn warn(&mut self, path: &Path, message: impl Into<String>) {
        self.warnings.push((path.clone(), message.into()));
    }

    /// The warnings, when nothing is wrong.
    ///
    /// # Errors
    /// All that is wrong, in the order of the file.
    pub(super) fn finish(self, file: &str, text: &str) -> Result<Vec<Problem>, ConfigError> {
        if self.errors.is_empty() {
            return Ok(located(self.warnings, file, text));
        }
        Err(ConfigError { problems: located(self.errors, file, text) })
    }
}

fn located(found: Vec<(Path, String)>, file: &str, text: &str) -> Vec<Problem> {
    if found.is_empty() {
        return vec![];
    }
    let lines = location::lines_of(text, found.iter().map(|(path, _)| path));
    let mut located: Vec<_> = lines.into_iter().zip(found).collect();
    located.sort_by_key(|(line, _)| *line);
    located
        .into_iter()
        .map(|(line, (path, message))| {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            let path = if path.steps().is_empty() { String::new() } else { format!(": {path}") };
            Problem { place: format!("{file}{line}{path}"), message }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_many_problems_in_a_long_file_has_its_line() {
        const PROBLEMS: usize = 10_000;
        let element = |number: usize| format!("- {{name: esa{number}}} # {}\n", "x".repeat(500));
        let text = format!("appliances:\n{}", (0..PROBLEMS).map(element).collect::<String>());
        let mut problems = Problems::default();
        for number in (0..PROBLEMS).rev() {
            problems.error(&Path::default().key("appliances").index(number), format!("problem {number}"));
        }
        let error = problems.finish("c", &text).expect_err("problems");
        assert_eq!(error.problems().len(), PROBLEMS);
        for (number, problem) in error.problems().iter().enumerate() {
            assert_eq!(problem.to_string(), format!("c:{}: appliances[{number}]: problem {number}", number + 2));
        }
    }
}
