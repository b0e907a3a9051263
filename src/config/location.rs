//! Finds the lines of places in a YAML text, all of them in one pass. A parser of its own does that, since the one that
//! reads the configuration gives positions with its errors only: one parse of the whole text for each of them.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

use super::path::{Path, Segment};

/// The line (from 1) of the key or list element that each path names, or of the nearest one around it where the text does
/// not have it, as with a default; none where it has nothing of it.
pub(super) fn lines_of<'a>(text: &str, paths: impl IntoIterator<Item = &'a Path> + Clone) -> Vec<Option<usize>> {
    let mut places = PathTree::default();
    paths.clone().into_iter().for_each(|path| places.want(path));
    places.find(&Outline::parse(text));
    paths.into_iter().map(|path| places.line(path)).collect()
}

/// The nodes of a text in its order, each before those that it holds.
#[derive(Debug)]
struct Outline<'t> {
    nodes: Vec<Node<'t>>,
    /// The last line.
    end: usize,
}

#[derive(Debug)]
struct Node<'t> {
    line: usize,
    what: What<'t>,
    /// Where the first node is that it does not hold.
    after: usize,
}

#[derive(Debug)]
enum What<'t> {
    Scalar(Cow<'t, str>),
    List,
    /// Its keys and values take turns.
    Table,
    /// Another node stands here.
    Alias(usize),
}

impl<'t> Outline<'t> {
    /// The nodes of the first document, up to where the parser understands no more.
    fn parse(text: &'t str) -> Self {
        let mut outline = Self { nodes: Vec::new(), end: text.matches('\n').count() + 1 };
        let (mut open, mut anchors) = (Vec::new(), HashMap::new());
        for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
            let (what, anchor) = match event {
                Event::Scalar(text, _, anchor, _) => (What::Scalar(text), anchor),
                Event::SequenceStart(anchor, _) => (What::List, anchor),
                Event::MappingStart(anchor, _) => (What::Table, anchor),
                // No anchor has the number 0.
                Event::Alias(anchor) => match anchors.get(&anchor) {
                    Some(node) => (What::Alias(*node), 0),
                    None => break,
                },
                Event::SequenceEnd | Event::MappingEnd => {
                    outline.close(open.pop());
                    continue;
                }
                Event::DocumentEnd => break,
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) => continue,
            };
            let place = outline.nodes.len();
            if anchor != 0 {
                anchors.insert(anchor, place);
            }
            if matches!(what, What::List | What::Table) {
                open.push(place);
            }
            outline.nodes.push(Node { line: span.start.line(), what, after: place + 1 });
        }
        while let Some(place) = open.pop() {
            outline.close(Some(place));
        }
        outline
    }

    fn close(&mut self, opened: Option<usize>) {
        let end = self.nodes.len();
        if let Some(node) = opened.and_then(|place| self.nodes.get_mut(place)) {
            node.after = end;
        }
    }

    /// The node at `place`, or the one that an alias there stands for.
    fn resolve(&self, place: usize) -> Option<(usize, &Node<'t>)> {
        let node = self.nodes.get(place)?;
        match node.what {
            What::Alias(target) => Some((target, self.nodes.get(target)?)),
            What::Scalar(_) | What::List | What::Table => Some((place, node)),
        }
    }
}

/// The places that are looked for, as a tree.
#[derive(Debug, Default)]
struct PathTree<'p> {
    below: HashMap<(usize, &'p Segment), usize>,
    /// By the number of the place, that of the whole text excepted, which is 0.
    lines: HashMap<usize, usize>,
    last: usize,
    /// Whether the whole text is no table: whatever it lacks is missing there.
    has_no_keys: bool,
}

impl<'p> PathTree<'p> {
    fn want(&mut self, path: &'p Path) {
        let mut place = 0;
        for step in path.steps() {
            place = *self.below.entry((place, step)).or_insert_with(|| {
                self.last += 1;
                self.last
            });
        }
    }

    fn find(&mut self, outline: &Outline<'_>) {
        let root = outline.nodes.first();
        self.lines.insert(0, root.map_or(outline.end, |node| node.line));
        self.has_no_keys = !root.is_some_and(|node| matches!(node.what, What::Table));
        self.descend(0, 0, outline);
    }

