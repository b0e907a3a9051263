//! `healthcheck`: asks the daemon on this machine how it is, for containers in which there is no other program.

use tokio::time::timeout;

use crate::app::chain;
use crate::cli::Healthcheck;
use crate::http::{self, HealthResponse};

use super::{RUNTIME, eprint_line, print_line};

pub(super) async fn healthcheck(flags: Healthcheck) -> u8 {
    let Healthcheck { url, timeout: limit } = flags;
    let Ok(response) = timeout(limit, http::request_health(&url)).await else {
        eprint_line(format!("no answer from {url} within {}", humantime::format_duration(limit)));
        return RUNTIME;
    };
    match response {
        Ok(HealthResponse { status: 200, first_line }) => {
            print_line(first_line);
            0
        }
        // Who asks for a user is alive; more is not told to strangers.
        Ok(HealthResponse { status: 401, .. }) => {
            print_line("it responds and requires authentication");
            0
        }
        Ok(HealthResponse { status, first_line }) => {
            eprint_line(format!("{url} answers {status}: {first_line}"));
            RUNTIME
        }
        Err(error) => {
            eprint_line(chain(&error));
            RUNTIME
        }
    }
}
