//! However a page came about, it equals the page rendered from scratch of the same snapshots, in every format.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use proptest::prelude::*;

use super::appliance_samples::{SampleLine, SnapshotLabels, Walk};
use super::gzip::Deflater;
use super::page::{LEVEL, Page};
use super::page_index::{PageIndex, Source};
use super::*;
use crate::api::{Event, Listener};
use crate::base::clock::{Tick, Timestamp};
use crate::config::Scope;
use crate::sample::status_metrics::StatusMetrics;
use crate::sample::{self, Sample};
use crate::snapshot::{AspectView, GroupView, Hold, Pending, Reading, Snapshot, Tally};
use crate::telemetry::{GatheredFamily, Telemetry};

/// So small that a few lines are several blocks.
const BLOCK: usize = 300;
const NAMES: [&str; 6] = ["a", "a1", "b \"quoted\"", "c", "d", "e"];

/// Numbers that look like chance.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn is_lucky(&mut self) -> bool {
        self.roll(2) == 0
    }
}

fn sample(name: String, help: &str, key: Option<u64>, value: f64) -> Sample {
    let labels = key.map(|key| ("key".into(), format!("k\\{key}").into())).into_iter().collect();
    Sample { family: Arc::new(sample::Family { name, help: help.into(), counter: None }), labels, value }
}

pub(super) fn group(number: u64, now: Tick, dice: &mut Dice) -> GroupView {
    let helps = ["One \"thing\"", "Another\nthing"];
    let mut samples = |kind: &str| -> Vec<Sample> {
        let mut samples = Vec::new();
        for counter in 0..dice.roll(4) {
            let name = format!("asyncos_g{number}_c{counter}{kind}");
            // Seldom do appliances disagree about what a metric is.
            let help = helps[usize::from(dice.roll(8) == 0)];
            match dice.is_lucky() {
                true => samples.push(sample(name, help, None, dice.roll(1_000_000) as f64 / 8.0)),
                false => samples
                    .extend((0..dice.roll(6)).map(|key| sample(name.clone(), help, Some(key), dice.roll(10) as f64))),
            }
        }
        samples
    };
    let (totals, gauges) = (samples("_total"), samples("_last_window"));
    let scopes = [Scope::Appliance, Scope::DeviceGroup("eu".into()), Scope::Device("esa1".into())];
    GroupView {
        scope: scopes[usize::try_from(dice.roll(3)).unwrap()].clone(),
        group: format!("g{number}").into(),
        success_until: dice.is_lucky().then(|| later(now, dice)),
        asked_again: None,
        last_success: None,
        refusal: None,
        trouble: None,
        window: Duration::from_secs(60),
        settle: Duration::from_secs(5),
        pending: Pending {
            windows: dice.roll(3),
            next: dice.is_lucky().then(|| (later(now, dice), Duration::from_secs(60))),
        },
        window_end: None,
        running_hour: None,
        tally: Tally { committed: dice.roll(100), ..Tally::default() },
        difference: None,
        reading: dice
            .is_lucky()
            .then(|| Arc::new(Reading { samples: gauges, raw_values: Vec::new(), expires: later(now, dice) })),
        totals: Arc::new(totals),
        beginnings: Arc::default(),
        created: Arc::default(),
        since: None,
        origin: None,
    }
}

fn later(now: Tick, dice: &mut Dice) -> Tick {
    now + Duration::from_secs(dice.roll(5))
}

pub(super) fn snapshot(name: &str, now: Tick, seed: u64) -> Snapshot {
    let mut dice = Dice(seed);
    let health = |dice: &mut Dice| AspectView {
        name: "health",
        option: "health",
        is_wanted: false,
        success: true,
        last_success: None,
        refusal: None,
        trouble: None,
        status_metrics: StatusMetrics {
            gauges: vec![sample("asyncos_health_ratio".into(), "Health", None, dice.roll(100) as f64 / 100.0)],
            counters: vec![sample("asyncos_status_total".into(), "Status", None, dice.roll(100) as f64)],
            info: vec![("release".into(), "1".into())],
            ..StatusMetrics::default()
        },
        unusable: Default::default(),
        expires: later(now, dice),
    };
    Snapshot {
        appliance: name.into(),
        up_until: dice.is_lucky().then(|| later(now, &mut dice)),
        round: None,
        clock_skew_seconds: dice.is_lucky().then(|| dice.roll(100) as f64 / 7.0),
        clock: None,
        centralized: None,
        trouble: None,
        product: "esa",
        identity: None,
        minimum_release: None,
        // One after another in the same place, so that pages begin and end with anything.
        groups: (0..dice.roll(4)).map(|number| Arc::new(group(number, now, &mut dice))).collect(),
        aspects: (0..dice.roll(2)).map(|_| Arc::new(health(&mut dice))).collect(),
    }
}

