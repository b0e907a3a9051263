//! A strict reader of the Prometheus text format 0.0.4: one spelling, no duplicates, nothing Prometheus would have to
//! guess. Stricter than the format where our own rules are, so that a page it takes is one we want to serve.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of a series by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// A page of metrics that kept every rule.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    families: Vec<Family>,
    /// By metric name and labels; the samples of a histogram under their full names.
    samples: BTreeMap<(String, Labels), f64>,
}

#[derive(Debug, PartialEq)]
struct Family {
    name: String,
    kind: String,
    help: String,
}

impl Page {
    /// Reads a whole page.
    ///
    /// # Errors
    /// The first rule that is broken, as `line 3: …`; the histogram rules, which need all lines, name the family.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut page = Self { families: vec![], samples: BTreeMap::new() };
        let Some(body) = text.strip_suffix('\n') else {
            return Err(format!("line {}: the final newline is missing", text.lines().count()));
        };
        let mut help = None;
        for (number, line) in (1..).zip(body.split('\n')) {
            page.take(line, &mut help).map_err(|problem| format!("line {number}: {problem}"))?;
        }
        if let Some((name, _)) = help {
            return Err(format!("line {}: no TYPE after the HELP of `{name}`", body.split('\n').count()));
        }
        let mut histograms = page.families.iter().filter(|family| family.kind == "histogram");
        histograms.try_for_each(|family| page.check_histogram(&family.name))?;
        Ok(page)
    }

    /// The value of the series with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// All series of this name with at least these labels, in the order of their labels.
    pub(crate) fn matching(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(Labels, f64)> {
        let wanted = |have: &Labels| labels.iter().all(|(name, value)| have.get(*name).is_some_and(|it| it == value));
        let found = self.samples.iter().filter(|((other, have), _)| other == name && wanted(have));
        found.map(|((_, have), value)| (have.clone(), *value)).collect()
    }

    /// Whether there are such series and each has a value that `holds`: a page that has nothing yet says nothing.
    pub(crate) fn every(&self, name: &str, labels: &[(&str, &str)], holds: impl Fn(f64) -> bool) -> bool {
        let series = self.matching(name, labels);
        !series.is_empty() && series.iter().all(|(_, value)| holds(*value))
    }

    /// What holds for a counter group: its own value where it has one, else that of its appliance.
    pub(crate) fn usual(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let of_appliance: Vec<_> = labels.iter().copied().filter(|(name, _)| *name == "appliance").collect();
        self.value(name, labels).or_else(|| self.value(name, &of_appliance))
    }

    /// The windows of `appliance` that are counted, by counter group: those of all of them, which go in step.
    pub(crate) fn windows_each(&self, appliance: &str) -> f64 {
        let groups = self.matching("asyncos_window_end_timestamp_seconds", &[("appliance", appliance)]).len().max(1);
        let counted = self.value("asyncos_windows_committed_total", &[("appliance", appliance)]);
        (counted.unwrap_or_default() / groups as f64).floor()
    }

    /// Name, type and help of each family, in the order of the page.
    pub(crate) fn families(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.families.iter().map(|family| (family.name.as_str(), family.kind.as_str(), family.help.as_str()))
    }

    /// `help` carries a HELP line until its TYPE line, which must follow at once.
    fn take(&mut self, line: &str, help: &mut Option<(String, String)>) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a type")?;
            let help = match help.take() {
                Some((helped, text)) if helped == name => text,
                Some(_) | None => return Err(format!("no HELP before the TYPE of `{name}`")),
            };
            check_kind(name, kind)?;
            self.families.push(Family { name: name.to_owned(), kind: kind.to_owned(), help });
            return Ok(());
        }
        if let Some((name, _)) = help {
            return Err(format!("no TYPE after the HELP of `{name}`"));
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').ok_or("HELP without a text")?;
            check_metric_name(name)?;
            if self.families.iter().any(|family| family.name == name) {
                return Err(format!("`{name}` has a second HELP"));
            }
            let text = unescaped(text, false)?;
            if text.trim().is_empty() {
                return Err("HELP without a text".into());
            }
            *help = Some((name.to_owned(), text));
            return Ok(());
        }
        match line.chars().next() {
            None => Err("a blank line".into()),
            Some('#') => Err("a comment that is neither HELP nor TYPE".into()),
            Some(_) => self.take_sample(line),
        }
    }

    fn take_sample(&mut self, line: &str) -> Result<(), String> {
        let end = line.find(['{', ' ']).ok_or("a sample without a value")?;
        let (name, rest) = line.split_at(end);
        check_metric_name(name)?;
        let family = self.families.last().ok_or_else(|| format!("no HELP and TYPE before `{name}`"))?;
        if !family.has(name) {
            return Err(format!("`{name}` stands among the samples of `{}`", family.name));
        }
        let (labels, rest) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Labels::new(), rest),
        };
        let text = rest.strip_prefix(' ').ok_or("no blank before the value")?;
        if text.split_once(' ').is_some_and(|(value, _)| value.parse::<f64>().is_ok()) {
            return Err("a timestamp or something else follows the value".into());
        }
        let value = go_float(text)?;
        if family.kind != "gauge" && !name.ends_with("_sum") && (value.is_nan() || value < 0.0) {
            return Err(format!("`{name}` counts and cannot be {text}"));
        }
        if labels.contains_key("le") != (family.kind == "histogram" && name.ends_with("_bucket")) {
            return Err("the label `le` belongs to the buckets of a histogram and to nothing else".into());
        }
        if self.samples.insert((name.to_owned(), labels), value).is_some() {
            return Err(format!("a second sample of the same series of `{name}`"));
        }
        Ok(())
    }

    fn check_histogram(&self, family: &str) -> Result<(), String> {
        let [bucket, count, sum] = ["bucket", "count", "sum"].map(|part| format!("{family}_{part}"));
        // A series is known by any of its parts, or a forgotten one would go unseen.
        let parts = self.samples.keys().filter(|(name, _)| [&bucket, &count, &sum].contains(&name));
        let all: BTreeSet<Labels> = parts.map(|(_, labels)| without_le(labels)).collect();
        for labels in all {
            let refuse = |problem: &str| Err(format!("histogram `{family}` with {labels:?}: {problem}"));
            let sample = |name: &String| self.samples.get(&(name.clone(), labels.clone())).copied();
            let (Some(count), Some(_)) = (sample(&count), sample(&sum)) else {
                return refuse("_count or _sum is missing");
            };
            let mut buckets = vec![];
            for ((name, have), value) in &self.samples {
                if *name == bucket && without_le(have) == labels {
                    buckets.push((go_float(&have["le"])?, *value));
                }
            }
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            if buckets.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return refuse("two buckets have the same bound");
            }
            if buckets.windows(2).any(|pair| pair[0].1 > pair[1].1) {
                return refuse("buckets are not cumulative");
            }
            if buckets.last() != Some(&(f64::INFINITY, count)) {
                return refuse("the bucket +Inf is missing or differs from _count");
            }
        }
        Ok(())
    }
}

