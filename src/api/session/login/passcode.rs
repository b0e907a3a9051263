//! Passcodes for a second factor: made from a secret and the time, or printed by a program.

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;
use totp_rs::{Algorithm, Builder};

use crate::api::time::Arrival;
use crate::api::{Failure, Reason};
use crate::base::clock::{Clock, Timestamp};
use crate::base::secret::Secret;
use crate::config::{Credentials, Passcode, Totp, TotpHash};

/// A passcode with less than this left could end on its way: the next one is waited for.
const LEAST_LEFT: Duration = Duration::from_secs(3);
/// The time limit of the program: one that requests a code from a vault over the network needs a few seconds.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest output that can be a passcode with blanks around it.
const LONGEST_OUTPUT: u64 = 1024;

/// Where passcodes come from, none twice.
#[derive(Debug)]
pub(super) struct Passcodes {
    source: Passcode,
    /// The step of the last one that was made from the time. Whoever checks them takes each once (RFC 6238 section 5.2).
    used: Mutex<Option<u64>>,
}

impl Passcodes {
    pub(super) fn new(source: Passcode) -> Self {
        Self { source, used: Mutex::new(None) }
    }

    /// The next passcode of the account, for which a step may have to be waited.
    ///
    /// By the clock of the answer that asks for it, which came at `asked`: it is not published who checks the passcode,
    /// but where the two clocks differ it is more often ours that nobody looks after (assumed). Nothing is left to confirm
    /// that clock with: a login is made in one go, and a wrong passcode counts against the account.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn next(
        &self,
        credentials: &Credentials,
        asked: Arrival,
        clock: &Clock,
    ) -> Result<Secret, Failure> {
        match &self.source {
            Passcode::Command(parts) => run(parts).await.map_err(|error| failure(&error)),
            Passcode::Totp(totp) => {
                let secret = credentials.second.as_ref().ok_or_else(|| failure("the TOTP secret is missing"))?;
                let now = self.unused(*totp, asked, clock).await;
                made(*totp, secret.text(), now).ok_or_else(|| failure("the TOTP secret is not Base32"))
            }
        }
    }

    /// A time whose step was not used and does not end at once.
    async fn unused(&self, totp: Totp, asked: Arrival, clock: &Clock) -> Timestamp {
        loop {
            let now = asked.date + clock.tick().since(asked.tick);
            let (step, left) = step(now, totp.period());
            {
                let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
                if *used != Some(step) && left >= LEAST_LEFT.min(totp.period() / 2) {
                    *used = Some(step);
                    return now;
                }
            }
            clock.sleep(left).await;
        }
    }
}

/// The number of the step at `now`, and the rest of its duration.
fn step(now: Timestamp, period: Duration) -> (u64, Duration) {
    let period = period.as_secs().max(1);
    let number = now.as_secs() / period;
    (number, Timestamp::from_secs((number + 1) * period).since(now))
}

/// The passcode at `now`. **Source:** RFC 6238.
fn made(totp: Totp, secret: &Secret, now: Timestamp) -> Option<Secret> {
    let letters: Secret = Secret::new(
        secret.expose().chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect::<String>(),
    );
    let algorithm = match totp.algorithm() {
        TotpHash::Sha1 => Algorithm::SHA1,
        TotpHash::Sha256 => Algorithm::SHA256,
        TotpHash::Sha512 => Algorithm::SHA512,
    };
    let builder = Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(letters.expose()).ok()?)
        .with_algorithm(algorithm)
        .with_digits(totp.digits())
        .with_step_duration(totp.period().as_secs());
    // Not held against the standard's least length: many systems hand out 80 bits.
    Some(Secret::new(builder.build_noncompliant().generate(now.as_secs()).to_string()))
}

/// The output of the program without surrounding blanks. Its stderr is discarded: it may hold anything.
async fn run(parts: &[String]) -> Result<Secret, String> {
    let [program, arguments @ ..] = parts else { return Err("names no program".into()) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run `{program}`: {error}"))?;
    let Some(stdout) = child.stdout.take() else { return Err(format!("`{program}` has no output")) };
    let listen = async {
        let mut text = String::new();
        let read = stdout.take(LONGEST_OUTPUT).read_to_string(&mut text).await;
        (read.map(|_| Secret::new(text)), child.wait().await)
    };
    let Ok((output, ended)) = timeout(COMMAND_TIMEOUT, listen).await else {
        return Err(format!("`{program}` took longer than {}", humantime::format_duration(COMMAND_TIMEOUT)));
    };
    let ended = ended.map_err(|error| format!("`{program}`: {error}"))?;
    if !ended.success() {
        return Err(format!("`{program}` failed: {ended}"));
    }
    let output = output.map_err(|_| format!("`{program}` printed bytes that are not UTF-8"))?;
    let passcode = output.expose().trim();
    if passcode.is_empty() || !passcode.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("`{program}` did not print a passcode: expected one word"));
    }
    Ok(Secret::new(passcode))
}

