//! Flags of `backfill`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::base::clock::Timestamp;

/// Labels that the exporter sets.
const OWN_LABELS: [&str; 3] = ["appliance", "device_group", "device"];

/// Flags of `backfill`.
#[derive(Debug, Args)]
pub struct Backfill {
    /// The configuration file
    #[arg(long = "config.file", value_name = "FILE", default_value = "config.yaml")]
    pub config_file: PathBuf,
    /// Directory of the exporter's totals: the backfill ends where they begin. Stop the exporter until the plan is printed
    #[arg(long = "storage.path", value_name = "DIRECTORY")]
    pub storage_path: Option<PathBuf>,
    /// Start: an age such as 30d, a day such as 2026-10-31, or a time such as 2026-10-31T06:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time_point)]
    pub from: TimePoint,
    /// End, in the same forms [default: start of the exporter's totals, or the last complete hour]
    #[arg(long, value_name = "TIME", value_parser = time_point)]
    pub to: Option<TimePoint>,
    /// Only this appliance; may be repeated
    #[arg(long = "appliance", value_name = "NAME")]
    pub appliances: Vec<String>,
    /// Only this counter group; may be repeated
    #[arg(long = "group", value_name = "NAME")]
    pub groups: Vec<String>,
    /// Directory for the samples and for what was already fetched; run the same command again to continue
    #[arg(long, value_name = "DIRECTORY")]
    pub output: PathBuf,
    /// Label that Prometheus adds to the series of the exporter, such as job=asyncos; may be repeated
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    pub labels: Vec<(String, String)>,
    /// For this newest part of the range, at most 26h, use the windows of the configuration instead of hours, if the appliance
    /// accepts them
    #[arg(long = "recent-windows", value_name = "DURATION", value_parser = recent_windows)]
    pub recent_windows: Option<Duration>,
    /// Repeat each value at this interval until the next window ends, for graphs of short ranges; files grow accordingly
    #[arg(long, value_name = "DURATION", value_parser = step)]
    pub step: Option<Duration>,
    /// Requests per minute to each appliance [default: `requests_per_minute` of the configuration]
    #[arg(long = "requests-per-minute", value_name = "NUMBER")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Flags of remote write.
    #[command(flatten)]
    pub remote_write: RemoteWrite,
    /// Print the number of requests and the time that they take, and contact no appliance
    #[arg(long = "dry-run")]
    pub dry_run: bool,
}

/// The receiver of remote write.
#[derive(Debug, Args)]
pub struct RemoteWrite {
    /// Also send the samples to this URL of a remote write receiver, which must accept old samples
    #[arg(long = "remote-write", value_name = "URL", value_parser = receiver)]
    pub url: Option<Url>,
    /// User name at the receiver
    #[arg(long = "remote-write.username", value_name = "NAME", requires = "password_file")]
    pub username: Option<String>,
    /// File with the password of that user
    #[arg(long = "remote-write.password-file", value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// File with a bearer token for the receiver
    #[arg(long = "remote-write.bearer-token-file", value_name = "FILE", conflicts_with = "username")]
    pub bearer_token_file: Option<PathBuf>,
}

/// A time of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimePoint {
    /// As it was given: the same words continue the same plan later.
    pub text: String,
    moment: Moment,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Ago(Duration),
    At(Timestamp),
}

impl TimePoint {
    /// The time that is meant at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Timestamp {
        match self.moment {
            Moment::Ago(span) => now - span,
            Moment::At(time) => time,
        }
    }
}

fn time_point(text: &str) -> Result<TimePoint, String> {
    let at = |text: &str| humantime::parse_rfc3339_weak(text).map(|time| Moment::At(time.into()));
    let moment = humantime::parse_duration(text)
        .map(Moment::Ago)
        .or_else(|_| at(text))
        .or_else(|_| at(&format!("{text}T00:00:00Z")))
        .map_err(|_| "expected an age such as 30d, a day such as 2026-10-31, or a time such as 2026-10-31T06:00:00Z")?;
    Ok(TimePoint { text: text.into(), moment })
}

/// The daemon fetches missed windows of a day. That older minutes are reported exactly is not documented.
fn recent_windows(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(span) if span <= Duration::from_secs(26 * 3600) => Ok(span),
        Ok(_) => Err("must be at most 26h".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Prometheus shows a value for five minutes; a scrape interval of less than a few seconds would be unusual.
fn step(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(step) if step >= Duration::from_secs(5) => Ok(step),
        Ok(_) => Err("must be at least 5s".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn receiver(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    match matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain {
        true => Ok(url),
        false => Err("expected a URL such as `https://mimir.example.com/api/v1/push`".into()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !is_name || name.starts_with("__") {
        return Err(format!("`{name}` is not the name of a label"));
    }
    if OWN_LABELS.contains(&name) {
        return Err(format!("the exporter sets the label `{name}`"));
    }
    Ok((name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ages_days_or_times_in_utc() {
        let now = Timestamp::from_secs(1_795_435_230); // 2026-11-23T12:00:30Z
        let at = |text: &str| time_point(text).map(|time| time.at(now).to_string());
        assert_eq!(at("30d"), Ok("2026-10-24T12:00:30.000Z".into()));
        assert_eq!(at("2026-10-31"), Ok("2026-10-31T00:00:00.000Z".into()));
        assert_eq!(at("2026-10-31T06:00:00Z"), Ok("2026-10-31T06:00:00.000Z".into()));
        for wrong in ["", "yesterday", "2026-13-01", "31.10.2026", "30"] {
            assert!(at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn labels_are_pairs_that_do_not_hide_ours() {
        assert_eq!(label("job=asyncos"), Ok(("job".into(), "asyncos".into())));
        assert_eq!(label("instance=a:1=b"), Ok(("instance".into(), "a:1=b".into())));
        for wrong in ["job", "=x", "1a=x", "a-b=x", "__name__=x", "appliance=x"] {
            assert!(label(wrong).is_err(), "{wrong}");
        }
    }
}