impl Family {
    fn has(&self, sample: &str) -> bool {
        match (self.kind.as_str(), sample.strip_prefix(&self.name)) {
            ("histogram", suffix) => matches!(suffix, Some("_bucket" | "_count" | "_sum")),
            (_, suffix) => suffix == Some(""),
        }
    }
}

fn without_le(labels: &Labels) -> Labels {
    labels.iter().filter(|(name, _)| *name != "le").map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn check_kind(name: &str, kind: &str) -> Result<(), String> {
    match (kind, name.ends_with("_total")) {
        ("counter", true) | ("gauge" | "histogram", false) => Ok(()),
        ("counter", false) => Err(format!("counter `{name}` does not end in _total")),
        ("gauge" | "histogram", true) => Err(format!("{kind} `{name}` ends in _total")),
        _ => Err(format!("`{kind}` is none of our types")),
    }
}

/// Colons are legal but for recording rules.
fn check_metric_name(name: &str) -> Result<(), String> {
    let is_valid = !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty();
    match is_valid && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        true => Ok(()),
        false => Err(format!("`{name}` is not a valid name")),
    }
}

/// What follows the opening brace: the labels, and what is left after the closing one.
fn labels(mut rest: &str) -> Result<(Labels, &str), String> {
    let mut labels = Labels::new();
    loop {
        let (name, quoted) = rest.split_once("=\"").ok_or("a label without a quoted value")?;
        check_metric_name(name)?;
        if name.starts_with("__") {
            return Err(format!("label `{name}` is reserved"));
        }
        let end = end_of_quoted(quoted).ok_or_else(|| format!("the value of label `{name}` does not end"))?;
        let value = unescaped(&quoted[..end], true)?;
        if value.is_empty() {
            return Err(format!("label `{name}` is empty: leave it out"));
        }
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label `{name}` comes twice"));
        }
        let after = &quoted[end + 1..];
        match (after.strip_prefix(','), after.strip_prefix('}')) {
            (Some(next), _) => rest = next,
            (None, Some(rest)) => return Ok((labels, rest)),
            (None, None) => return Err(format!("neither `,` nor `}}` after label `{name}`")),
        }
    }
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

