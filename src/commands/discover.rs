//! `discover`: asks one appliance, carefully, what it offers, and writes the configuration that expresses it. The
//! configuration goes to standard output or into a file, each finding to standard error.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::app::logging;
use crate::base::clock::Clock;
use crate::cli::Discover;
use crate::config::Config;

use super::{RUNTIME, USAGE, eprint_line, print_line};
use account::Account;
use config_text::config_text;
use entry::Entry;
use findings::Findings;

mod account;
mod config_text;
mod entry;
mod findings;
mod survey;
mod yaml;

pub(super) async fn discover(flags: Discover) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let entry = Entry::new(&flags);
    // What the flags say is judged before anybody is asked.
    if let Err(problems) = entry.appliance(crate::config::Product::Esa) {
        eprint_line(problems);
        return USAGE;
    }
    match found(&entry, flags.write.as_deref(), &clock).await {
        Ok(()) => 0,
        Err(why) => {
            eprint_line(why);
            RUNTIME
        }
    }
}

async fn found(entry: &Entry, file: Option<&Path>, clock: &Clock) -> Result<(), String> {
    if let Some(file) = file.filter(|file| file.exists()) {
        return Err(exists(file));
    }
    let url = entry.url();
    let account = account::open(|product| entry.appliance(product), clock).await;
    let Account { client, appliance, observed } = account.map_err(|why| format!("cannot log in at {url}: {why}"))?;
    let findings = survey::survey(client, appliance, observed).await;
    let findings =
        findings.map_err(|failure| format!("cannot continue with {url}: {}", account::explained(&failure)))?;
    let text = accepted(entry, &findings)?;
    match file {
        None => {
            print_line(text.trim_end());
            Ok(())
        }
        Some(file) => write(file, &text),
    }
}

/// The text, once it is known to be a configuration.
fn accepted(entry: &Entry, findings: &Findings) -> Result<String, String> {
    if !findings.groups.iter().any(|asked| asked.access.is_wanted()) {
        return Err("the account cannot read any report: assign it the role Read-Only Operator".into());
    }
    let text = config_text(entry, findings);
    match Config::parse("discover", &text) {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(format!("the generated configuration is invalid; this is a bug in asyncos_exporter\n{error}\n{text}"))
        }
    }
}

/// Writes a file that was not there.
fn write(file: &Path, text: &str) -> Result<(), String> {
    let name = file.display();
    let mut opened =
        OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(file),
            _ => format!("cannot write `{name}`: {error}"),
        })?;
    opened.write_all(text.as_bytes()).map_err(|error| format!("cannot write `{name}`: {error}"))?;
    eprint_line(format!("written to {name}; next: asyncos_exporter check --config.file={name}"));
    Ok(())
}

fn exists(file: &Path) -> String {
    format!("`{}` already exists and is not overwritten: move it or choose another file", file.display())
}