/// The fleet as it is, and an index that followed its changes.
struct World {
    now: Tick,
    telemetry: Telemetry,
    sources: BTreeMap<Arc<str>, Source>,
    listeners: BTreeMap<Arc<str>, Listener>,
}

impl World {
    fn new() -> Self {
        let telemetry = Telemetry::try_new().unwrap();
        Self { now: Tick::default(), telemetry, sources: BTreeMap::new(), listeners: BTreeMap::new() }
    }

    fn step(&mut self, what: u8, who: usize, seed: u64) {
        let name = NAMES[who % NAMES.len()];
        match what {
            0..=4 => {
                let source = self.sources.entry(name.into()).or_default();
                source.snapshot = Some(Arc::new(snapshot(name, self.now, seed)));
            }
            5 => self.now = self.now + Duration::from_secs(seed % 4),
            6 => {
                self.sources.remove(name);
                self.listeners.remove(name);
            }
            7 => {
                let (metrics, listener) = self.telemetry.appliance(name).unwrap();
                self.listeners.insert(name.into(), listener);
                let version = metrics.version();
                self.sources.entry(name.into()).or_default().traffic = Some((Arc::new(metrics), version));
            }
            _ => {
                let Some(listener) = self.listeners.get(name) else { return };
                listener.notify(Event::LoggedIn);
                let source = self.sources.get_mut(name).unwrap();
                let (metrics, version) = source.traffic.as_mut().unwrap();
                *version = metrics.version();
            }
        }
    }

    fn own(&self) -> Vec<GatheredFamily> {
        // What the process uses differs from one look to the next.
        self.telemetry.own().into_iter().filter(|family| !family.name.starts_with("process_")).collect()
    }

    /// The page as somebody would write it who does not care what it costs.
    fn plainly(&self, format: Format, mut is_wanted: impl FnMut(&str, &str) -> bool) -> String {
        let mut families: BTreeMap<String, (Vec<u8>, Vec<u8>)> = BTreeMap::new();
        for (name, source) in &self.sources {
            let mut put = |SampleLine { family, labels, own, value, .. }: SampleLine<'_>| {
                if is_wanted(name, family.name) {
                    let (_, lines) = families.entry(family.name.to_owned()).or_insert_with(|| {
                        let mut head = Vec::new();
                        family.write(format, &mut head);
                        (head, vec![])
                    });
                    line::write(family.name, labels, own, value, lines);
                }
            };
            if let Some((metrics, _)) = &source.traffic {
                for GatheredFamily { name, help, kind, lines } in &metrics.gather() {
                    for line in lines {
                        let family = family::Family { name, kind: *kind, help };
                        let own = line::ExtraLabels::Registered(line.suffix, &line.labels);
                        put(SampleLine {
                            family,
                            labels: &line::Labels::default(),
                            own,
                            value: line.value,
                            begins: appliance_samples::Begins::Itself,
                        });
                    }
                }
            }
            if let Some(snapshot) = &source.snapshot {
                Walk::new(self.now, &mut put).snapshot(snapshot, &SnapshotLabels::new(snapshot));
            }
        }
        families.into_values().map(|(head, lines)| String::from_utf8([head, lines].concat()).unwrap()).collect()
    }
}

fn text(mut body: Body, encoding: Encoding) -> String {
    let bytes = body.copy_to_bytes(body.remaining());
    let mut text = String::new();
    match encoding {
        Encoding::Identity => text.push_str(std::str::from_utf8(&bytes).unwrap()),
        Encoding::Gzip => {
            let mut decoder = flate2::bufread::GzDecoder::new(&bytes[..]);
            decoder.read_to_string(&mut text).unwrap();
            assert!(decoder.into_inner().is_empty(), "one member and no more");
        }
    }
    text
}

