//! `healthcheck`: asks the daemon on this machine how it is, for containers in which there is no other program.

use tokio::time::timeout;

use crate::app::chain;
use crate::cli::Healthcheck;
use crate::http::{self, Answer};

use super::{RUNTIME, eprint_line, print_line};

pub(super) async fn healthcheck(flags: Healthcheck) -> u8 {
    let Healthcheck { url, timeout: patience } = flags;
    let Ok(asked) = timeout(patience, http::ask(&url)).await else {
        eprint_line(format!("no answer from {url} within {}", humantime::format_duration(patience)));
        return RUNTIME;
    };
    match asked {
        Ok(Answer { status: 200, said }) => {
            print_line(said);
            0
        }
        // Who asks for a user is alive; more is not told to strangers.
        Ok(Answer { status: 401, .. }) => {
            print_line("it responds and requires authentication");
            0
        }
        Ok(Answer { status, said }) => {
            eprint_line(format!("{url} answers {status}: {said}"));
            RUNTIME
        }
        Err(error) => {
            eprint_line(chain(&error));
            RUNTIME
        }
    }
}
