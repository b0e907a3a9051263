//! What it costs to print a page, whole and after a change, and to choose from it; beside the two crates that would do
//! it during each scrape. `cargo bench --bench exposition` prints it.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

#[path = "shape.rs"]
mod shape;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::exposition::{Encoding, Format, Page, Renderer, Scrape, Variant};
use asyncos_exporter::telemetry::Telemetry;
use bytes::Buf;
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use prometheus::Encoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;

use shape::{SERIES, Shape, Windows};

const PLAIN: Variant = Variant { format: Format::Text, encoding: Encoding::Identity };
const GZIP: Variant = Variant { format: Format::Text, encoding: Encoding::Gzip };

/// The median and the least of a few runs of `work`.
fn time(clock: &Clock, runs: usize, mut work: impl FnMut()) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let began = clock.tick();
            work();
            clock.tick().since(began)
        })
        .collect();
    times.sort_unstable();
    (times[runs / 2], times[0])
}

fn say(what: &str, (median, least): (Duration, Duration)) {
    println!("  {what:<44} {median:>10.2?}   (least {least:.2?})");
}

fn renderer(shape: &Shape) -> Renderer {
    let telemetry = Telemetry::try_new().expect("distinct names");
    Renderer::new(Arc::clone(&shape.store), Arc::new(telemetry), asyncos_exporter::snapshot::Hold::No)
}

fn text(page: &Page, variant: Variant) -> Vec<u8> {
    let mut body = page.whole(variant, &[]).expect("printed");
    body.copy_to_bytes(body.remaining()).to_vec()
}

fn ours(clock: &Clock, appliances: usize, runs: usize) -> String {
    let mut shape = Shape::new(appliances, clock);
    let now = clock.tick();
    let page = renderer(&shape).render(now, 0, &[PLAIN, GZIP]);
    let plain = String::from_utf8(text(&page, PLAIN)).expect("a text");
    let series = plain.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(series, SERIES * appliances);
    let packed = text(&page, GZIP).len();
    println!("{series} series of {appliances} appliances: {} kB, {} kB compressed", plain.len() / 1000, packed / 1000);
    drop(page);
    say("whole, plain", time(clock, runs, || drop(renderer(&shape).render(now, 0, &[PLAIN]))));
    let whole = time(clock, runs, || drop(renderer(&shape).render(now, 0, &[GZIP])));
    say("whole, gzip", whole);
    let mut renderer = renderer(&shape);
    let mut page = renderer.render(now, 0, &[PLAIN, GZIP]);
    let mut next = 0;
    let mut turn = || {
        next = (next + 7) % appliances;
        next
    };
    for (of, windows) in [("one window", Windows::OfOneGroup), ("all windows", Windows::OfAllGroups)] {
        for (what, variant) in [("plain", PLAIN), ("gzip", GZIP)] {
            let mut times: Vec<Duration> = (0..runs)
                .map(|_| {
                    shape.commit(turn(), windows);
                    time(clock, 1, || page = renderer.render(now, 0, &[variant])).0
                })
                .collect();
            times.sort_unstable();
            say(&format!("after {of} of one appliance, {what}"), (times[runs / 2], times[0]));
        }
    }
    page = renderer.render(now, 0, &[PLAIN, GZIP]);
    let scrapes = 1000;
    for (what, variant) in [("plain", PLAIN), ("gzip", GZIP)] {
        let (median, least) = time(clock, runs, || (0..scrapes).for_each(|_| drop(page.whole(variant, &[]))));
        say(&format!("body of a scrape, {what}"), (median / scrapes, least / scrapes));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let name = shape.snapshots[appliances / 2].appliance.to_string();
    let chosen =
        |scrape: Scrape| time(clock, runs, || drop(runtime.block_on(page.selection(&scrape, &[])).expect("known")));
    say("appliance=, plain", chosen(Scrape::of(&name, PLAIN)));
    say("appliance=, gzip", chosen(Scrape::of(&name, GZIP)));
    let families = vec!["asyncos_up".to_owned(), "asyncos_windows_pending".to_owned()];
    say("name[]= of two families", chosen(Scrape { variant: PLAIN, appliances: vec![], families }));
    plain
}

/// A series of a page: the kind and name of its family, its labels and its value.
struct Series<'a> {
    is_counter: bool,
    name: &'a str,
    help: &'a str,
    labels: Vec<(&'a str, &'a str)>,
    value: f64,
}

fn series(page: &str) -> Vec<Series<'_>> {
    let (mut help, mut is_counter) = ("", false);
    let mut found = Vec::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ').expect("a text").1;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            is_counter = rest.ends_with(" counter");
        } else {
            let (name, rest) = line.split_once('{').expect("labels");
            let (labels, value) = rest.rsplit_once("} ").expect("a value");
            let labels = labels.split("\",").map(|pair| pair.trim_end_matches('"').split_once("=\"").expect("a pair"));
            let value = value.parse().expect("a number");
            found.push(Series { is_counter, name, help, labels: labels.collect(), value });
        }
    }
    found
}