fn whole(page: &Page, variant: Variant, own: &[GatheredFamily]) -> String {
    page.make(variant, &mut Deflater::new(LEVEL));
    text(page.whole(variant, own).unwrap(), variant.encoding)
}

fn selected(page: &Page, scrape: &Scrape, own: &[GatheredFamily]) -> Result<String, Unanswered> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(page.selection(scrape, own)).map(|body| text(body, scrape.variant.encoding))
}

fn check(world: &World, index: &PageIndex) {
    let (page, own) = (Page::new(index, 0), world.own());
    let mut fresh = PageIndex::new(BLOCK, Hold::No);
    fresh.update(&world.sources, world.now);
    let fresh = Page::new(&fresh, 0);
    assert_eq!(page.expires(), fresh.expires());
    for variant in Variant::ALL {
        let shown = whole(&page, variant, &own);
        assert_eq!(shown, whole(&fresh, variant, &own), "{variant:?}");
        let plainly = world.plainly(variant.format, |_, _| true);
        assert_eq!(shown.strip_prefix(&plainly[..]).map(|own| own.contains("build_info")), Some(true), "{variant:?}");
        assert_eq!(shown.ends_with("# EOF\n"), variant.format == Format::OpenMetrics);
        // What is shown can be chosen, alone or all together.
        let everybody = world.sources.keys().map(ToString::to_string).collect::<Vec<_>>();
        for names in everybody.iter().map(std::slice::from_ref).chain([&everybody[..]]).filter(|it| !it.is_empty()) {
            let scrape = Scrape { variant, appliances: names.to_vec(), families: vec![] };
            let plainly = world.plainly(variant.format, |name, _| names.iter().any(|wanted| wanted == name));
            let expected = plainly + std::str::from_utf8(variant.format.end()).unwrap();
            assert_eq!(selected(&page, &scrape, &own), Ok(expected), "{names:?}");
        }
        for family in ["asyncos_up", "asyncos_g1_c1_total"] {
            let scrape = Scrape { variant, appliances: vec![], families: vec![family.to_owned()] };
            let plainly = world.plainly(variant.format, |_, name| name == family);
            let expected = plainly + std::str::from_utf8(variant.format.end()).unwrap();
            assert_eq!(selected(&page, &scrape, &own), Ok(expected), "{family}");
        }
    }
    // Blocks that are too small, or too large though they could be cut, would be a slow leak.
    let sizes: Vec<(usize, usize)> =
        index.blocks().iter().map(|block| (block.cells.len(), block.cells.last().unwrap().end as usize)).collect();
    assert!(sizes.iter().all(|(cells, bytes)| *cells == 1 || *bytes < 4 * BLOCK.max(largest(index))), "{sizes:?}");
    let small = sizes.iter().filter(|(_, bytes)| *bytes < BLOCK / 2).count();
    assert!(small <= 1, "{sizes:?}");
}

fn largest(index: &PageIndex) -> usize {
    index.blocks().iter().flat_map(|block| block.iter()).map(|(_, lines)| lines.len()).max().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_page_that_followed_every_change_is_the_page_printed_anew(
        steps in prop::collection::vec((0_u8..10, 0_usize..NAMES.len(), any::<u64>(), any::<bool>()), 1..40),
    ) {
        let (mut world, mut index) = (World::new(), PageIndex::new(BLOCK, Hold::No));
        for (what, who, seed, is_looked_at) in steps {
            world.step(what, who, seed);
            if is_looked_at {
                let before = Page::new(&index, 0);
                let is_different = index.update(&world.sources, world.now);
                prop_assert!(!index.update(&world.sources, world.now), "nothing has changed since");
                let variant = Variant::ALL[0];
                let is_seen = whole(&before, variant, &[]) != whole(&Page::new(&index, 0), variant, &[]);
                prop_assert!(is_different || !is_seen, "a change that nobody sees");
            }
        }
        index.update(&world.sources, world.now);
        check(&world, &index);
    }
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let (mut world, mut index) = (World::new(), PageIndex::new(BLOCK, Hold::No));
    for (who, name) in NAMES.iter().enumerate() {
        world.sources.entry((*name).into()).or_default().snapshot =
            Some(Arc::new(snapshot(name, world.now, 40 + who as u64)));
    }
    index.update(&world.sources, world.now);
    let before = index.blocks().to_vec();
    assert!(before.len() > 10, "{}", before.len());
    let mut changed = Snapshot::clone(world.sources["c"].snapshot.as_ref().unwrap());
    changed.up_until = changed.up_until.xor(Some(Tick::LAST));
    world.sources.get_mut("c").unwrap().snapshot = Some(Arc::new(changed));
    assert!(index.update(&world.sources, world.now));
    let is_new = |block: &&Arc<block::Block>| !before.iter().any(|old| Arc::ptr_eq(old, block));
    assert_eq!(index.blocks().iter().filter(is_new).count(), 1, "one line in one block");
}

