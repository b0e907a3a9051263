//! A page: the metrics of one time, in every format that was requested. Immutable except for the formats, which are made
//! when they are first needed. Knows nothing of snapshots.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Crc;

use super::block::Block;
use super::body::{Body, Pieces};
use super::created;
use super::family::Family;
use super::gzip::{self, Deflater, Fragment, Member};
use super::line::{self, ExtraLabels, Labels};
use super::page_index::PageIndex;
use super::scrape::{Encoding, Format, Scrape, Unanswered, Variant};
use crate::base::clock::{Tick, Timestamp};
use crate::base::spelling::NearestNames;
use crate::telemetry::GatheredFamily;

/// Bytes of a selection that are made between two looks at whether others wait for the thread.
const TURN: usize = 256 * 1024;

/// The fastest: level 3 makes blocks of this size a quarter smaller and takes more than twice as long, at each change; see
/// the benchmark `exposition`.
pub(super) const LEVEL: u32 = 1;

/// A page and how long it is true.
#[derive(Debug)]
pub struct Page {
    content: Arc<PageContent>,
    edition: u64,
    /// From then on something on it is stale.
    expires: Option<Tick>,
    /// When the process started, where it is shown when counters began.
    started: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct PageContent {
    blocks: Vec<Arc<Block>>,
    appliances: BTreeMap<Arc<str>, u32>,
    // Made at most once per page and shared by all scrapes; a lock would let one slow scrape hold up the others.
    rendered: [OnceLock<Pieces>; Format::ALL.len()],
    compressed: [OnceLock<Packed>; Format::ALL.len()],
}

/// A member of gzip that is not ended.
#[derive(Debug)]
struct Packed {
    bytes: Pieces,
    crc: Crc,
}

impl Page {
    /// A page that is stale from the beginning, so that no scrape is answered with it.
    pub(super) fn empty() -> Self {
        Self { content: Arc::default(), edition: 0, expires: Some(Tick::default()), started: None }
    }

    /// The content of `index`.
    pub(super) fn new(index: &PageIndex, edition: u64) -> Self {
        let (blocks, appliances) = (index.blocks().to_vec(), index.appliances());
        let content = PageContent { blocks, appliances, ..PageContent::default() };
        Self { content: Arc::new(content), edition, expires: index.expires(), started: index.started() }
    }

    /// The same content for as long as `index` says.
    pub(super) fn renewed(&self, index: &PageIndex, edition: u64) -> Self {
        Self { content: Arc::clone(&self.content), edition, expires: index.expires(), started: index.started() }
    }

    pub(super) fn edition(&self) -> u64 {
        self.edition
    }

    pub(super) fn expires(&self) -> Option<Tick> {
        self.expires
    }

    /// Whether all that it says is current.
    pub(super) fn is_current(&self, now: Tick) -> bool {
        self.expires.is_none_or(|expires| expires > now)
    }

    /// Whether nothing has to be made of it for `variant`.
    pub(super) fn has(&self, variant: Variant) -> bool {
        let format = variant.format.index();
        match variant.encoding {
            Encoding::Identity => self.content.rendered[format].get().is_some(),
            Encoding::Gzip => self.content.compressed[format].get().is_some(),
        }
    }

    /// Makes what `variant` needs.
    pub(super) fn make(&self, variant: Variant, deflater: &mut Deflater) {
        let Variant { format, encoding } = variant;
        let PageContent { blocks, rendered, compressed, .. } = &*self.content;
        match encoding {
            Encoding::Identity => {
                rendered[format.index()]
                    .get_or_init(|| blocks.iter().map(|block| block.rendered(format).clone()).collect());
            }
            Encoding::Gzip => {
                compressed[format.index()].get_or_init(|| {
                    let fragments: Vec<&Fragment> =
                        blocks.iter().map(|block| block.compressed(format, deflater)).collect();
                    let (bytes, crc) = Member::new(fragments.iter().copied()).open();
                    Packed { bytes: Pieces::from_iter([bytes]), crc }
                });
            }
        }
    }

    /// The whole page and then `own`; none if it has not been made in this form.
    #[must_use]
    pub fn whole(&self, variant: Variant, own: &[GatheredFamily]) -> Option<Body> {
        let Variant { format, encoding } = variant;
        let mut tail = Vec::new();
        // Metrics about the exporter change with every scrape, so they are not part of the cached page.
        write(own, format, self.started, |_| true, &mut tail);
        tail.extend_from_slice(format.end());
        Some(match encoding {
            Encoding::Identity => Body::new(self.content.rendered[format.index()].get()?.clone(), tail.into()),
            Encoding::Gzip => {
                let Packed { bytes, crc } = self.content.compressed[format.index()].get()?;
                Body::new(bytes.clone(), gzip::end(crc, &tail))
            }
        })
    }

