//! Places in a configuration file: what a problem is reported with, and what its line is found by.

use std::fmt;

/// A place in the file: the keys and positions that lead to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    pub(super) fn key(&self, name: &str) -> Self {
        self.with(Segment::Key(name.into()))
    }

    pub(super) fn index(&self, position: usize) -> Self {
        self.with(Segment::Index(position))
    }

    fn with(&self, step: Segment) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    pub(super) fn steps(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Segment::Index(index) => write!(out, "[{index}]")?,
                Segment::Key(key) if position == 0 => out.write_str(key)?,
                Segment::Key(key) => write!(out, ".{key}")?,
            }
        }
        Ok(())
    }
}