    /// Finds the places below `place`, which stands for the node at `at`. Goes no deeper than paths do.
    fn descend(&mut self, place: usize, at: usize, outline: &Outline<'_>) {
        let Some((at, node)) = outline.resolve(at) else { return };
        let mut next = at + 1;
        let mut position = 0;
        while next < node.after {
            let Some((_, found)) = outline.resolve(next) else { return };
            let (step, value) = match (&node.what, &found.what) {
                (What::List, _) => (Some(Segment::Index(position)), next),
                (What::Table, What::Scalar(key)) => (Some(Segment::Key(key.to_string())), outline.nodes[next].after),
                _ => (None, outline.nodes[next].after),
            };
            let wanted = step.and_then(|step| self.below.get(&(place, &step)).copied());
            if let Some(wanted) = wanted {
                self.lines.insert(wanted, found.line);
                self.descend(wanted, value, outline);
            }
            // The text may end after a key that the parser did not understand the value of.
            next = outline.nodes.get(value).map_or(node.after, |value| value.after);
            position += 1;
        }
    }

    fn line(&self, path: &Path) -> Option<usize> {
        let mut place = 0;
        let mut line = if path.steps().is_empty() || self.has_no_keys { self.lines.get(&0) } else { None };
        for step in path.steps() {
            place = *self.below.get(&(place, step))?;
            line = self.lines.get(&place).or(line);
        }
        line.copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\ndefaults: {window: 5m,\n  settle: 2m}\nappliances:\n  - name: a\n    url: u\n\n  - name: b\n    tls:\n      ca_file: x\n3: three\n";

    fn line(text: &str, path: &Path) -> Option<usize> {
        lines_of(text, [path])[0]
    }

    #[test]
    fn finds_keys_and_elements_in_both_styles() {
        let root = Path::default();
        let second = root.key("appliances").index(1);
        let cases = [
            (root.clone(), 2),
            (root.key("defaults"), 2),
            (root.key("defaults").key("settle"), 3),
            (root.key("appliances").index(0).key("url"), 6),
            (second.clone(), 8),
            (second.key("tls").key("ca_file"), 10),
        ];
        for (path, expected) in &cases {
            assert_eq!(line(TEXT, path), Some(*expected), "{path}");
        }
        let all = lines_of(TEXT, cases.iter().map(|(path, _)| path));
        assert_eq!(all, cases.map(|(_, expected)| Some(expected)), "one pass finds all of them");
    }

    #[test]
    fn what_is_not_there_has_no_line_of_its_own() {
        let root = Path::default();
        assert_eq!(line(TEXT, &root.key("nothing")), None);
        assert_eq!(
            line(TEXT, &root.key("appliances").index(0).key("polling").key("start")),
            Some(5),
            "what is around it"
        );
        let texts = ["", "# nothing\n", "word", "[]", "{}"];
        assert_eq!(texts.map(|text| line(text, &root.key("a"))), [Some(1), Some(2), Some(1), Some(1), None]);
    }

    #[test]
    fn an_alias_leads_to_what_it_stands_for() {
        let text = "appliances:\n- name: a\n  tls: &t\n    ca_file: x\n- name: b\n  tls: *t\n- {\n  name: c}\n-\n";
        let appliance = |position| Path::default().key("appliances").index(position);
        assert_eq!(line(text, &appliance(1).key("tls")), Some(6));
        assert_eq!(line(text, &appliance(1).key("tls").key("ca_file")), Some(4));
        assert_eq!([2, 3, 4].map(|position| line(text, &appliance(position))), [Some(7), Some(9), Some(1)]);
    }

    #[test]
    fn lists_as_keys_and_text_that_ends_early_are_passed_over() {
        let root = Path::default();
        assert_eq!(line("? [a, b]\n: c\nd:\n  e: 1\n", &root.key("d").key("e")), Some(4));
        for text in ["a: [1, {b", "a: *x\nb: 1", "a: {b: ", "\"", "a:\n\t- b", "- a\nb: c"] {
            assert!(line(text, &root.key("a").key("b")).is_none_or(|line| line == 1), "{text}");
        }
    }
}
