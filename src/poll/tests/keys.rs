//! Totals of keyed groups across changes of what has a series of its own, against the events that happened.

use super::*;
use crate::config::GroupChoice;

mod history;

const FEEDS: &str = "mail_threatfeeds_source_detail";
const POLICIES: &str = "mail_policy_incoming";
const HOUR: Duration = Duration::from_secs(3600);

/// Events of a counter and key in one minute since 1970.
type Happened = Box<dyn Fn(&str, &str, u64) -> u64 + Send + Sync>;

/// How long after its minute an event of a key is in reports.
type Delay = Box<dyn Fn(&str) -> Duration + Send + Sync>;

/// An appliance whose reports list the keys that have events in the window.
struct Keyed {
    clock: Clock,
    keys: Vec<String>,
    happened: Happened,
    delay: Mutex<Delay>,
}

impl Keyed {
    fn count(&self, counter: &str, key: &str, from: Timestamp, to: Timestamp) -> u64 {
        (from.as_secs() / 60..to.as_secs() / 60).map(|minute| (self.happened)(counter, key, minute)).sum()
    }

    /// What a report says at `now` of `[from, to)`. Nothing of before noon is late: an hour that had begun when counting
    /// did is not compared.
    fn said(&self, counter: &str, key: &str, from: Timestamp, to: Timestamp, now: Timestamp) -> u64 {
        let delay = (self.delay.lock().expect("no panic"))(key);
        self.count(counter, key, from, to.min((now - delay).max(Timestamp::from_secs(NOON))))
    }
}

impl Source for Keyed {
    async fn connect(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn fetch(&self, query: &Query) -> Result<Reply, Failure> {
        let at = self.now();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (start, end) = (query.window.start(), query.window.end());
        let rows = |counter: &str| {
            let mut rows: Vec<(&String, u64)> = self
                .keys
                .iter()
                .map(|key| (key, self.said(counter, key, start, end, at)))
                .filter(|(_, count)| *count > 0)
                .collect();
            rows.sort_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
            rows.truncate(query.top.unwrap_or(usize::MAX));
            rows.into_iter().map(|(key, count)| serde_json::json!({ key: count })).collect::<Vec<_>>()
        };
        let counters: BTreeMap<_, _> =
            query.group.counters.iter().map(|counter| (&*counter.name, rows(&counter.name))).collect();
        let body = serde_json::json!({"data": {"resultSet": counters}}).to_string();
        Ok(Reply { report: Report::parse(&body)?, at, sent: "/asked".into() })
    }

    async fn observe(&self, _: &StatusKind) -> Result<Observation, Failure> {
        Err(fails(Reason::Declined))
    }

    fn set_pace(&self, _: Pace) {}

    fn now(&self) -> Timestamp {
        self.clock.wall()
    }

    fn clock_doubt(&self) -> Option<ClockDoubt> {
        None
    }

    fn skew_seconds(&self) -> Option<f64> {
        Some(0.0)
    }
}

/// One appliance and the ledger that outlives its pollers.
struct Site {
    appliance: Arc<Keyed>,
    ledger: Arc<Ledger>,
    group: &'static str,
    /// Where the counters that are judged began at zero.
    since: Timestamp,
}

impl Site {
    fn new(group: &'static str, keys: impl IntoIterator<Item = String>, happened: Happened) -> Self {
        let clock = Clock::lapse(Timestamp::from_secs(NOON + 30), 1);
        let delay: Delay = Box::new(|_| Duration::ZERO);
        let keys = keys.into_iter().collect();
        let appliance = Arc::new(Keyed { clock, keys, happened, delay: Mutex::new(delay) });
        let since = Timestamp::from_secs(NOON - 600);
        Self { appliance, ledger: Arc::new(Ledger::in_memory()), group, since }
    }

    /// A life of a poller under this choice; what it shows at its end.
    async fn live(&self, span: Duration, change: impl Fn(&mut GroupChoice)) -> Arc<GroupView> {
        let mut config = appliance(&[self.group], polling(5 * MINUTE));
        config.groups.iter_mut().for_each(change);
        let clock = self.appliance.clock.clone();
        let bench = Bench::resume(&config, Arc::clone(&self.ledger), clock, Arc::clone(&self.appliance));
        let until = bench.clock.tick() + span;
        while bench.clock.tick() < until {
            bench.clock.sleep_until(until).await;
        }
        let view = Arc::clone(&bench.snapshot().groups[0]);
        bench.end().await;
        assert_eq!(view.tally.lost, [0, 0]);
        view
    }

