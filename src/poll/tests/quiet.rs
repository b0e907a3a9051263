//! The log of whole days: quiet while all is well, and a few lines for each trouble, however long it lasts.

#[path = "../../../tests/it/captured_log.rs"]
mod captured_log;

use captured_log::{CapturedLog, LogLine};

use super::rounds::scalars;
use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: u32 = 24;

/// What an appliance makes of a request, by its name, at so many minutes since the beginning.
type Mood = fn(&str, u64) -> Result<(), Reason>;

/// An appliance that answers all there is, but for its mood.
struct Moody {
    fake: Arc<Fake>,
    began: Timestamp,
    mood: Mood,
}

impl Moody {
    fn ask(&self, name: &str) -> Result<(), Failure> {
        let minutes = self.fake.clock.wall().since(self.began).as_secs() / 60;
        (self.mood)(name, minutes).map_err(fails)
    }
}

impl Source for Moody {
    async fn connect(&self) -> Result<(), Failure> {
        self.ask("login")
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        self.ask(&query.group.name)?;
        self.fake.fetch(query).await
    }

    async fn observe(&self, kind: &StatusKind) -> Result<Observation, Failure> {
        self.ask(kind.name())?;
        // The log does not depend on the content.
        Ok(Observation::TimeZone(None))
    }

    fn identity(&self) -> Option<Identity> {
        Some(Identity { model: None, release: "15.5.1-055".parse().expect("a release"), serial: None })
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.fake.time()
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }
}

fn well(_: &str, _: u64) -> Result<(), Reason> {
    Ok(())
}

/// The lines of a day of such an appliance, with `rest` in its configuration.
async fn day_of(mood: Mood, rest: &str) -> Vec<LogLine> {
    let log = CapturedLog::start();
    let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
    let fake = fake(clock.clone(), Duration::from_millis(200), Box::new(|_, _| Ok(())));
    let began = clock.wall();
    let text = format!("appliances: [{{name: a, url: 'http://localhost:1', username: u, password: p{rest}}}]");
    let mut appliance = Config::parse("test", &text).expect("a valid configuration").appliances.remove(0);
    let template = super::appliance(&scalars(15), polling(5 * MINUTE));
    (appliance.polling, appliance.groups) = (template.polling, template.groups);
    let moody = Arc::new(Moody { fake, began, mood });
    let bench = Bench::resume(&appliance, Arc::new(Ledger::in_memory()), clock, moody);
    bench.clock.sleep(HOUR * DAY).await;
    bench.end().await;
    log.lines()
}

/// Lines for people, each with its level.
fn texts(lines: &[LogLine]) -> Vec<String> {
    lines.iter().map(|line| format!("{} {}", line.level, line.text)).collect()
}

const SUMMARY: &str = "INFO login accepted, AsyncOS 15.5.1-055, 15 of 15 reports available";

