//! Problems of an appliance: a closed set, each with its text.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use crate::api::{Reason, RefusalCause, unknown_scope};
use crate::base::clock::Timestamp;
use crate::base::release::Release;
use crate::config::Scope;
use crate::snapshot::{ClockTrouble, Round};

use super::words::Span;

/// Something that somebody should look at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Problem {
    /// Logins have stopped.
    LoginsStopped {
        /// Refusals in a row.
        refusals: u32,
        /// The cause of the last refusal.
        cause: RefusalCause,
    },
    /// Logins are refused, and more attempts will follow.
    LoginsRefused {
        /// Refusals in a row.
        refusals: u32,
        /// The cause of the last refusal.
        cause: RefusalCause,
    },
    /// API requests fail: no answer, a refused login, or answers that are not those of the API.
    Down {
        /// The kind of failure.
        reason: Reason,
        /// The likely cause, and what to do.
        advice: String,
    },
    /// Questions that were not answered the last time; those that the appliance declines for good are not among them.
    Failing {
        /// Their number.
        count: usize,
        /// One of them.
        example: String,
        /// Why that one fails.
        reason: Reason,
        /// Its likely cause, and what to do.
        advice: String,
    },
    /// None of the configured reports has ever arrived.
    NoReport {
        /// Why one of them does not.
        reason: Reason,
        /// Its likely cause, and what to do.
        advice: String,
    },
    /// The reports are empty, because the appliance is an ESA that leaves its reporting to an SMA.
    Centralized,
    /// A device group or device for which no report has ever arrived, because the appliance does not offer any.
    UnknownScope(Scope),
    /// Counter groups that the role of the account does not allow, so that they are requested hourly.
    Role {
        /// Their number.
        count: usize,
        /// One of them; none where it allows no group at all.
        example: Option<String>,
    },
    /// Counter groups that the appliance declines, so that they are requested hourly.
    Refused {
        /// Their number.
        count: usize,
        /// One of them.
        example: String,
    },
    /// Kinds of status that the appliance refuses, so that they are requested hourly.
    StatusRefused {
        /// Their names.
        names: Vec<&'static str>,
        /// The keys of the configuration that switch them off.
        options: BTreeSet<&'static str>,
        /// Why.
        reason: Reason,
        /// The likely cause, and what to do.
        advice: String,
    },
    /// The requests for one window take longer than that.
    Slow(Round),
    /// Complete windows wait to be counted.
    Behind {
        /// Their number, of the group that has most.
        windows: u64,
    },
    /// Its clock is not followed, or nothing can be fetched by it.
    Clock {
        /// Why.
        trouble: ClockTrouble,
        /// Its clock minus ours, where that is known.
        skew_seconds: Option<f64>,
    },
    /// Its certificate ends soon, or has ended.
    Certificate {
        /// When.
        ends: Timestamp,
        /// Whether that is past.
        has_ended: Ended,
    },
    /// Its release is older than the API that is used.
    TooOld {
        /// Its own.
        release: Release,
        /// The first one with that API.
        first: Release,
    },
    /// Its release is older than the configuration accepts.
    Release {
        /// Its own.
        release: Release,
        /// The oldest that is accepted.
        minimum: Release,
    },
}

/// Whether something is past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It is.
    Yes,
    /// It is near.
    Soon,
}

