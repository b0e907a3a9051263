//! What each command does, and which exit code it ends with.

use std::process::ExitCode;

use crate::cli::Command;

mod check;
mod demo;
mod serve;
mod signals;
mod simulate;

/// Something went wrong while running.
const RUNTIME: u8 = 1;
/// The configuration is wrong (`EX_CONFIG` of sysexits.h): restarting does not help.
const CONFIGURATION: u8 = 78;

/// Does what the command line asks for.
pub async fn run(command: Command) -> ExitCode {
    let code = match command {
        Command::Serve(flags) => serve::serve(flags).await,
        Command::Check(flags) => check::check(&flags),
        Command::Demo(flags) => demo::demo(flags).await,
        Command::Simulate(flags) => simulate::simulate(flags).await,
    };
    ExitCode::from(code)
}

/// Says something to whoever started a command; the log says the rest.
#[allow(clippy::print_stdout, reason = "the one place that speaks to a person on standard output")]
fn say(line: impl std::fmt::Display) {
    println!("{line}");
}

/// Says what is wrong before a log exists, or where a log is not asked for.
#[allow(clippy::print_stderr, reason = "the one place that complains to a person on standard error")]
fn complain(line: impl std::fmt::Display) {
    eprintln!("{line}");
}