/// Asserts that a day has these lines, each with its beginning.
async fn assert_day(what: &str, mood: Mood, rest: &str, expected: &[&str]) {
    let told = texts(&day_of(mood, rest).await);
    let is_so = told.len() == expected.len() && told.iter().zip(expected).all(|(line, begin)| line.starts_with(begin));
    assert!(is_so, "{what}: {} lines\n{}", told.len(), told.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_healthy_day_is_one_line_an_appliance() {
    assert_day("healthy", well, "", &[SUMMARY]).await;
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_is_down_is_one_line_and_one_when_it_is_back() {
    for (reason, mood, headline) in [
        (
            Reason::Connect,
            (|_, minutes| if minutes < 60 { Ok(()) } else { Err(Reason::Connect) }) as Mood,
            "unreachable",
        ),
        (Reason::Timeout, |_, minutes| if minutes < 60 { Ok(()) } else { Err(Reason::Timeout) }, "unreachable"),
    ] {
        let line = format!("WARN appliance is {headline} reason=\"{}\"", reason.label());
        assert_day("it goes", mood, "", &[SUMMARY, &line]).await;
    }
    assert_day("never there", |_, _| Err(Reason::Connect), "", &["WARN appliance is unreachable"]).await;
    let outage: Mood = |_, minutes| if (600..900).contains(&minutes) { Err(Reason::Timeout) } else { Ok(()) };
    assert_day("back", outage, "", &[SUMMARY, "WARN appliance is unreachable", "INFO appliance recovered"]).await;
    let overload: Mood = |_, minutes| if (600..900).contains(&minutes) { Err(Reason::Unavailable) } else { Ok(()) };
    assert_day("overload", overload, "", &[SUMMARY, "WARN server error", "INFO appliance recovered"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_one_line() {
    let refused: Mood = |_, minutes| Err(if minutes < 7 { Reason::LoginRefused } else { Reason::LoginWait });
    assert_day("wrong password", refused, "", &["WARN login failed reason=\"login_refused\""]).await;
}

#[tokio::test(start_paused = true)]
async fn what_an_appliance_does_not_have_is_a_line_for_each_cause() {
    let no_feature: Mood = |name, _| match name {
        "quarantines" | "privileges" => Err(Reason::Declined),
        _ => Ok(()),
    };
    let line = "INFO status not available status=\"quarantines, privileges\" reason=\"declined\"";
    assert_day("by default", no_feature, "", &[SUMMARY, line]).await;
    let line = "WARN status request failed status=\"quarantines, privileges\" reason=\"declined\"";
    assert_day("by name", no_feature, ", quarantines: true", &[SUMMARY, line]).await;
    let role: Mood = |name, _| match name {
        "health" | "quarantines" | "privileges" => Err(Reason::NotAllowed),
        _ => Ok(()),
    };
    let line = "INFO status not available status=\"health, quarantines, privileges\" reason=\"not_allowed\"";
    assert_day("a small role", role, "", &[SUMMARY, line]).await;
    let no_report: Mood = |name, _| if name.starts_with("mail_incoming") { Err(Reason::Declined) } else { Ok(()) };
    let told = texts(&day_of(no_report, "").await);
    assert!(told.len() == 2 && told[1].starts_with("INFO reports not available"), "{told:#?}");
}

/// The lines with a count, and the others.
fn counts(told: &[String]) -> (usize, usize) {
    let of_flapping = told.iter().filter(|line| line.contains("flapping")).count();
    (of_flapping, told.len() - of_flapping)
}

#[tokio::test(start_paused = true)]
async fn an_appliance_that_is_flapping_is_one_line_an_hour() {
    let mut told = Vec::new();
    for mood in [
        (|_, minutes| if minutes / 3 % 2 == 1 { Err(Reason::Connect) } else { Ok(()) }) as Mood,
        |_, minutes| if minutes / 10 % 2 == 1 { Err(Reason::Timeout) } else { Ok(()) },
        |_, minutes| match minutes / 15 % 4 {
            1 => Err(Reason::Unavailable),
            3 => Err(Reason::Reset),
            _ => Ok(()),
        },
    ] {
        let lines = texts(&day_of(mood, "").await);
        let (flapping, others) = counts(&lines);
        assert!((20..=24).contains(&flapping) && others <= 5, "{flapping} and {others}:\n{}", lines.join("\n"));
        assert!(lines.iter().any(|line| line.contains("appliance is flapping changes=")), "{lines:?}");
        told.push(lines.len());
    }
}

#[tokio::test(start_paused = true)]
async fn reports_and_status_that_are_flapping_are_one_line_an_hour() {
    for mood in [
        (|name, minutes| if name == "health" && minutes % 4 < 2 { Err(Reason::Status) } else { Ok(()) }) as Mood,
        |name, minutes| match name.starts_with("mail_incoming") && minutes % 20 >= 10 {
            true => Err(Reason::Malformed),
            false => Ok(()),
        },
    ] {
        let lines = texts(&day_of(mood, "").await);
        let (flapping, others) = counts(&lines);
        assert!((20..=24).contains(&flapping) && others <= 5, "{flapping} and {others}:\n{}", lines.join("\n"));
        assert!(lines.iter().any(|line| line.contains(" requests are flapping")), "{lines:?}");
    }
}