    /// The sum over all keys of each counter that has totals, and what happened in the windows that were counted.
    fn sums(&self, view: &GroupView) -> Vec<(String, u64, u64)> {
        let end = view.window_end.expect("windows are counted");
        let mut shown: BTreeMap<String, u64> = BTreeMap::new();
        for total in &*view.totals {
            let counter = total.family.counter.as_deref().expect("of a report");
            *shown.entry(counter.to_owned()).or_default() += total.value as u64;
        }
        let truth = |counter: &str| {
            self.appliance.keys.iter().map(|key| self.appliance.count(counter, key, self.since, end)).sum::<u64>()
        };
        shown.into_iter().map(|(counter, sum)| (counter.clone(), sum, truth(&counter))).collect()
    }

    fn assert_true(&self, view: &GroupView) {
        let sums = self.sums(view);
        assert!(!sums.is_empty());
        for (counter, shown, happened) in sums {
            assert_eq!(shown, happened, "the sum over all keys of {counter}");
        }
    }
}

fn names(prefix: &str, count: u64) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{prefix}{number:03}"))
}

/// The number at the end of a key.
fn number(key: &str) -> u64 {
    key.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().expect("a number")
}

/// Shown totals by key, of one counter.
fn by_key(view: &GroupView, counter: &str) -> BTreeMap<String, u64> {
    let of_counter = |total: &&crate::sample::Sample| total.family.counter.as_deref() == Some(counter);
    let key = |total: &crate::sample::Sample| total.labels.last().map(|(_, value)| value.to_string());
    view.totals.iter().filter(of_counter).map(|total| (key(total).unwrap_or_default(), total.value as u64)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_higher_series_limit_within_a_day_counts_nothing_twice() {
    let site = Site::new(FEEDS, names("feed", 60), Box::new(|_, key, minute| 1 + (number(key) + minute) % 3));
    let view = site.live(4 * HOUR, |choice| choice.series_limit = 20).await;
    site.assert_true(&view);
    let view = site.live(5 * HOUR, |choice| choice.series_limit = 1000).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    site.assert_true(&view);
    assert_eq!(by_key(&view, "url_indicator").len(), 61, "every feed has its series now");
    let view = site.live(20 * HOUR, |choice| choice.series_limit = 20).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    site.assert_true(&view);
}

#[tokio::test(start_paused = true)]
async fn an_hour_with_rows_of_one_counter_only_counts_nothing_twice() {
    // The hour from 14:00 on has nothing but messages.
    let quiet = (NOON / 60 + 120)..(NOON / 60 + 180);
    let happened = move |counter: &str, key: &str, minute| match counter {
        "total_messages_matched" => 2 + number(key) % 2,
        _ if quiet.contains(&minute) => 0,
        _ => 1,
    };
    let site = Site::new(FEEDS, names("feed", 60), Box::new(happened));
    let view = site.live(6 * HOUR, |choice| choice.series_limit = 100).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    site.assert_true(&view);
    assert!(view.totals.len() <= 100, "{}", view.totals.len());
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_starts_to_have_totals_within_a_day_starts_at_zero() {
    let mut site = Site::new(FEEDS, names("feed", 10), Box::new(|_, _, _| 7));
    let view = site.live(4 * HOUR, |choice| choice.top = Some(10)).await;
    assert_eq!(view.totals.len(), 0, "a list that may be cut has none");
    site.since = view.window_end.expect("windows are counted");
    let view = site.live(5 * HOUR, |choice| choice.top = None).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    site.assert_true(&view);
    // It stops for an hour and starts once more: what lies between is in no total.
    let before = site.sums(&view);
    let view = site.live(HOUR, |choice| choice.top = Some(10)).await;
    let from = view.window_end.expect("windows are counted");
    let view = site.live(5 * HOUR, |choice| choice.top = None).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    let end = view.window_end.expect("windows are counted");
    for ((counter, shown, _), (_, sum, _)) in site.sums(&view).into_iter().zip(before) {
        let since: u64 = names("feed", 10).map(|key| site.appliance.count(&counter, &key, from, end)).sum();
        assert_eq!(shown, sum + since, "{counter}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_becomes_a_sum_within_a_day_starts_at_zero() {
    let mut site = Site::new(FEEDS, names("feed", 10), Box::new(|_, _, _| 7));
    let as_average = |choice: &mut GroupChoice| {
        let mut group = Group::clone(&choice.group);
        group.counters.to_mut()[0].aggregation = catalogue::Aggregation::Average;
        choice.group = Arc::new(group);
    };
    let view = site.live(4 * HOUR, as_average).await;
    site.assert_true(&view);
    assert_eq!(by_key(&view, "domain_indicator"), BTreeMap::new(), "an average has no total");
    let since = view.window_end.expect("windows are counted");
    let view = site.live(5 * HOUR, |_| {}).await;
    assert_eq!(view.tally.late, 0, "nothing was late");
    for (counter, shown, happened) in site.sums(&view) {
        if counter != "domain_indicator" {
            assert_eq!(shown, happened, "{counter} was a sum all the time");
        }
    }
    site.since = since;
    let of_new = site.sums(&view).into_iter().find(|(counter, ..)| counter == "domain_indicator");
    let (_, shown, happened) = of_new.expect("it has totals now");
    assert_eq!(shown, happened);
}

#[tokio::test(start_paused = true)]
async fn late_events_reach_the_sum_whoever_has_a_series() {
    let site = Site::new(FEEDS, names("feed", 60), Box::new(|_, key, minute| 1 + (number(key) + minute) % 3));
    *site.appliance.delay.lock().expect("no panic") =
        Box::new(|key| if number(key).is_multiple_of(4) { 90 * MINUTE } else { Duration::ZERO });
    let view = site.live(4 * HOUR, |choice| choice.series_limit = 20).await;
    assert!(site.sums(&view).iter().all(|(_, shown, happened)| shown < happened), "a part is under way");
    let view = site.live(4 * HOUR, |choice| choice.series_limit = 1000).await;
    assert!(site.sums(&view).iter().all(|(_, shown, happened)| shown < happened), "a part is under way");
    *site.appliance.delay.lock().expect("no panic") = Box::new(|_| Duration::ZERO);
    // The hour that is not over is compared later.
    let view = site.live(2 * HOUR, |choice| choice.series_limit = 1000).await;
    assert!(view.tally.late > 0);
    site.assert_true(&view);
}

#[tokio::test(start_paused = true)]
async fn late_events_of_a_key_that_always_had_its_series_are_its_own() {
    let site = Site::new(POLICIES, names("policy", 5), Box::new(|_, key, _| 1 + number(key)));
    *site.appliance.delay.lock().expect("no panic") =
        Box::new(|key| if number(key) == 3 { 50 * MINUTE } else { Duration::ZERO });
    site.live(3 * HOUR, |_| {}).await;
    *site.appliance.delay.lock().expect("no panic") = Box::new(|_| Duration::ZERO);
    let view = site.live(3 * HOUR, |_| {}).await;
    site.assert_true(&view);
    let end = view.window_end.expect("windows are counted");
    let own = site.appliance.count("recipients_matched", "policy003", site.since, end);
    assert_eq!(by_key(&view, "recipients_matched")["policy003"], own);
    assert!(!by_key(&view, "recipients_matched").contains_key("other"));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_gone_give_their_room_to_living_ones() {
    // Three policies at a time, renamed every six hours.
    let happened = |_: &str, key: &str, minute: u64| {
        let generation = (minute + 60 - NOON / 60) / 360;
        u64::from(number(key) / 3 == generation) * (1 + number(key) % 3)
    };
    let site = Site::new(POLICIES, names("policy", 60), Box::new(happened));
    let view = site.live(5 * HOUR, |choice| choice.series_limit = 7).await;
    let keys = |view: &GroupView| by_key(view, "recipients_matched").into_keys().collect::<Vec<_>>();
    assert_eq!(keys(&view), ["policy000", "policy001", "policy002"]);
    let mut increases: BTreeMap<String, u64> = by_key(&view, "recipients_matched");
    let mut seen = increases.clone();
    for hour in 5..60 {
        let view = site.live(HOUR, |choice| choice.series_limit = 7).await;
        let shown = by_key(&view, "recipients_matched");
        assert!(shown.len() <= 7, "{shown:?}");
        for (key, total) in &shown {
            // A key that is seen for the first time has grown from zero.
            let before = seen.insert(key.clone(), *total).unwrap_or(0);
            *increases.entry(key.clone()).or_default() += total.checked_sub(before).expect("a total never steps back");
        }
        let end = view.window_end.expect("windows are counted");
        let truth: u64 = site
            .appliance
            .keys
            .iter()
            .map(|key| site.appliance.count("recipients_matched", key, site.since, end))
            .sum();
        assert_eq!(increases.values().sum::<u64>(), truth, "hour {hour}: what Prometheus saw grow is what happened");
    }
    let shown = site.live(HOUR, |choice| choice.series_limit = 7).await;
    let living = keys(&shown);
    assert!(living.iter().any(|key| key != "other" && number(key) >= 30), "living keys have series: {living:?}");
    let records = site.ledger.account(&TotalsKey {
        appliance: "a".into(),
        scope: config::Scope::Appliance,
        group: POLICIES.into(),
    });
    let kept = format!("{records:?}").matches("policy000").count();
    assert_eq!(kept, 0, "what can be compared no more is forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_returns_goes_on_from_its_total() {
    // Two policies are there for an hour, others for thirty; then the first ones return.
    let happened = |_: &str, key: &str, minute: u64| {
        let hour = (minute + 60 - NOON / 60) / 60;
        let is_first = number(key) < 2;
        u64::from(is_first == (hour <= 1 || hour > 31)) * 5
    };
    let site = Site::new(POLICIES, names("policy", 4), Box::new(happened));
    let limit = |choice: &mut GroupChoice| choice.series_limit = 3;
    let total = |view: &GroupView, key: &str| by_key(view, "recipients_matched").get(key).copied();
    let before = total(&*site.live(HOUR, limit).await, "policy000").expect("it has a series");
    let view = site.live(30 * HOUR, limit).await;
    assert_eq!(total(&view, "policy000"), None, "it was not seen for a day and others were");
    assert!(total(&view, "policy002").is_some());
    let view = site.live(30 * HOUR, limit).await;
    let after = total(&view, "policy000").expect("the others were not seen for a day");
    assert!(after > before, "{after} after {before}");
}

/// The total of a policy of which nothing since noon was reported until so long after the first day was over, and what
/// happened, and how many late events were not added.
async fn reported_late(after: Duration, wait: Duration) -> (u64, u64, u64) {
    let site = Site::new(POLICIES, names("policy", 3), Box::new(|_, _, _| 1));
    let clock = site.appliance.clock.clone();
    let arrives = Timestamp::from_secs(NOON) + 12 * HOUR + after;
    let inner = clock.clone();
    *site.appliance.delay.lock().expect("no panic") = Box::new(move |key| match inner.wall() < arrives {
        true if number(key) == 2 => 365 * 24 * HOUR,
        _ => Duration::ZERO,
    });
    let config = appliance(&[POLICIES], Polling { alignment: Alignment::Hour, ..polling(5 * MINUTE) });
    let bench = Bench::resume(&config, Arc::clone(&site.ledger), clock, Arc::clone(&site.appliance));
    let until = bench.clock.tick() + 12 * HOUR + after + wait;
    while bench.clock.tick() < until {
        bench.clock.sleep_until(until).await;
    }
    let view = Arc::clone(&bench.snapshot().groups[0]);
    bench.end().await;
    let end = view.window_end.expect("windows are counted");
    let key = TotalsKey { appliance: "a".into(), scope: config::Scope::Appliance, group: POLICIES.into() };
    let since = site.ledger.account(&key).expect("begun").epoch;
    let happened = site.appliance.count("recipients_matched", "policy002", since, end);
    (by_key(&view, "recipients_matched").get("policy002").copied().unwrap_or(0), happened, view.tally.not_added)
}

#[tokio::test(start_paused = true)]
async fn late_data_are_added_until_their_day_has_been_over_for_26_hours() {
    // A gateway spools for 25 hours.
    for after in [23 * HOUR, 25 * HOUR, 25 * HOUR + 29 * MINUTE] {
        let (total, happened, not_added) = reported_late(after, 6 * HOUR).await;
        assert_eq!((total, not_added), (happened, 0), "{after:?} after the end of the day");
    }
    // Of the first day the hours from noon on are counted.
    let lacking = 12 * 60;
    for after in [26 * HOUR, 35 * HOUR] {
        let (total, happened, not_added) = reported_late(after, 14 * HOUR).await;
        assert_eq!(total, happened - lacking, "{after:?} after the end of the day");
        assert!(not_added > 0 && not_added % lacking == 0, "{not_added} of all counters of the report");
    }
}