    /// A part of the page, and of `own` unless it is for certain appliances.
    ///
    /// # Errors
    /// When an appliance is not on the page.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn selection(&self, scrape: &Scrape, own: &[GatheredFamily]) -> Result<Body, Unanswered> {
        let Scrape { variant: Variant { format, encoding }, appliances, families } = scrape;
        let numbers = appliances.iter().map(|name| {
            let number = self.content.appliances.get(name.as_str());
            number.copied().ok_or_else(|| self.unknown(name))
        });
        let numbers = numbers.collect::<Result<Vec<u32>, _>>()?;
        let is_wanted = |family: &Family<'_>| families.is_empty() || families.iter().any(|name| family.is_called(name));
        let (mut out, mut made) = (Vec::new(), Vec::new());
        let (mut begun, mut wanted) = (None, (None, false));
        let mut deflater = match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(Deflater::new(LEVEL)),
        };
        for block in &self.content.blocks {
            for (cell, lines) in block.iter() {
                let number = Some(cell.head.number);
                if wanted.0 != number {
                    wanted = (number, is_wanted(&cell.head.family()));
                }
                if !wanted.1 || !(numbers.is_empty() || numbers.contains(&cell.appliance)) {
                    continue;
                }
                if begun != number {
                    begun = number;
                    cell.head.family().write(*format, &mut out);
                }
                cell.write(lines, *format, &mut out);
            }
            if out.len() >= TURN {
                made.push(Piece::new(&mut out, deflater.as_mut()));
                tokio::task::yield_now().await;
            }
        }
        let mut tail = Vec::new();
        if appliances.is_empty() {
            write(own, *format, self.started, is_wanted, &mut tail);
        }
        tail.extend_from_slice(format.end());
        made.push(Piece::new(&mut out, deflater.as_mut()));
        Ok(Piece::body(made, tail))
    }
}

impl Page {
    /// Removes from `names` those that a family on the page or among `own` is called.
    pub(super) fn retain_missing(&self, names: &mut BTreeSet<&str>, own: &[GatheredFamily]) {
        let cells = self.content.blocks.iter().flat_map(|block| block.cells.iter());
        let mut last = None;
        let mut strike = |family: Family<'_>| {
            names.remove(family.name);
            names.remove(family.openmetrics_name());
        };
        for cell in cells {
            if last.replace(cell.head.number) != Some(cell.head.number) {
                strike(cell.head.family());
            }
        }
        for GatheredFamily { name: family, help, kind, .. } in own {
            strike(Family { name: family, kind: *kind, help });
        }
    }

    fn unknown(&self, appliance: &str) -> Unanswered {
        /// Appliances that a refusal proposes.
        const MOST_NAMES: usize = 3;
        let mut search = NearestNames::new(appliance, appliance.chars().count() / 3, MOST_NAMES);
        self.content.appliances.keys().for_each(|known| search.consider(known));
        Unanswered::UnknownAppliance { name: appliance.to_owned(), nearest: search.found() }
    }
}

/// A part of a selection.
enum Piece {
    Plain(Bytes),
    Packed(Fragment),
}

impl Piece {
    fn new(text: &mut Vec<u8>, deflater: Option<&mut Deflater>) -> Self {
        match deflater {
            None => Self::Plain(std::mem::take(text).into()),
            Some(deflater) => {
                let fragment = deflater.fragment(&[], text);
                text.clear();
                Self::Packed(fragment)
            }
        }
    }

    /// All of one kind, and then `tail`.
    fn body(pieces: Vec<Self>, tail: Vec<u8>) -> Body {
        let (mut plain, mut compressed) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Self::Plain(bytes) => plain.push(bytes),
                Self::Packed(fragment) => compressed.push(fragment),
            }
        }
        if compressed.is_empty() {
            return Body::new(plain.into_iter().collect(), tail.into());
        }
        let (bytes, crc) = Member::new(compressed.iter()).open();
        Body::new(Pieces::from_iter([bytes]), gzip::end(&crc, &tail))
    }
}

/// Appends the requested ones of `families`.
fn write(
    families: &[GatheredFamily],
    format: Format,
    started: Option<Timestamp>,
    is_wanted: impl Fn(&Family<'_>) -> bool,
    out: &mut Vec<u8>,
) {
    let none = Labels::default();
    for GatheredFamily { name, help, kind, lines } in families {
        let family = Family { name, kind: *kind, help };
        if is_wanted(&family) {
            family.write(format, out);
            let is_dated = format == Format::OpenMetrics && created::is_dated(*kind);
            for line in lines {
                let begin = out.len();
                line::write(name, &none, ExtraLabels::Registered(line.suffix, &line.labels), line.value, out);
                if let Some(started) = started.filter(|_| is_dated) {
                    let line = out[begin..].to_vec();
                    created::after(name, &line, started, out);
                }
            }
        }
    }
}
