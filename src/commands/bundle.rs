//! `dashboards` and `rules`: what comes with the exporter for Grafana and Prometheus, for networks that reach nothing else.

use std::fs;
use std::path::Path;

use crate::cli::{Dashboards, Rules};
use crate::commands::mixin::{self, File, Places};

use super::{RUNTIME, USAGE, eprint_line, print_line};

pub(super) fn dashboards(flags: Dashboards) -> u8 {
    let usual = Places::default();
    let files = mixin::dashboards(&Places { runbook: address(flags.runbook, usual.runbook.clone()), ..usual });
    match (flags.uid, flags.write) {
        (_, Some(folder)) => write(&folder, &files),
        (Some(uid), None) => print(&files, &format!("{uid}.json")),
        (None, None) => {
            files.iter().for_each(|file| print_line(file.name.trim_end_matches(".json")));
            0
        }
    }
}

pub(super) fn rules(flags: Rules) -> u8 {
    let usual = Places::default();
    let places = Places {
        job: flags.job.unwrap_or(usual.job),
        grafana: address(flags.grafana, usual.grafana),
        runbook: address(flags.runbook, usual.runbook),
    };
    let files = mixin::rules(&places);
    match flags.write {
        Some(folder) => write(&folder, &files),
        None => print(&files, &flags.file),
    }
}

/// An address without a slash at its end.
fn address(given: Option<String>, usual: String) -> String {
    given.map_or(usual, |url| url.trim_end_matches('/').to_owned())
}

fn print(files: &[File], name: &str) -> u8 {
    match files.iter().find(|file| file.name == name) {
        Some(file) => {
            print_line(file.text.trim_end());
            0
        }
        None => {
            let known: Vec<&str> = files.iter().map(|file| file.name).collect();
            eprint_line(format!("there is no `{name}`, only {}", known.join(", ")));
            USAGE
        }
    }
}

fn write(folder: &Path, files: &[File]) -> u8 {
    let written = fs::create_dir_all(folder)
        .and_then(|()| files.iter().try_for_each(|file| fs::write(folder.join(file.name), &file.text)));
    match written {
        Ok(()) => {
            print_line(format!("{}: {} files", folder.display(), files.len()));
            0
        }
        Err(error) => {
            eprint_line(format!("cannot write to `{}`: {error}", folder.display()));
            RUNTIME
        }
    }
}
