//! How many messages a search finds, where an answer holds a page of them, in either reading of `totalCount`.

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, Fault, FaultBody, On, TotalCount};

use crate::exposition::Page;
use crate::rig::{BEGINNING, Rig, entry, lapse, simulate};

const PATH: &str = "message-tracking/messages";
/// The rows of a page, and the most pages of one count.
const PAGE: u64 = 100;
const MOST_PAGES: u64 = 50;
/// The window of the newest minute that tracking has, and the minutes before it that are fetched.
const NEWEST: (u64, u64) = (BEGINNING - 30 - 7 * 60, BEGINNING - 30 - 6 * 60);
const HISTORY: u64 = 30;
const DEFAULTS: &str = "defaults: {window: 1m, settle: 5s, start: 30m, timeout: 60s}\n\
                        counter_groups: [mail_mor_summary]\n\
                        tracking_searches: [{name: ceo, filters: {delivery_status: DELIVERED}}]\n";

/// An ESA on which a search finds so many messages in each minute.
async fn esa(per_minute: u64, total_count: TotalCount, clock: &Clock) -> sim::Appliance {
    let esa = simulate(sim::Settings::esa("esa1.example.com"), clock).await;
    esa.change(|behaviour| {
        behaviour.tracking_per_minute = Some(per_minute);
        behaviour.tracking_total_count = total_count;
    });
    esa
}

fn value(page: &Page, name: &str) -> Option<f64> {
    page.value(&format!("asyncos_tracking_messages_{name}"), &[("appliance", "a"), ("search", "ceo")])
}

fn of_group(page: &Page, name: &str) -> Option<f64> {
    page.value(name, &[("appliance", "a"), ("group", "tracking/ceo")])
}

fn lower_bounds(page: &Page) -> Option<f64> {
    let labels = [("appliance", "a"), ("group", "tracking/ceo"), ("reason", "lower_bound")];
    page.value("asyncos_counters_unusable_total", &labels)
}

/// The page once the newest window is counted, and the requests that this took.
async fn counted(esa: &sim::Appliance, clock: &Clock) -> (Page, u64) {
    counted_with(DEFAULTS, esa, clock).await
}

async fn counted_with(defaults: &str, esa: &sim::Appliance, clock: &Clock) -> (Page, u64) {
    let rig = Rig::start(&format!("{defaults}appliances:\n{}", entry("a", esa, "")), clock).await;
    let is_counted = |page: &Page| {
        of_group(page, "asyncos_window_end_timestamp_seconds").is_some_and(|end| end >= NEWEST.1 as f64)
            && value(page, "last_window").is_some()
    };
    let page = rig.until("the newest window is counted", is_counted).await;
    rig.end().await;
    let is_of_newest = |request: &sim::Request| request.window == Some(NEWEST) && request.path.ends_with(PATH);
    (page, esa.count(is_of_newest) as u64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_match_is_counted_whatever_total_count_is_of() {
    let of_page = TotalCount::Page;
    // Minutes with less than a page, exactly two, and less than three; the last with the pages that its count takes.
    let cases = [
        (of_page, None, 30, 1),
        (of_page, None, 200, 3),
        (of_page, None, 250, 3),
        (of_page, Some(7), 250, 3),
        (TotalCount::Matches, None, 250, 1),
        (TotalCount::Matches, None, 6000, 1),
    ];
    for (total_count, bad_one_in, per_minute, pages) in cases {
        let clock = lapse(1);
        let esa = esa(per_minute, total_count, &clock).await;
        esa.change(|behaviour| behaviour.tracking_bad_one_in = bad_one_in);
        let (page, asked) = counted(&esa, &clock).await;
        let case = format!("{per_minute} a minute, {total_count:?}, {bad_one_in:?}");
        assert_eq!(value(&page, "last_window"), Some(per_minute as f64), "{case}");
        let minutes = page.windows_each("a");
        assert_eq!(minutes, HISTORY as f64, "{case}");
        assert_eq!(value(&page, "total"), Some(per_minute as f64 * minutes), "{case}");
        assert_eq!(lower_bounds(&page), None, "{case}");
        assert_eq!(asked, pages, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_that_reaches_its_bound_is_shown_and_in_no_total() {
    let clock = lapse(1);
    let esa = esa(PAGE * MOST_PAGES + 1, TotalCount::Page, &clock).await;
    // Three windows of fifty pages, and the stretch that they are first asked for as.
    let defaults = DEFAULTS.replace("start: 30m", "start: 3m, requests_per_minute: 6000");
    let (page, asked) = counted_with(&defaults, &esa, &clock).await;
    assert_eq!(value(&page, "last_window"), Some((PAGE * MOST_PAGES) as f64));
    assert_eq!(value(&page, "total"), Some(0.0), "none of them is known to be all");
    assert_eq!(lower_bounds(&page), Some(3.0));
    assert_eq!(page.windows_each("a"), 3.0);
    assert_eq!(asked, MOST_PAGES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_fails_fails_the_count() {
    let clock = lapse(1);
    let esa = esa(250, TotalCount::Page, &clock).await;
    let unavailable = Fault::Status { code: 502, body: FaultBody::Html, retry_after: None };
    esa.inject(unavailable, On::path(PATH).after(1).times(1));
    let (page, _) = counted(&esa, &clock).await;
    assert_eq!(value(&page, "total"), Some(250.0 * HISTORY as f64), "nothing is counted of half a search, or twice");
    let offsets: Vec<_> = esa.requests().iter().filter_map(|one| one.attribute("offset").map(str::to_owned)).collect();
    assert_eq!(offsets[..3], ["0", "100", "0"], "it begins again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_that_takes_as_long_as_one_request_may_is_a_lower_bound() {
    let clock = lapse(1);
    let esa = esa(1000, TotalCount::Page, &clock).await;
    esa.change(|behaviour| behaviour.latency = std::time::Duration::from_millis(1200));
    let defaults = DEFAULTS.replace("timeout: 60s", "timeout: 2s").replace("start: 30m", "start: 1m");
    let rig = Rig::start(&format!("{defaults}appliances:\n{}", entry("a", &esa, "")), &clock).await;
    let page = rig.until("a window is counted", |page| value(page, "last_window").is_some()).await;
    rig.end().await;
    assert_eq!(value(&page, "last_window"), Some(2.0 * PAGE as f64), "no third page is asked for");
    assert_eq!((value(&page, "total"), lower_bounds(&page)), (Some(0.0), Some(1.0)));
}