impl Problem {
    /// A word for programs; it never changes.
    #[must_use]
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::LoginsStopped { cause: RefusalCause::SecondFactor | RefusalCause::Passcode, .. }
            | Self::LoginsRefused { cause: RefusalCause::SecondFactor | RefusalCause::Passcode, .. }
            | Self::Down { reason: Reason::TwoFactor | Reason::Passcode, .. } => "second_factor",
            Self::LoginsStopped { .. } => "logins_stopped",
            Self::LoginsRefused { .. } => "logins_refused",
            Self::Down { .. } => "down",
            Self::NoReport { .. } | Self::Centralized => "no_report",
            Self::UnknownScope(_) => "unknown_scope",
            Self::Role { .. } | Self::StatusRefused { reason: Reason::NotAllowed, .. } => "role",
            Self::Failing { .. } => "failing",
            Self::Refused { .. } | Self::StatusRefused { .. } => "refused",
            Self::Slow(_) => "slow",
            Self::Behind { .. } => "behind",
            Self::Clock { .. } => "clock",
            Self::Certificate { .. } => "certificate",
            Self::TooOld { .. } | Self::Release { .. } => "release",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoginsStopped { refusals, cause } => {
                let noun = if *refusals == 1 { "refusal" } else { "refusals" };
                let rest = match cause {
                    RefusalCause::Password => "or unlock the account and reset",
                    RefusalCause::SecondFactor
                    | RefusalCause::Passcode
                    | RefusalCause::OtherServer
                    | RefusalCause::OtherProduct => "then `POST /-/login-reset`",
                };
                write!(out, "logins have stopped after {refusals} {noun}: {}, {rest}", cause.advice())
            }
            Self::LoginsRefused { refusals: 1, cause } => {
                write!(out, "the last login was refused: {}", cause.advice())
            }
            Self::LoginsRefused { refusals, cause } => {
                write!(out, "the last {refusals} logins were refused: {}", cause.advice())
            }
            Self::Down { reason, advice } => write!(out, "API requests fail ({}): {advice}", reason.label()),
            Self::Failing { count, example, reason, advice } => {
                write!(out, "requests fail: {example}{} ({}): {advice}", More(*count), reason.label())
            }
            Self::NoReport { reason, advice } => write!(out, "no report arrives ({}): {advice}", reason.label()),
            Self::Centralized => out.write_str(
                "reporting of this ESA is centralized, so its reports are empty: poll its SMA, and set `counter_groups: \
                 [mail_system_capacity]` for the ESA",
            ),
            Self::UnknownScope(scope) => out.write_str(&unknown_scope(scope)),
            Self::Role { example: None, .. } => {
                out.write_str("the role of the account allows no report: give it the role Read-Only Operator")
            }
            Self::Role { count, example: Some(example) } => write!(
                out,
                "the role of the account does not allow {example}{}; requested hourly: give it the role Read-Only \
                 Operator, or remove the group from `counter_groups`",
                More(*count)
            ),
            Self::Refused { count, example } => write!(
                out,
                "the appliance does not offer {example}{}; requested hourly: check the AsyncOS release and the feature \
                 key, or remove the group from `counter_groups`",
                More(*count)
            ),
            Self::StatusRefused { names, options, reason, advice } => {
                let keys: Vec<String> = options.iter().map(|key| format!("`{key}: false`")).collect();
                let (names, label, keys) = (names.join(", "), reason.label(), keys.join(" and "));
                write!(out, "status requests are refused: {names} ({label}); requested hourly: {advice}, or set {keys}")
            }
            Self::Slow(round) => round.fmt(out),
            Self::Behind { windows } => write!(out, "{windows} windows behind"),
            Self::Clock { trouble: ClockTrouble::Unconfirmed, skew_seconds } => {
                write!(
                    out,
                    "its clock jumped{}: waiting for a second answer to confirm it; {CHECK}",
                    Skew(*skew_seconds)
                )
            }
            Self::Clock { trouble: ClockTrouble::Refused, skew_seconds } => {
                let skew = Skew(*skew_seconds);
                write!(out, "its clock is not trusted{skew}: windows follow the exporter's clock; {CHECK}")
            }
            Self::Clock { trouble: ClockTrouble::Behind, skew_seconds } => {
                let skew = Skew(*skew_seconds);
                write!(out, "its clock is behind the last counted window{skew}: polls wait for it; {CHECK}")
            }
            Self::Certificate { ends, has_ended: Ended::Yes } => write!(out, "its certificate expired at {ends}"),
            Self::Certificate { ends, has_ended: Ended::Soon } => write!(out, "its certificate expires at {ends}"),
            Self::TooOld { release, first } => {
                write!(
                    out,
                    "AsyncOS {release} is older than {first}, the first release with this API: upgrade the appliance"
                )
            }
            Self::Release { release, minimum } => {
                write!(out, "AsyncOS {release} is older than `minimum_release` {minimum}: upgrade the appliance")
            }
        }
    }
}

/// The number of further ones after an example; empty where it is the only one.
struct More(usize);

impl fmt::Display for More {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(out, " and {} more", self.0 - 1) } else { Ok(()) }
    }
}

/// Advice about a clock.
const CHECK: &str = "check NTP on the appliance (`ntpconfig`) and on the exporter's host";

/// The skew of a clock against the exporter's, in parentheses; empty where it is not known.
struct Skew(Option<f64>);

impl fmt::Display for Skew {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seconds) = self.0.filter(|seconds| seconds.abs() >= 1.0) else { return Ok(()) };
        let direction = if seconds < 0.0 { "behind" } else { "ahead of" };
        let span = Duration::try_from_secs_f64(seconds.abs()).unwrap_or(Duration::MAX);
        // A line of text may break where a page must not.
        let span = Span(span).to_string().replace('\u{a0}', " ");
        write!(out, " ({span} {direction} the exporter's)")
    }
}

impl Serialize for Problem {
    /// `{"kind": …, "text": …}`
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut problem = to.serialize_struct("Problem", 2)?;
        problem.serialize_field("kind", self.kind())?;
        problem.serialize_field("text", &self.to_string())?;
        problem.end()
    }
}