fn failure(error: &str) -> Failure {
    Failure::new(Reason::Passcode, format!("no passcode for the second factor: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Passphrase;

    /// The parameters of the standard's examples.
    fn totp(algorithm: TotpHash) -> Totp {
        Totp::try_new(8, Duration::from_secs(30), algorithm).expect("valid parameters")
    }

    /// `12345678901234567890`.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn credentials() -> Credentials {
        let second = Some(Passphrase::try_new(SECRET).expect("a password"));
        Credentials { username: "monitor".into(), password: Passphrase::try_new("x").expect("a password"), second }
    }

    #[test]
    fn passcodes_are_those_of_the_standard() {
        // RFC 6238 appendix B; the longer hashes take longer secrets.
        let secret = |length: usize| {
            let digits: Vec<u8> = (1..=length).map(|digit| b'0' + (digit % 10) as u8).collect();
            Secret::new(totp_rs::Secret::from(digits).to_base32())
        };
        for (time, algorithm, length, expected) in [
            (59, TotpHash::Sha1, 20, "94287082"),
            (59, TotpHash::Sha256, 32, "46119246"),
            (59, TotpHash::Sha512, 64, "90693936"),
            (1_111_111_109, TotpHash::Sha1, 20, "07081804"),
            (20_000_000_000, TotpHash::Sha512, 64, "47863826"),
        ] {
            let made = made(totp(algorithm), &secret(length), Timestamp::from_secs(time));
            assert_eq!(made.expect("a secret").expose(), expected, "{time} {algorithm:?}");
        }
        let spelled = Secret::new("gezd gnbv-gy3t qojq gezd gnbv gy3t qojq====");
        assert_eq!(
            made(totp(TotpHash::Sha1), &spelled, Timestamp::from_secs(59)).expect("a secret").expose(),
            "94287082"
        );
        assert!(made(totp(TotpHash::Sha1), &Secret::new("1"), Timestamp::from_secs(59)).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn no_passcode_is_given_twice_nor_just_before_its_end() {
        for begin in 0..=30 {
            let start = Timestamp::from_secs(1_795_435_200 + begin);
            let clock = Clock::lapse(start, 1);
            let asked = Arrival { at: start, date: start, tick: clock.tick() };
            let passcodes = Passcodes::new(Passcode::Totp(totp(TotpHash::Sha1)));
            let mut seen = std::collections::BTreeSet::new();
            for turn in 0..4 {
                let passcode = passcodes.next(&credentials(), asked, &clock).await.expect("a passcode");
                assert_eq!(
                    made(totp(TotpHash::Sha1), &Secret::new(SECRET), clock.wall()),
                    Some(passcode.clone()),
                    "{begin}"
                );
                assert!(step(clock.wall(), Totp::USUAL.period()).1 >= LEAST_LEFT, "{begin}");
                assert!(seen.insert(passcode.expose().to_owned()), "{begin}: the one of turn {turn} was given before");
            }
            assert!(clock.wall().since(start) <= Duration::from_secs(4 * 30), "{begin}");
        }
    }

    #[tokio::test]
    async fn a_program_prints_one_word_or_is_told_apart() {
        let says = |script: &'static str| async move {
            let parts = ["sh", "-c", script].map(str::to_owned);
            run(&parts).await.map(|passcode| passcode.expose().to_owned())
        };
        assert_eq!(says("echo ' 123456 '").await, Ok("123456".into()));
        assert_eq!(says("echo hidden >&2; exit 3").await, Err("`sh` failed: exit status: 3".into()));
        for nothing in ["true", "echo 123 456", "printf '\\303\\244'"] {
            assert_eq!(
                says(nothing).await,
                Err("`sh` did not print a passcode: expected one \
            word"
                    .into()),
                "{nothing}"
            );
        }
        assert_eq!(says("printf '\\377'").await, Err("`sh` printed bytes that are not UTF-8".into()));
        // More than is read: the program is stopped by its closed pipe.
        assert!(says("while echo 0123456789; do :; done").await.is_err());
        let missing = run(&["/nonexistent/program".to_owned()]).await.expect_err("missing");
        assert!(missing.starts_with("cannot run `/nonexistent/program`: "), "{missing}");
    }
}
