//! The links of the manual: each leads to a file that is there, and to a heading in it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::readme::{PAGES, page};
use crate::tidy::wording::odd_phrase;

/// Further pages that people read.
const OTHERS: [&str; 4] = ["deploy/README.md", "grafana/README.md", "CHANGELOG.md", "src/ARCHITECTURE.md"];

/// The largest picture, in bytes.
const LARGEST_PICTURE: u64 = 150 * 1024;

/// The name that Markdown renderers give a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.trim_start().starts_with("```");
        !is_code && line.starts_with('#')
    });
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// What links and pictures of a page lead to.
fn targets(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

/// What is wrong with the links of a page of that name.
fn broken(name: &str, text: &str) -> Vec<String> {
    let folder = Path::new(name).parent().expect("a folder");
    let mut broken = Vec::new();
    for target in targets(text).into_iter().filter(|target| !target.contains("://")) {
        let (file, heading) = target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
        let path = folder.join(file);
        let is_there = file.is_empty() || path.exists();
        let is_heading = |heading: &str| match file {
            "" => anchors(text).contains(heading),
            _ => std::fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(heading)),
        };
        if !is_there || !heading.is_none_or(is_heading) {
            broken.push(format!("{name}: {target}"));
        }
    }
    broken
}

#[test]
fn every_link_leads_somewhere() {
    let mut found = 0;
    for name in PAGES.iter().chain(&OTHERS) {
        let text = page(name);
        assert_eq!(broken(name, &text), [""; 0]);
        found += targets(&text).len();
    }
    assert!(found > 40, "{found}");
}

#[test]
fn a_link_to_nothing_is_seen() {
    let text =
        "# One\n[a](#one) [b](#two) [c](nowhere.md) [d](README.md#install) [e](README.md#uninstall) [f](https://x/)";
    assert_eq!(broken("x.md", text), ["x.md: #two", "x.md: nowhere.md", "x.md: README.md#uninstall"]);
}

/// Sentences alone: tables and examples have the names and words of the code.
#[test]
fn pages_are_in_plain_english() {
    for name in PAGES.iter().chain(&OTHERS[..2]) {
        let text = page(name);
        let prose = text.split("```").step_by(2).flat_map(str::lines).filter(|line| !line.starts_with('|'));
        let found: Vec<String> = prose.filter_map(odd_phrase).collect();
        assert_eq!(found, [""; 0], "{name}");
    }
}

#[test]
fn the_readme_begins_with_a_small_picture_of_the_status_page() {
    let text = page("README.md");
    let (head, _) = text.split_once("\n## ").expect("sections");
    assert!(head.contains("(deploy/status.png)"), "{head}");
    let bytes = std::fs::metadata("deploy/status.png").expect("a picture").len();
    assert!(bytes <= LARGEST_PICTURE, "{bytes} bytes");
}

/// Packages and archives keep the folders, so that the links between the pages work there too.
#[test]
fn packages_hold_the_whole_manual() {
    let manifest = page("Cargo.toml");
    let release = page(".github/workflows/release.yml");
    for (source, folder) in
        [("README.md", ""), ("deploy/*.md", "deploy/"), ("deploy/status.png", "deploy/"), ("grafana/*.md", "grafana/")]
    {
        let place = format!("usr/share/doc/asyncos-exporter/{folder}\"");
        let lines: Vec<&str> = manifest.lines().filter(|line| line.contains(&format!("\"{source}\""))).collect();
        assert_eq!(lines.iter().filter(|line| line.contains(&place)).count(), 2, "{source}: {lines:?}");
        assert!(release.contains(source), "{source}");
    }
}
