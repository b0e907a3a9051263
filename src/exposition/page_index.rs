//! Everything that is shown, kept so that only what changed is written again. Decides what a page says and in what
//! order; knows nothing of formats, of threads or of when it is asked to look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::appliance_samples::{Begins, SampleLine, SnapshotLabels, Walk};
use super::block::{Before, Block, Cell, Opening};
use super::created::{self, Created};
use super::family::{Family, Head};
use super::family_table::{FamilyTable, Place};
use super::first_event::Begun;
use super::interner::Interner;
use super::line::{self, ExtraLabels, Labels};
use crate::base::clock::{Tick, Timestamp};
use crate::sample::Kind;
use crate::snapshot::{Hold, Snapshot};
use crate::telemetry::{ApplianceMetrics, GatheredFamily};

/// The input of one appliance.
#[derive(Clone, Debug, Default)]
pub(super) struct Source {
    pub(super) snapshot: Option<Arc<Snapshot>>,
    /// With the version that they have at least.
    pub(super) traffic: Option<(Arc<ApplianceMetrics>, u64)>,
}

impl Source {
    fn is(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.snapshot.as_ref(), other.snapshot.as_ref());
        let (traffic, other) = (self.traffic.as_ref(), other.traffic.as_ref());
        mine.map(Arc::as_ptr) == theirs.map(Arc::as_ptr)
            && traffic.map(|(metrics, version)| (Arc::as_ptr(metrics), version))
                == other.map(|(metrics, version)| (Arc::as_ptr(metrics), version))
    }
}

/// The content for all appliances.
#[derive(Debug)]
pub(super) struct PageIndex {
    /// Bytes of lines that make a block.
    block: usize,
    hold: Hold,
    /// When the process started, where it is shown when counters began.
    started: Option<Timestamp>,
    /// Whether what is shown has to be written again.
    is_outdated: bool,
    heads: FamilyTable,
    appliances: Interner,
    shown: BTreeMap<Arc<str>, Shown>,
    blocks: Vec<Arc<Block>>,
    /// Families that have had a series twice: said once.
    repeated: BTreeSet<String>,
}

#[derive(Debug)]
struct Shown {
    source: Source,
    /// When the first of its values becomes stale.
    expires: Option<Tick>,
    begun: Begun,
}

/// The data from which the rows of changed appliances borrow.
struct ApplianceInput<'a> {
    appliance: u32,
    snapshot: Option<(&'a Snapshot, SnapshotLabels)>,
    traffic: Vec<GatheredFamily>,
}

/// A line that is to be written.
struct Pending<'a> {
    family: Place,
    appliance: u32,
    labels: &'a Labels,
    own: ExtraLabels<'a>,
    value: f64,
    created: Option<Timestamp>,
}

/// Cells that will be blocks.
#[derive(Debug)]
struct BlockBuilder {
    block: usize,
    cells: Vec<Cell>,
    lines: Vec<u8>,
    /// Families of which a series came twice.
    repeated: Vec<String>,
}

impl PageIndex {
    /// An empty index with blocks of about so many bytes.
    pub(super) fn new(block: usize, hold: Hold) -> Self {
        Self {
            block,
            hold,
            started: None,
            is_outdated: false,
            heads: FamilyTable::default(),
            appliances: Interner::default(),
            shown: BTreeMap::new(),
            blocks: Vec::new(),
            repeated: BTreeSet::new(),
        }
    }

    /// Shows when counters began, in a process that `started` then, or does not.
    pub(super) fn date(&mut self, started: Option<Timestamp>) {
        self.is_outdated |= self.started != started;
        self.started = started;
    }

    /// When the process started, where it is shown when counters began.
    pub(super) fn started(&self) -> Option<Timestamp> {
        self.started
    }

    /// The blocks of a page.
    pub(super) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// The numbers that cells know the appliances by.
    pub(super) fn appliances(&self) -> BTreeMap<Arc<str>, u32> {
        self.shown.keys().filter_map(|name| Some((Arc::clone(name), self.appliances.known(name)?))).collect()
    }

    /// From then on something that is shown is stale.
    pub(super) fn expires(&self) -> Option<Tick> {
        self.shown.values().filter_map(|shown| shown.expires).min()
    }

