//! The commands and their exit codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Command;
use crate::config::Config;
use crate::http::{Protection, ProtectionError};

mod backfill;
mod bundle;
mod check;
mod connect;
pub mod demo;
mod discover;
mod healthcheck;
pub mod mixin;
mod probe;
pub mod record;
pub mod recording;
mod serve;
mod signals;
pub mod simulate;

/// Something went wrong while running.
const RUNTIME: u8 = 1;
/// The command line asks for what cannot be; the parser of the command line ends with the same.
const USAGE: u8 = 2;
/// The configuration is wrong (`EX_CONFIG` of sysexits.h): restarting does not help.
const CONFIGURATION: u8 = 78;

/// Does what the command line asks for.
pub async fn run(command: Command) -> ExitCode {
    if let Err(error) = forbid_core_dumps() {
        eprint_line(format!("cannot disable core dumps, which may contain passwords: {error}"));
    }
    let code = match command {
        Command::Serve(flags) => serve::serve(flags).await,
        Command::Check(flags) => check::check(flags).await,
        Command::Discover(flags) => discover::discover(flags).await,
        Command::Backfill(flags) => backfill::backfill(flags).await,
        Command::Healthcheck(flags) => healthcheck::healthcheck(flags).await,
        Command::Demo(flags) => demo::demo(flags).await,
        Command::Simulate(flags) => simulate::simulate(flags).await,
        Command::Record(flags) => record::record(flags).await,
        Command::Dashboards(flags) => bundle::dashboards(flags),
        Command::Rules(flags) => bundle::rules(flags),
    };
    ExitCode::from(code)
}

/// Turns off core dumps of this process, which would hold passwords and tokens, and debuggers of the same user, as far
/// as the system can; elsewhere than on Linux it cannot.
#[cfg(target_os = "linux")]
fn forbid_core_dumps() -> std::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

#[cfg(not(target_os = "linux"))]
fn forbid_core_dumps() -> std::io::Result<()> {
    Ok(())
}

/// The protection of the web side that `file` describes; none at all without a file.
fn protection(file: Option<PathBuf>) -> Result<Protection, ProtectionError> {
    match file.filter(|file| !file.as_os_str().is_empty()) {
        Some(file) => Protection::open(file),
        None => Ok(Protection::default()),
    }
}

/// Prints the result of a command; everything else is logged. Not by `println!`, which panics when the pipe is closed,
/// as in `demo | head -1`.
fn print_line(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The configuration in `config_file`; its problems are printed, and the exit code is returned, where it has some.
fn load(config_file: &Path) -> Result<Config, u8> {
    Config::load(config_file).map_err(|error| {
        eprint_line(error);
        point_to_first_steps(config_file);
        CONFIGURATION
    })
}

/// Prints where a configuration comes from, when the program is started without one.
fn point_to_first_steps(config_file: &Path) {
    if config_file.exists() {
        return;
    }
    let file = config_file.display();
    eprint_line(format!(
        "hint: to try the exporter without a configuration, run `asyncos_exporter demo`\n\
         hint: to write a configuration for an appliance, run `asyncos_exporter discover --url https://HOST:6443 \
         --username NAME --password-file FILE --write {file}`\n\
         hint: config.example.yaml describes every key; packages have it in /usr/share/doc/asyncos-exporter/examples"
    ));
}

/// Prints an error before the log exists, or in a command that has none.
fn eprint_line(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
