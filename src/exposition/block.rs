//! A part of a page: the lines of some families about some appliances, which change together or not at all. Knows
//! nothing of what a line says.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::created::{self, Created};
use super::family::Head;
use super::gzip::{Deflater, Fragment};
use super::scrape::Format;

/// The lines of one family about one appliance.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) head: Arc<Head>,
    /// The number of the appliance's name in the index.
    pub(super) appliance: u32,
    /// When its counters began, line by line; none where that is not shown.
    pub(super) created: Created,
    /// Where its lines end in the block; those of the next one begin there.
    pub(super) end: u32,
}

impl Cell {
    /// Appends its `lines` as `format` has them.
    pub(super) fn write(&self, lines: &[u8], format: Format, out: &mut Vec<u8>) {
        created::write(self.head.family().name, lines, &self.created, format, out);
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.head, &other.head)
            && self.appliance == other.appliance
            && self.end == other.end
            && self.created == other.created
    }
}

/// Whether the family that a block begins with has begun in the block before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Family,
    Continued,
}

/// The bytes before a block on its page.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) opening: Opening,
    /// The last line; empty before the first block, and where formats differ in it.
    pub(super) line: Box<[u8]>,
}

/// Cells in the order of the page, at least one. Immutable; what formats make of it is made when it is first needed.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) cells: Arc<[Cell]>,
    lines: Bytes,
    /// Where the last line begins.
    last: usize,
    pub(super) before: Before,
    rendered: [OnceLock<Bytes>; Format::ALL.len()],
    compressed: [OnceLock<Fragment>; Format::ALL.len()],
}

impl Block {
    /// The first block of a page.
    pub(super) fn new(cells: Arc<[Cell]>, lines: Bytes) -> Self {
        let last = lines.iter().rev().skip(1).position(|byte| *byte == b'\n').map_or(0, |end| lines.len() - 1 - end);
        let before = Before { opening: Opening::Family, line: Box::default() };
        Self { cells, lines, last, before, rendered: Default::default(), compressed: Default::default() }
    }

    /// The same after another block.
    pub(super) fn after(&self, before: Before) -> Self {
        let (cells, lines) = (Arc::clone(&self.cells), self.lines.clone());
        Self { cells, lines, last: self.last, before, rendered: Default::default(), compressed: Default::default() }
    }

    /// The last line.
    pub(super) fn last_line(&self) -> &[u8] {
        &self.lines[self.last..]
    }

    /// Whether it says just this.
    pub(super) fn says(&self, cells: &[Cell], lines: &[u8]) -> bool {
        self.cells.len() == cells.len()
            && self.cells.iter().zip(cells).all(|(one, other)| one.is(other))
            && self.lines == lines
    }

    /// The cells with their lines.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Cell, &[u8])> {
        let starts = [0].into_iter().chain(self.cells.iter().map(|cell| cell.end));
        self.cells.iter().zip(starts).map(|(cell, start)| (cell, &self.lines[start as usize..cell.end as usize]))
    }

    /// The part of a page for it.
    pub(super) fn rendered(&self, format: Format) -> &Bytes {
        self.rendered[format.index()].get_or_init(|| self.render(format))
    }

    /// The same, compressed.
    pub(super) fn compressed(&self, format: Format, deflater: &mut Deflater) -> &Fragment {
        self.compressed[format.index()].get_or_init(|| deflater.fragment(&self.before.line, self.rendered(format)))
    }

    fn render(&self, format: Format) -> Bytes {
        let mut family = match self.before.opening {
            Opening::Family => None,
            Opening::Continued => Some(self.cells[0].head.number),
        };
        // In a large fleet most blocks lie within one family, and are the same in every format.
        let is_dated = self.cells.iter().any(|cell| cell.created.is_some());
        if !is_dated && family == self.cells.last().map(|cell| cell.head.number) {
            return self.lines.clone();
        }
        let mut out = Vec::with_capacity(self.lines.len() * 2);
        for (cell, lines) in self.iter() {
            if family != Some(cell.head.number) {
                family = Some(cell.head.number);
                cell.head.family().write(format, &mut out);
            }
            cell.write(lines, format, &mut out);
        }
        Bytes::copy_from_slice(&out)
    }
}
