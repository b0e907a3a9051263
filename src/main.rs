//! Entry point: parses the command line and runs it on a runtime sized for a daemon that mostly waits.

use std::process::ExitCode;

use asyncos_exporter::cli::Cli;
use asyncos_exporter::commands;
use clap::Parser as _;

/// Two threads keep a scrape from waiting behind the rendering of another; more would only cost memory.
const MOST_WORKERS: usize = 2;
/// Name look-ups, the files of the configuration and of the web side, and the check of a password are the only blocking
/// work.
const MOST_BLOCKING: usize = 8;

fn main() -> ExitCode {
    let command = Cli::parse().command();
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(MOST_BLOCKING)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(commands::run(command));
            // A name look-up cannot be interrupted; the end must not wait for it.
            runtime.shutdown_background();
            code
        }
        Err(_) => ExitCode::FAILURE,
    }
}
