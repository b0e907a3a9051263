//! Writes the dashboards for Grafana, the rules for Prometheus and the runbook for their alerts: `cargo run -p asyncos_mixin`.
//! All come from one typed source, so that a line in a graph and the limit of its alert cannot differ. Metrics are known by
//! their names alone: the exporter's tests compare them with its catalogue.

mod alert;
mod alerts;
mod board;
mod boards;
mod counted;
mod panel;
mod query;
mod recording;
mod rules;
mod runbook;
mod style;
mod threshold;

use std::io;
use std::path::{Path, PathBuf};

/// A file below the root of the repository, and what it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    path: PathBuf,
    text: String,
}

fn main() -> io::Result<()> {
    files().into_iter().try_for_each(|file| std::fs::write(root().join(&file.path), &file.text))
}

/// The root of the repository, in which this crate is compiled.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn files() -> Vec<File> {
    let dashboard = |board: &board::Board| File {
        path: Path::new("grafana/dashboards").join(format!("{}.json", board.uid.name())),
        text: board.to_json(),
    };
    let mut files: Vec<File> = boards::all().iter().map(dashboard).collect();
    files.extend(rules::files());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_files_are_up_to_date() {
        for File { path, text } in files() {
            let committed = std::fs::read_to_string(root().join(&path)).unwrap_or_default();
            assert!(committed == text, "{} differs: `cargo run -p asyncos_mixin` writes it", path.display());
        }
    }

    #[test]
    fn there_is_no_other_dashboard() {
        let found = std::fs::read_dir(root().join("grafana/dashboards")).unwrap();
        assert_eq!(found.count(), boards::all().len());
    }
}
