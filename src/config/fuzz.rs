//! Invariants of both configuration files, for any text: built for tests and fuzzing only.

use super::files::Files;
use super::{Config, ConfigError, web};

/// The fleet's configuration.
pub(crate) fn config(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    match Config::parse("fuzz.yaml", text) {
        Ok(config) => {
            assert!(config.share.configured > 0, "an empty fleet");
            assert!(config.warnings.iter().all(|warning| is_line(&warning.to_string())));
        }
        Err(error) => check(&error),
    }
}

/// The web side's configuration.
pub(crate) fn web_config(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    match web::parse("fuzz.yaml", text, &mut Files::of_text()) {
        Ok(web) => {
            let is_value = |value: &str| value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            assert!(web.headers.iter().all(|(_, value)| is_value(value)), "{:?}", web.headers);
        }
        Err(error) => check(&error),
    }
}

fn check(error: &ConfigError) {
    assert!(!error.problems().is_empty(), "wrong for no reason");
    for problem in error.problems() {
        assert!(is_line(&problem.to_string()), "several lines: {:?}", problem.to_string());
    }
}

/// A message may quote what stands in the file, on one line.
fn is_line(message: &str) -> bool {
    !message.chars().any(char::is_control)
}