/// The crate that holds our metrics about ourselves: gathered, sorted and written in each scrape.
fn crate_prometheus(clock: &Clock, all: &[Series<'_>], runs: usize) {
    let registry = prometheus::Registry::new();
    let mut families: BTreeMap<(&str, Vec<&str>), prometheus::GaugeVec> = BTreeMap::new();
    for Series { name, help, labels, value, .. } in all {
        let names: Vec<&str> = labels.iter().map(|(name, _)| *name).collect();
        // One name has one set of labels here; a scope without a device group is another family.
        let family = families.entry((name, names.clone())).or_insert_with(|| {
            let name = format!("{name}_{}", names.len());
            let vec = prometheus::GaugeVec::new(prometheus::Opts::new(name, *help), &names).expect("a family");
            registry.register(Box::new(vec.clone())).expect("distinct names");
            vec
        });
        let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        family.with_label_values(&values).set(*value);
    }
    let work = || {
        let mut page = Vec::new();
        prometheus::TextEncoder::new().encode(&registry.gather(), &mut page).expect("memory");
    };
    say("crate prometheus, plain", time(clock, runs, work));
}

/// The crate of the Prometheus project: written from live metrics in each scrape.
fn crate_prometheus_client(clock: &Clock, all: &[Series<'_>], runs: usize) {
    type Labels = Vec<(String, String)>;
    let mut registry = Registry::default();
    let mut gauges: BTreeMap<&str, Family<Labels, Gauge<f64, AtomicU64>>> = BTreeMap::new();
    let mut counters: BTreeMap<&str, Family<Labels, Counter<f64, AtomicU64>>> = BTreeMap::new();
    for Series { is_counter, name, help, labels, value } in all {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if *is_counter {
            let family = counters.entry(name).or_insert_with(|| {
                let family = Family::default();
                registry.register(name.trim_end_matches("_total"), *help, family.clone());
                family
            });
            family.get_or_create(&labels).inc_by(*value);
        } else {
            let family = gauges.entry(name).or_insert_with(|| {
                let family = Family::default();
                registry.register(*name, *help, family.clone());
                family
            });
            family.get_or_create(&labels).set(*value);
        }
    }
    let work = || {
        let mut page = String::new();
        encode(&mut page, &registry).expect("memory");
    };
    say("crate prometheus-client, plain", time(clock, runs, work));
}

/// The simplest page there could be: each appliance's lines by family, joined and compressed after each change. Its lines
/// are there already, so this is the least that it takes.
fn joined(clock: &Clock, page: &str, runs: usize) {
    let mut families: Vec<(String, Vec<String>)> = Vec::new();
    let mut of = String::new();
    for line in page.lines() {
        if line.starts_with('#') {
            if line.starts_with("# HELP ") {
                families.push((String::new(), Vec::new()));
            }
            let (head, _) = families.last_mut().expect("a family");
            *head += line;
            head.push('\n');
            of.clear();
            continue;
        }
        let appliance =
            line.split_once("appliance=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(name, _)| name);
        let (_, parts) = families.last_mut().expect("a family");
        if parts.is_empty() || appliance != of {
            parts.push(String::new());
            of = appliance.to_owned();
        }
        let part = parts.last_mut().expect("a part");
        *part += line;
        part.push('\n');
    }
    let join = || {
        let mut whole = String::with_capacity(page.len());
        for (head, parts) in &families {
            whole += head;
            parts.iter().for_each(|part| whole += part);
        }
        whole
    };
    assert_eq!(join(), page);
    say("joined lines after any change, plain", time(clock, runs, || drop(join())));
    let pack = || {
        let mut gzip = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::fast());
        gzip.write_all(join().as_bytes()).expect("memory");
        drop(gzip.finish().expect("memory"));
    };
    say("joined lines after any change, gzip", time(clock, runs, pack));
}

/// What the choice of a level, and of a size for the parts that are compressed apart, comes to.
fn packings(clock: &Clock, page: &str) {
    println!("{} kB in parts of so many bytes, compressed:", page.len() / 1000);
    for level in [1, 2, 3, 6] {
        for part in [3 << 10, 4 << 10, 6 << 10, 8 << 10, 16 << 10, 64 << 10, page.len()] {
            let mut compress = Compress::new(Compression::new(level), false);
            let mut size = 0;
            let times = time(clock, 3, || {
                size = 0;
                let mut before: &[u8] = &[];
                for part in page.as_bytes().chunks(part) {
                    let mut out = Vec::with_capacity(part.len() / 2 + 64);
                    compress.reset();
                    if !before.is_empty() {
                        compress.set_dictionary(before).expect("a fresh start");
                    }
                    // About a line, as a page has it.
                    before = &part[part.len().saturating_sub(130)..];
                    compress.compress_vec(part, &mut out, FlushCompress::Sync).expect("memory");
                    assert_eq!(compress.total_in(), part.len() as u64, "there is room");
                    size += out.len();
                }
            });
            say(&format!("level {level}, {part:>8}: {:>5} kB", size / 1000), times);
        }
    }
}

fn main() {
    // `cargo test --all-targets` runs it too, without the first, and `cargo bench -- --test` with both.
    let is_asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !is_asked("--bench") || is_asked("--test") {
        return;
    }
    let clock = Clock::system();
    for (appliances, runs) in [(1, 201), (10, 51), (100, 21), (1000, 5)] {
        let page = ours(&clock, appliances, runs);
        let all = series(&page);
        if appliances == 100 {
            packings(&clock, &page);
        }
        let runs = runs.div_ceil(4).max(3);
        joined(&clock, &page, runs);
        crate_prometheus(&clock, &all, runs);
        crate_prometheus_client(&clock, &all, runs);
    }
}
