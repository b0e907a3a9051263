//! The JSON Schema of the configuration, which accepts each configuration that there is and refuses mistakes.

use serde_yaml::Value;

use super::*;
use crate::readme::{PAGES, fenced_in, page};

const SCHEMA: &str = "deploy/config.schema.json";

fn check(files: &[String]) -> Output {
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    python("check-jsonschema", &[&["--schemafile", SCHEMA][..], &files].concat())
}

fn corpus(folder: &str) -> Vec<String> {
    let all = files(folder).into_iter().map(|path| path.display().to_string());
    all.filter(|path| path.ends_with(".yaml")).collect()
}

#[test]
fn the_schema_accepts_every_configuration_of_the_project() {
    let folder = Folder::new();
    let mut all = corpus("tests/configs/ok");
    all.extend(["config.example.yaml", "deploy/compose/config.yaml"].map(str::to_owned));
    // Whole configurations in the manual.
    let blocks = PAGES.iter().flat_map(|name| fenced_in(&page(name), "yaml"));
    let whole = blocks.filter(|text| text.lines().any(|line| line.starts_with("appliances:")));
    let whole: Vec<String> =
        whole.enumerate().map(|(number, text)| folder.write(&format!("{number}.yaml"), text)).collect();
    assert!(!whole.is_empty(), "no configuration in the manual");
    all.extend(whole);
    // Configurations within values of the chart.
    let mut values = corpus("deploy/helm/asyncos-exporter/ci");
    values.push("deploy/kubernetes/values.yaml".into());
    let within = values.iter().filter_map(|file| {
        let values: Value = serde_yaml::from_str(&read(file)).expect("YAML");
        values.get("config").map(|config| serde_yaml::to_string(config).expect("YAML"))
    });
    let within: Vec<String> =
        within.enumerate().map(|(number, text)| folder.write(&format!("values{number}.yaml"), text)).collect();
    assert!(within.len() > 3, "{within:?}");
    all.extend(within);
    succeeds(&check(&all));
}

#[test]
fn the_schema_refuses_mistakes_and_is_one_itself() {
    succeeds(&python("check-jsonschema", &["--check-metaschema", SCHEMA]));
    let folder = Folder::new();
    for (what, text) in [
        ("key", "appliances: [{name: a, url: 'https://a', pasword: x}]"),
        ("word", "appliances: [{name: a, url: 'https://a', product: wsa}]"),
        ("unit", "appliances: [{name: a, url: 'https://a', polling: {window: 5}}]"),
        ("range", "appliances: [{name: a, url: 'https://a', polling: {concurrency: 9}}]"),
        ("list", "counter_groups: mail_system_capacity\nappliances: [{name: a, url: 'https://a'}]"),
        ("missing", "appliances: [{name: a}]"),
        ("none", "appliances: []"),
    ] {
        let file = folder.write("c.yaml", text);
        assert!(!check(&[file]).status.success(), "{what}");
    }
}

#[test]
fn the_example_leads_editors_to_the_schema() {
    let text = read("config.example.yaml");
    assert!(text.starts_with("# yaml-language-server: $schema=deploy/config.schema.json\n"), "{text}");
    // The same place beside the example in packages and archives.
    let (manifest, release) = (read("Cargo.toml"), read(".github/workflows/release.yml"));
    assert_eq!(manifest.matches("usr/share/doc/asyncos-exporter/examples/deploy/").count(), 2);
    assert!(release.contains("config.example.yaml deploy/config.schema.json"));
}