    /// Shows `sources` as they are at `now`, in place of what was shown. Tells whether that makes a difference.
    pub(super) fn update(&mut self, sources: &BTreeMap<Arc<str>, Source>, now: Tick) -> bool {
        let is_outdated = std::mem::take(&mut self.is_outdated);
        let is_same = |name: &Arc<str>, source: &Source| {
            let is_current =
                |shown: &Shown| shown.source.is(source) && shown.expires.is_none_or(|expires| expires > now);
            !is_outdated && self.shown.get(name).is_some_and(is_current)
        };
        let changed: Vec<(&Arc<str>, &Source)> =
            sources.iter().filter(|(name, source)| !is_same(name, source)).collect();
        let gone: Vec<Arc<str>> = self.shown.keys().filter(|name| !sources.contains_key(*name)).cloned().collect();
        if changed.is_empty() && gone.is_empty() {
            return false;
        }
        let mut materials = Vec::with_capacity(changed.len());
        for (name, source) in &changed {
            materials.push(ApplianceInput {
                appliance: self.appliances.number(name),
                snapshot: source.snapshot.as_deref().map(|snapshot| (snapshot, SnapshotLabels::new(snapshot))),
                traffic: source.traffic.as_ref().map(|(metrics, _)| metrics.gather()).unwrap_or_default(),
            });
        }
        self.appliances.sort();
        let mut touched = vec![false; self.appliances.len()];
        for name in &gone {
            touched[self.appliances.number(name) as usize] = true;
            self.shown.remove(name);
        }
        let none = Labels::default();
        let mut rows = Vec::new();
        for ((name, source), material) in changed.iter().zip(&materials) {
            touched[material.appliance as usize] = true;
            let mut begun = Begun::after(self.shown.remove(*name).map(|shown| shown.begun), self.hold, now);
            let expires = self.collect(material, now, &none, &mut begun, &mut rows);
            let expires = expires.into_iter().chain(begun.ends()).min();
            self.shown.insert(Arc::clone(name), Shown { source: (*source).clone(), expires, begun });
        }
        self.heads.sort();
        self.merge(&rows, &touched)
    }