#[test]
fn an_appliance_that_is_not_there_is_named() {
    let page = Page::new(&PageIndex::new(BLOCK, Hold::No), 0);
    let scrape = Scrape::of("nobody", Variant::default());
    let refused = selected(&page, &scrape, &[]).unwrap_err();
    assert_eq!(refused.to_string(), "no appliance is called `nobody`");
}

#[test]
fn a_series_that_comes_twice_is_on_the_page_once() {
    let (mut world, mut index) = (World::new(), PageIndex::new(BLOCK, Hold::No));
    let mut twice = snapshot("a", world.now, 1);
    let gauge = |value| StatusMetrics {
        gauges: vec![sample("asyncos_x".into(), "X", Some(1), value)],
        ..StatusMetrics::default()
    };
    let expires = world.now + Duration::from_secs(1);
    let view = |value, name| AspectView {
        name,
        option: "health",
        is_wanted: false,
        success: true,
        last_success: None,
        refusal: None,
        trouble: None,
        status_metrics: gauge(value),
        unusable: Default::default(),
        expires,
    };
    twice.aspects = vec![Arc::new(view(1.0, "one")), Arc::new(view(2.0, "other"))];
    world.sources.entry("a".into()).or_default().snapshot = Some(Arc::new(twice));
    index.update(&world.sources, world.now);
    let shown = whole(&Page::new(&index, 0), Variant::ALL[0], &[]);
    let lines: Vec<&str> = shown.lines().filter(|line| line.starts_with("asyncos_x{")).collect();
    assert_eq!(lines, [r#"asyncos_x{appliance="a",key="k\\1"} 1"#]);
}

#[test]
fn when_counters_began_is_in_openmetrics_alone_and_only_while_that_is_wanted() {
    let started = Timestamp::from_secs(1_795_435_230);
    let (mut world, mut index) = (World::new(), PageIndex::new(BLOCK, Hold::No));
    let without =
        |shown: &str| shown.split_inclusive('\n').filter(|line| !line.contains("_created")).collect::<String>();
    for round in 0..30_u64 {
        for who in 0..NAMES.len() {
            world.step((round % 10) as u8, who, round * 100 + who as u64);
        }
        let is_dated = round % 3 != 2;
        index.date(is_dated.then_some(started));
        index.update(&world.sources, world.now);
        let (mut fresh, mut plain) = (PageIndex::new(BLOCK, Hold::No), PageIndex::new(BLOCK, Hold::No));
        fresh.date(is_dated.then_some(started));
        fresh.update(&world.sources, world.now);
        plain.update(&world.sources, world.now);
        let [page, fresh, plain] = [&index, &fresh, &plain].map(|index| Page::new(index, 0));
        for variant in Variant::ALL {
            let [page, fresh, plain] = [&page, &fresh, &plain].map(|page| whole(page, variant, &world.own()));
            assert_eq!(page, fresh, "{variant:?}");
            assert_eq!(page != plain, is_dated && variant.format == Format::OpenMetrics, "{variant:?}");
            assert_eq!(without(&page), plain, "{variant:?}");
        }
        let scrape =
            Scrape { variant: Variant::ALL[3], appliances: vec![], families: vec!["asyncos_windows_lost".into()] };
        let chosen = selected(&page, &scrape, &[]).unwrap();
        let lines: Vec<&str> = chosen.lines().filter(|line| !line.starts_with('#')).collect();
        for pair in lines.chunks_exact(if is_dated { 2 } else { 1 }) {
            let labels = pair[0].strip_prefix("asyncos_windows_lost_total").unwrap().rsplit_once(' ').unwrap().0;
            let expected = format!("asyncos_windows_lost_created{labels} 1795435230");
            assert!(!is_dated || pair[1] == expected, "{pair:?}");
        }
    }
}
