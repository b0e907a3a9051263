//! `check`: every problem of the configuration.

use crate::cli::Check;
use crate::config::Config;

use super::{CONFIGURATION, complain, say};

pub(super) fn check(flags: &Check) -> u8 {
    match Config::load(&flags.config_file) {
        Ok(config) => {
            for warning in &config.warnings {
                complain(format!("warning: {warning}"));
            }
            say(format!("{}: {} appliance(s), no problem", flags.config_file.display(), config.appliances.len()));
            0
        }
        Err(error) => {
            complain(error);
            CONFIGURATION
        }
    }
}
