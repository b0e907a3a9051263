//! Files of one module that use each other in a circle: neither can be read, or moved, without the other.

use std::collections::{BTreeMap, BTreeSet};

use super::sources;
use super::syntax::{Paths, paths};

/// The files of the library by their place below `src`, without the extension, and what each of them names.
struct Files(BTreeMap<String, Paths>);

impl Files {
    fn new<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Self {
        Self(files.into_iter().map(|(place, code)| (place, paths(code))).collect())
    }

    /// The file that defines what `path` names in the file `from`; none for what is not of this library. An import
    /// is followed: whoever uses a name that the parent re-exports uses the file that the name comes from.
    fn target(&self, from: &str, path: &[String]) -> Option<&str> {
        let (mut place, mut names) = (from.to_owned(), path);
        match path.first()?.as_str() {
            "crate" => (place, names) = (String::new(), &path[1..]),
            "self" => names = &path[1..],
            "super" => {
                while let Some(("super", rest)) = names.split_first().map(|(first, rest)| (first.as_str(), rest)) {
                    place = place.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
                    names = rest;
                }
            }
            // Other names are of this file, of another crate, or of a file below this one.
            child if self.0.contains_key(&format!("{from}/{child}")) => {}
            _ => return None,
        }
        while let Some((name, rest)) = names.split_first() {
            let below = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            if !self.0.contains_key(&below) {
                break;
            }
            (place, names) = (below, rest);
        }
        let (place, Paths { imports, .. }) = self.0.get_key_value(&place)?;
        let imported = names.first().and_then(|name| imports.iter().find(|import| import.last() == Some(name)));
        match imported {
            Some(import) if place != from => self.target(place, import).or(Some(place)),
            _ => Some(place),
        }
    }

    /// The files that the file `from` uses; those below it are a part of it.
    fn uses(&self, from: &str) -> BTreeSet<&str> {
        let Paths { imports, named } = &self.0[from];
        let targets = imports.iter().chain(named).filter_map(|path| self.target(from, path));
        targets.filter(|to| *to != from && !to.starts_with(&format!("{from}/"))).collect()
    }

    /// Every circle, as the files that reach each other.
    fn circles(&self) -> BTreeSet<Vec<&str>> {
        let uses: BTreeMap<&str, BTreeSet<&str>> = self.0.keys().map(|file| (&**file, self.uses(file))).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> = uses.keys().map(|file| (*file, reached(&uses, file))).collect();
        let with = |file: &str| reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect();
        uses.keys().map(|file| with(file)).filter(|circle: &Vec<&str>| !circle.is_empty()).collect()
    }
}

/// The files that `from` uses, and those that they use in turn.
fn reached<'a>(uses: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = uses[from].iter().copied().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(&uses[file]);
        }
    }
    reached
}

#[test]
fn files_use_each_other_in_no_circle() {
    let mut sources = sources();
    // Checks for fuzzing are in no release, and call each other as tests do.
    sources.retain(|source| !source.path.ends_with("fuzz.rs"));
    let place = |path: &std::path::Path| path.strip_prefix("src").expect("below src").with_extension("");
    let files = sources.iter().map(|source| (place(&source.path).display().to_string(), source.text.as_str()));
    let files = Files::new(files);
    let edges: usize = files.0.keys().map(|file| files.uses(file).len()).sum();
    assert!(edges > 1000, "{edges} uses are seen");
    let circles = files.circles();
    assert!(circles.is_empty(), "these files use each other: {circles:?}");
}

#[test]
fn every_kind_of_circle_is_seen() {
    let circles = |files: &[(&str, &'static str)]| {
        let files = Files::new(files.iter().map(|(place, code)| ((*place).to_owned(), *code)));
        files.circles().into_iter().map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    for (x, y) in [
        ("use super::y::Y;", "use super::x::X;"),
        ("use super::{a, y::{self, Y}};", "use crate::a::{b, x::X as Z};"),
        ("fn f() { super::y::f() }", "fn f() { g!(crate::a::x::f()) }"),
        // The parent re-exports what one of them has.
        ("use crate::a::Y;", "use super::x;"),
        ("use super::z::Z;", "use super::x::X;"),
    ] {
        let files = [("a", "pub use y::Y;\nmod x;\nmod y;"), ("a/x", x), ("a/y", y), ("a/z", "use super::Y;")];
        let expected = if x.contains("z::") { "a/x a/y a/z" } else { "a/x a/y" };
        assert_eq!(circles(&files), [expected], "{x} {y}");
    }
    let tree = [
        ("a", "pub use x::X;\nuse x::inner::I;\nstruct A;"),
        ("a/x", "use super::A;\nuse inner::I;"),
        ("a/x/inner", "use super::super::A;\nuse super::Parent;\nuse std::fmt;"),
        ("b", "use crate::a::{A, X};"),
    ];
    assert_eq!(circles(&tree), [""; 0]);
}