    /// Appends the rows of `material`; returns when the first of them becomes stale.
    fn collect<'a>(
        &mut self,
        material: &'a ApplianceInput<'_>,
        now: Tick,
        none: &'a Labels,
        begun: &mut Begun,
        rows: &mut Vec<Pending<'a>>,
    ) -> Option<Tick> {
        let (appliance, started) = (material.appliance, self.started);
        let mut put = |row: SampleLine<'a>| {
            let (value, since) = begun.show(&row);
            let created =
                started.filter(|_| created::is_dated(row.family.kind)).and_then(|start| since.time(row.own, start));
            let SampleLine { family, labels, own, .. } = row;
            let family = self.heads.place(family);
            rows.push(Pending { family, appliance, labels, own, value, created });
        };
        for GatheredFamily { name, help, kind, lines } in &material.traffic {
            for line in lines {
                let family = Family { name, kind: *kind, help };
                let own = ExtraLabels::Registered(line.suffix, &line.labels);
                let begins = if *kind == Kind::Counter { Begins::WithItsFirstEvent } else { Begins::Itself };
                put(SampleLine { family, labels: none, own, value: line.value, begins });
            }
        }
        let (snapshot, labels) = material.snapshot.as_ref()?;
        Walk::new(now, put).snapshot(snapshot, labels)
    }

    fn key(&self, family: u32, appliance: u32) -> u64 {
        u64::from(self.heads.order(family)) << 32 | u64::from(self.appliances.order(appliance))
    }

    fn key_of(&self, cell: &Cell) -> u64 {
        self.key(cell.head.number, cell.appliance)
    }

    /// Puts `rows` in the place of everything about the appliances that are `touched`.
    fn merge(&mut self, rows: &[Pending<'_>], touched: &[bool]) -> bool {
        // By the place on the page and then as they came.
        let mut order: Vec<(u64, usize)> =
            rows.iter().enumerate().map(|(place, row)| (self.key(row.family.name, row.appliance), place)).collect();
        order.sort_unstable();
        let old = std::mem::take(&mut self.blocks);
        let (mut blocks, mut growing) = (Vec::with_capacity(old.len()), BlockBuilder::new(self.block));
        let mut is_different = false;
        let mut rest = &order[..];
        for (place, block) in old.iter().enumerate() {
            let until = old.get(place + 1).map_or(u64::MAX, |next| self.key_of(&next.cells[0]));
            let (here, later) = rest.split_at(rest.partition_point(|(key, _)| *key < until));
            rest = later;
            let is_touched = !here.is_empty() || block.cells.iter().any(|cell| touched[cell.appliance as usize]);
            if !is_touched && growing.cells.is_empty() {
                blocks.push(Arc::clone(block));
                continue;
            }
            let is_alone = growing.cells.is_empty();
            let mut groups = here.chunk_by(|(one, _), (other, _)| one == other).peekable();
            for (cell, lines) in block.iter().filter(|(cell, _)| !touched[cell.appliance as usize]) {
                let key = self.key_of(cell);
                while let Some(group) = groups.next_if(|group| group[0].0 < key) {
                    self.write(group, rows, &mut growing);
                }
                growing.copy(cell, lines);
            }
            groups.for_each(|group| self.write(group, rows, &mut growing));
            if is_alone && block.says(&growing.cells, &growing.lines) {
                growing.clear();
                blocks.push(Arc::clone(block));
                continue;
            }
            is_different = true;
            growing.cut(&mut blocks);
            // A block that has become too small is merged with the next.
            if growing.lines.len() >= self.block / 2 {
                growing.finish(&mut blocks);
            }
        }
        for group in rest.chunk_by(|(one, _), (other, _)| one == other) {
            is_different = true;
            self.write(group, rows, &mut growing);
            growing.cut(&mut blocks);
        }
        growing.finish(&mut blocks);
        open(&mut blocks, self.started);
        for metric in growing.repeated.drain(..) {
            if self.repeated.insert(metric.clone()) {
                tracing::error!(metric, "duplicate series left out of the page");
            }
        }
        self.blocks = blocks;
        is_different
    }

    /// Writes one cell. All series of a family of an appliance are in it, so that what is once in here is once on the page.
    fn write(&self, group: &[(u64, usize)], rows: &[Pending<'_>], growing: &mut BlockBuilder) {
        let first = &rows[group[0].1];
        let head = self.heads.get(first.family);
        let begin = growing.lines.len();
        let (mut last, mut is_rising) = (begin..begin, true);
        for (_, place) in group {
            let Pending { labels, own, value, .. } = &rows[*place];
            let start = growing.lines.len();
            line::write(head.family().name, labels, *own, *value, &mut growing.lines);
            let series = start..start + line::series(&growing.lines[start..]).len();
            is_rising &= growing.lines[last] < growing.lines[series.clone()];
            last = series;
        }
        // What rises does not repeat itself, and rows by key do: few cells are looked through.
        let mut is_once = true;
        if !is_rising && let Some(once) = line::without_repeats(&growing.lines[begin..]) {
            is_once = false;
            growing.repeated.push(head.family().name.to_owned());
            growing.lines.truncate(begin);
            growing.lines.extend_from_slice(&once);
        }
        let is_dated = self.started.is_some() && created::is_dated(head.family().kind) && is_once;
        let created = is_dated.then(|| Arc::new(group.iter().map(|(_, place)| rows[*place].created).collect()));
        growing.end(Arc::clone(head), first.appliance, created);
    }
}

/// Lets every block know what comes before it.
fn open(blocks: &mut [Arc<Block>], dated: Option<Timestamp>) {
    let mut last: Option<&Block> = None;
    for block in blocks {
        let family = last.and_then(|last| last.cells.last()).map(|cell| cell.head.number);
        let is_continued = family == Some(block.cells[0].head.number);
        let opening = if is_continued { Opening::Continued } else { Opening::Family };
        // The line that comes before is another in each format then.
        let line = last.filter(|_| dated.is_none()).map_or(&[][..], Block::last_line);
        if block.before.opening != opening || *block.before.line != *line {
            let moved = block.after(Before { opening, line: line.into() });
            match Arc::get_mut(block) {
                Some(block) => *block = moved,
                None => *block = Arc::new(moved),
            }
        }
        last = Some(block);
    }
}

impl BlockBuilder {
    fn new(block: usize) -> Self {
        Self { block, cells: Vec::new(), lines: Vec::new(), repeated: Vec::new() }
    }

    fn clear(&mut self) {
        self.cells.clear();
        self.lines.clear();
    }

    fn end(&mut self, head: Arc<Head>, appliance: u32, created: Created) {
        let end = u32::try_from(self.lines.len()).expect("a block of less than 4 GiB");
        self.cells.push(Cell { head, appliance, created, end });
    }

    fn copy(&mut self, cell: &Cell, lines: &[u8]) {
        self.lines.extend_from_slice(lines);
        self.end(Arc::clone(&cell.head), cell.appliance, cell.created.clone());
    }

    /// Makes blocks of what there is beyond two blocks, so that no rest is too small.
    fn cut(&mut self, blocks: &mut Vec<Arc<Block>>) {
        while self.lines.len() >= 2 * self.block && self.cells.len() > 1 {
            let count = self.cells.partition_point(|cell| (cell.end as usize) < self.block) + 1;
            if count == self.cells.len() {
                return;
            }
            let end = self.cells[count - 1].end;
            let block =
                Block::new(self.cells.drain(..count).collect(), Bytes::copy_from_slice(&self.lines[..end as usize]));
            self.lines.drain(..end as usize);
            for cell in &mut self.cells {
                cell.end -= end;
            }
            blocks.push(Arc::new(block));
        }
    }

    /// Makes blocks of all that there is.
    fn finish(&mut self, blocks: &mut Vec<Arc<Block>>) {
        self.cut(blocks);
        if !self.cells.is_empty() {
            let lines = Bytes::copy_from_slice(&self.lines);
            blocks.push(Arc::new(Block::new(self.cells.drain(..).collect(), lines)));
        }
        self.clear();
    }
}