fn unescaped(text: &str, is_label: bool) -> Result<String, String> {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('"') if is_label => '"',
                other => return Err(format!("`\\{}` is not an escape", other.map_or("".into(), String::from))),
            },
            other => other,
        });
    }
    Ok(plain)
}

/// A decimal number as Go's `ParseFloat` takes it: it refuses a signed NaN and what is out of range, Rust does not.
fn go_float(text: &str) -> Result<f64, String> {
    let names_infinity = text.to_ascii_lowercase().contains("inf");
    match text.parse::<f64>() {
        Ok(value) if value.is_infinite() != names_infinity => Err(format!("`{text}` is out of range")),
        Ok(value) if value.is_nan() && text.len() != 3 => Err(format!("`{text}` is not a number")),
        Ok(value) => Ok(value),
        Err(_) => Err(format!("`{text}` is not a number")),
    }
}

mod tests {
    use super::*;

    const HEAD: &str = "# HELP a A.\n# TYPE a gauge\n";

    fn gauge(lines: &str) -> Result<Page, String> {
        Page::parse(&format!("{HEAD}{lines}"))
    }

    fn histogram(lines: &str) -> Result<Page, String> {
        Page::parse(&format!("# HELP h H.\n# TYPE h histogram\n{lines}"))
    }

    #[test]
    fn a_good_page_is_read_whole() {
        let text = "# HELP b_total Two \\\\ lines\\nhere \"quoted\".\n# TYPE b_total counter\nb_total{x=\"1\",y=\"2\"} 3\n\
                    b_total{x=\"1\",y=\"q\\\"\\\\\\n,}{=\"} 4.5e+06\n\
                    # HELP a A.\n# TYPE a gauge\na -0.5\n\
                    # HELP h H.\n# TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 7\nh_count 2\n";
        let page = Page::parse(text).unwrap();
        let families =
            [("b_total", "counter", "Two \\ lines\nhere \"quoted\"."), ("a", "gauge", "A."), ("h", "histogram", "H.")];
        assert!(page.families().eq(families));
        assert_eq!(page.value("b_total", &[("y", "2"), ("x", "1")]), Some(3.0));
        assert_eq!(page.value("b_total", &[("x", "1")]), None, "the label set is exact");
        assert_eq!(page.value("a", &[]), Some(-0.5));
        assert_eq!(page.value("h_bucket", &[("le", "0.5")]), Some(1.0));
        let both = page.matching("b_total", &[("x", "1")]);
        assert_eq!(
            both.iter().map(|(labels, value)| (labels["y"].as_str(), *value)).collect::<Vec<_>>(),
            [("2", 3.0), ("q\"\\\n,}{=", 4_500_000.0)]
        );
        assert_eq!(page.matching("b_total", &[("x", "2")]), []);
    }

    #[test]
    fn the_frame_is_strict() {
        let cases = [
            ("", "line 0: the final newline is missing"),
            ("# HELP a A.\n# TYPE a gauge\na 1", "line 3: the final newline is missing"),
            ("\n", "line 1: a blank line"),
            ("# HELP a A.\n# TYPE a gauge\n\na 1\n", "line 3: a blank line"),
            ("# EOF\n", "line 1: a comment that is neither HELP nor TYPE"),
            ("a 1\n", "line 1: no HELP and TYPE before `a`"),
            ("# TYPE a gauge\n", "line 1: no HELP before the TYPE of `a`"),
            ("# HELP a A.\n# TYPE b gauge\n", "line 2: no HELP before the TYPE of `b`"),
            ("# HELP a A.\na 1\n", "line 2: no TYPE after the HELP of `a`"),
            ("# HELP a A.\n", "line 1: no TYPE after the HELP of `a`"),
            ("# HELP a A.\n# HELP a A.\n", "line 2: no TYPE after the HELP of `a`"),
            ("# HELP a\n", "line 1: HELP without a text"),
            ("# HELP a  \n", "line 1: HELP without a text"),
            ("# HELP a \\x\n", "line 1: `\\x` is not an escape"),
            ("# HELP a \\\"\n", "line 1: `\\\"` is not an escape"),
            ("# HELP a A.\n# TYPE a\n", "line 2: TYPE without a type"),
            ("# HELP a A.\n# TYPE a summary\n", "line 2: `summary` is none of our types"),
            ("# HELP a A.\n# TYPE a counter\n", "line 2: counter `a` does not end in _total"),
            ("# HELP a_total A.\n# TYPE a_total gauge\n", "line 2: gauge `a_total` ends in _total"),
        ];
        for (text, problem) in cases {
            assert_eq!(Page::parse(text), Err(problem.to_owned()), "{text}");
        }
    }

    #[test]
    fn families_are_whole_and_unique() {
        let cases = [
            ("# TYPE a gauge\n", "line 3: no HELP before the TYPE of `a`"),
            ("# HELP a A.\n", "line 3: `a` has a second HELP"),
            ("b 1\n", "line 3: `b` stands among the samples of `a`"),
            ("a_sum 1\n", "line 3: `a_sum` stands among the samples of `a`"),
            ("a 1\n# HELP b B.\n# TYPE b gauge\nb 1\na 2\n", "line 7: `a` stands among the samples of `b`"),
        ];
        for (lines, problem) in cases {
            assert_eq!(gauge(lines), Err(problem.to_owned()), "{lines}");
        }
    }

    #[test]
    fn samples_are_strict() {
        let cases = [
            ("a\n", "a sample without a value"),
            ("1a 1\n", "`1a` is not a valid name"),
            ("a:b 1\n", "`a:b` is not a valid name"),
            ("ä 1\n", "`ä` is not a valid name"),
            ("a{} 1\n", "a label without a quoted value"),
            ("a{x=\"1\",} 1\n", "a label without a quoted value"),
            ("a{x=1} 1\n", "a label without a quoted value"),
            ("a{x-y=\"1\"} 1\n", "`x-y` is not a valid name"),
            ("a{__x=\"1\"} 1\n", "label `__x` is reserved"),
            ("a{x=\"\"} 1\n", "label `x` is empty: leave it out"),
            ("a{x=\"1\",x=\"2\"} 1\n", "label `x` comes twice"),
            ("a{x=\"1} 1\n", "the value of label `x` does not end"),
            ("a{x=\"\\t\"} 1\n", "`\\t` is not an escape"),
            ("a{x=\"1\" y=\"1\"} 1\n", "neither `,` nor `}` after label `x`"),
            ("a{le=\"1\"} 1\n", "the label `le` belongs to the buckets of a histogram and to nothing else"),
            ("a{x=\"1\"}1\n", "no blank before the value"),
            ("a 1 1700000000000\n", "a timestamp or something else follows the value"),
            ("a 1 \n", "a timestamp or something else follows the value"),
            ("a  1\n", "` 1` is not a number"),
            ("a 1\r\n", "`1\r` is not a number"),
            ("a 1_000\n", "`1_000` is not a number"),
            ("a one\n", "`one` is not a number"),
            ("a -NaN\n", "`-NaN` is not a number"),
            ("a 1e400\n", "`1e400` is out of range"),
        ];
        for (line, problem) in cases {
            assert_eq!(gauge(line), Err(format!("line 3: {problem}")), "{line}");
        }
        let twice = "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n";
        assert_eq!(gauge(twice), Err("line 4: a second sample of the same series of `a`".to_owned()));
        for value in ["0", "-1", "+1", ".5", "5.", "1e-9", "+Inf", "-inf", "NaN"] {
            assert!(gauge(&format!("a {value}\n")).is_ok(), "{value}");
        }
        for value in ["-1", "NaN"] {
            let text = format!("# HELP a_total A.\n# TYPE a_total counter\na_total {value}\n");
            assert_eq!(Page::parse(&text), Err(format!("line 3: `a_total` counts and cannot be {value}")));
        }
    }

    #[test]
    fn histograms_add_up() {
        let good =
            "h_bucket{x=\"1\",le=\"1\"} 1\nh_bucket{x=\"1\",le=\"+Inf\"} 2\nh_sum{x=\"1\"} -3\nh_count{x=\"1\"} 2\n";
        assert!(histogram(good).is_ok());
        let cases = [
            ("le=\"+Inf\"} 2", "le=\"+Inf\"} 3", "the bucket +Inf is missing or differs from _count"),
            ("le=\"+Inf\"} 2", "le=\"9\"} 2", "the bucket +Inf is missing or differs from _count"),
            ("le=\"1\"} 1", "le=\"1\"} 3", "buckets are not cumulative"),
            ("le=\"1\"} 1", "le=\"Inf\"} 2", "two buckets have the same bound"),
            ("h_sum{x=\"1\"} -3\n", "", "_count or _sum is missing"),
            ("h_count{x=\"1\"} 2\n", "", "_count or _sum is missing"),
        ];
        for (from, to, problem) in cases {
            let expected = format!("histogram `h` with {{\"x\": \"1\"}}: {problem}");
            assert_eq!(histogram(&good.replace(from, to)), Err(expected), "{to}");
        }
        let no_le = "line 3: the label `le` belongs to the buckets of a histogram and to nothing else";
        assert_eq!(histogram("h_bucket 1\n"), Err(no_le.to_owned()));
        assert_eq!(histogram("h 1\n"), Err("line 3: `h` stands among the samples of `h`".to_owned()));
    }
}
