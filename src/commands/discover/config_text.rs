//! The configuration that expresses what was found, and no more; what was found beside it stands in comments.

use super::entry::Entry;
use super::findings::{CAPACITY, Findings, GroupAccess, USUAL_DEVICE_GROUP};
use super::yaml::{comment, scalar};
use crate::api::{ManagedAppliance, StatusKind};
use crate::commands::probe::access::{AccessCheck, Windows, described, topic};
use crate::commands::probe::product_name;

/// The text of the file.
pub(super) fn config_text(entry: &Entry, findings: &Findings) -> String {
    let mut text = Text::default();
    text.remark(0, &format!("{} at {}, as found on {}", product_name(findings.product), entry.url(), findings.at));
    for observed in &findings.observed {
        if let Ok(observation) = &observed.answer {
            text.remark(0, &format!("{}: {}", topic(&observed.aspect), described(observation)));
        }
    }
    text.0.push_str(&entry.text(findings.product));
    windows(&mut text, &findings.windows);
    groups(&mut text, findings);
    members(&mut text, findings);
    status_options(&mut text, findings);
    text.0
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, indent: usize, line: &str) {
        self.0.push_str(&format!("{:indent$}{line}\n", ""));
    }

    fn remark(&mut self, indent: usize, remark: &str) {
        self.line(indent, &format!("# {}", comment(remark)));
    }
}

fn windows(text: &mut Text, windows: &Windows) {
    match windows {
        Windows::Minutes => {}
        Windows::Hours(said) => {
            text.line(4, "polling:");
            text.remark(6, &format!("Windows shorter than an hour are refused: {said}"));
            text.line(6, "alignment: hour");
            text.line(6, "window: 1h");
        }
        Windows::Unclear(said) => {
            text.remark(4, &format!("Cannot determine whether windows shorter than an hour work: {said}"));
        }
    }
}

fn groups(text: &mut Text, findings: &Findings) {
    let trouble = |asked: &GroupAccess| asked.access.trouble().map(|trouble| format!("{}: {trouble}", asked.name));
    if findings.is_centralized {
        text.remark(4, "Reporting seems to be centralized on an SMA: poll the SMA for everything but the capacity.");
        text.line(4, &format!("counter_groups: [{CAPACITY}]"));
        return;
    }
    if findings.groups.iter().all(|asked| asked.access.is_wanted()) {
        for trouble in findings.groups.iter().filter_map(trouble) {
            text.remark(4, &trouble);
        }
        text.line(4, "counter_groups: full");
    } else {
        text.line(4, "counter_groups:");
        for asked in &findings.groups {
            if let Some(trouble) = trouble(asked) {
                text.remark(6, &trouble);
            }
            if asked.access.is_wanted() {
                text.line(6, &format!("- {}", asked.name));
            }
        }
    }
}

fn members(text: &mut Text, findings: &Findings) {
    let Some(manager) = &findings.manager else { return };
    if manager.web == AccessCheck::Readable {
        text.remark(4, "Web reports are available too: list those you want in `counter_groups`.");
    }
    text.remark(4, "No known endpoint lists device groups for a read-only account: add yours by name.");
    match manager.usual_group.trouble() {
        None => text.line(4, &format!("device_groups: [{USUAL_DEVICE_GROUP}]")),
        Some(trouble) => text.remark(4, &format!("device_groups: [{USUAL_DEVICE_GROUP}]   {trouble}")),
    }
    let (gateways, nameless) = findings.gateways();
    if let Some(failure) = findings.refusal(&StatusKind::Managed) {
        text.remark(4, &format!("Cannot list its devices ({failure}): list those you want in `devices`."));
    }
    if nameless > 0 {
        text.remark(4, &format!("{nameless} of its devices have no usable host name and are missing here."));
    }
    if gateways.is_empty() {
        return;
    }
    text.remark(4, "The exporter requests every counter group for each device too: remove those you do not need.");
    text.line(4, "devices:");
    for ManagedAppliance { host_name, connection_established, .. } in gateways {
        if *connection_established == Some(false) {
            text.remark(6, "The SMA has no connection to the next one now.");
        }
        text.line(6, &format!("- {}", scalar(host_name.as_deref().unwrap_or_default())));
    }
}

fn status_options(text: &mut Text, findings: &Findings) {
    for (key, aspect) in [("health", StatusKind::Health), ("quarantines", StatusKind::Quarantines(None))] {
        if let Some(failure) = findings.refusal(&aspect) {
            text.remark(4, &format!("Request failed: {failure}"));
            text.line(4, &format!("{key}: false"));
        }
    }
    let inventory = [StatusKind::TimeZone, StatusKind::Privileges, StatusKind::Reporting, StatusKind::Managed];
    let asked = || findings.observed.iter().filter(|observed| inventory.contains(&observed.aspect));
    if asked().all(|observed| observed.answer.is_err()) {
        text.remark(4, "Cannot read the time zone, the privileges or the state of reporting.");
        text.line(4, "inventory: false");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::api::{Failure, Observation, Reason};
    use crate::base::clock::Timestamp;
    use crate::catalogue::{self, Profile};
    use crate::cli::{Cli, Command};
    use crate::commands::discover::findings::Manager;
    use crate::commands::probe::access::Observed;
    use crate::config::{Alignment, Config, Product, Quarantines};

    fn entry() -> Entry {
        let arguments =
            ["x", "discover", "--url=https://esa1.example.com:6443", "--username=monitor", "--password-env=PATH"];
        let Command::Discover(flags) = Cli::parse_from(arguments).command() else { panic!("discover") };
        Entry::new(&flags)
    }

    fn not_allowed() -> Failure {
        Failure::new(Reason::NotAllowed, "status 401: Unauthorized.")
    }

    fn observed(aspect: StatusKind, answer: Result<Observation, Failure>) -> Observed {
        Observed { aspect, answer }
    }

    fn findings(product: Product) -> Findings {
        let asked = |group: &'static catalogue::Group| GroupAccess { name: &group.name, access: AccessCheck::Readable };
        Findings {
            product,
            at: Timestamp::from_secs(1_795_435_230),
            observed: vec![observed(StatusKind::TimeZone, Ok(Observation::TimeZone(Some("Etc/UTC".into()))))],
            groups: catalogue::profile(Profile::Full).map(asked).collect(),
            windows: Windows::Minutes,
            is_centralized: false,
            manager: None,
        }
    }

    /// The text after the entry, which must be a configuration without problems or warnings.
    fn rest(findings: &Findings) -> (String, Config) {
        let text = config_text(&entry(), findings);
        let config = Config::parse("test", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(config.warnings, [], "{text}");
        let (_, rest) = text.split_once(&entry().text(findings.product)).expect("the entry");
        (rest.to_owned(), config)
    }

    #[test]
    fn what_is_usual_needs_one_line() {
        let text = config_text(&entry(), &findings(Product::Esa));
        assert!(text.starts_with(
            "# Secure Email Gateway (ESA) at https://esa1.example.com:6443, as found on 2026-11-23T12:00:30.000Z\n\
             # time zone: Etc/UTC\nappliances:\n  - name: esa1\n"
        ));
        assert_eq!(rest(&findings(Product::Esa)).0, "    counter_groups: full\n");
    }

    #[test]
    fn what_is_refused_is_left_out_and_said() {
        let mut found = findings(Product::Esa);
        found.groups.truncate(3);
        let names: Vec<&str> = found.groups.iter().map(|asked| asked.name).collect();
        found.groups[0].access = AccessCheck::NotOffered("status 404: Not\nFound.".into());
        found.groups[2].access = AccessCheck::Unclear("status 503: no message".into());
        found.windows = Windows::Hours("minutes".into());
        found.observed = vec![
            observed(StatusKind::TimeZone, Err(not_allowed())),
            observed(StatusKind::Health, Err(not_allowed())),
            observed(StatusKind::Quarantines(None), Err(not_allowed())),
        ];
        let (text, config) = rest(&found);
        let expected = format!(
            "    polling:\n      # Windows shorter than an hour are refused: minutes\n      alignment: hour\n      \
            window: 1h\n    counter_groups:\n      # {}: not available (status 404: Not Found.)\n      - {}\n      \
             # {}: unknown (status 503: no message)\n      - {}\n    \
             # Request failed: status 401: Unauthorized.\n    health: false\n    \
             # Request failed: status 401: Unauthorized.\n    quarantines: false\n    \
             # Cannot read the time zone, the privileges or the state of reporting.\n    inventory: false\n",
            names[0], names[1], names[2], names[2]
        );
        assert_eq!(text, expected);
        let appliance = &config.appliances[0];
        assert_eq!((appliance.polling.alignment, appliance.groups.len()), (Alignment::Hour, 2));
        assert_eq!(appliance.status_options.quarantines, Quarantines::Named(Vec::new()));
        found.groups.remove(0);
        assert!(rest(&found).0.contains("counter_groups: full"), "what is unclear is polled");
    }

    #[test]
    fn a_gateway_without_reporting_is_asked_for_its_capacity() {
        let found = Findings { is_centralized: true, ..findings(Product::Esa) };
        let groups = &rest(&found).1.appliances[0].groups;
        assert_eq!(groups.iter().map(|choice| &*choice.group.name).collect::<Vec<_>>(), [CAPACITY]);
    }

    #[test]
    fn devices_are_those_that_can_be_asked_for() {
        let device = |name: &str, product: &str| ManagedAppliance {
            serial: name.into(),
            host_name: Some(name.into()),
            product_type: Some(product.into()),
            connection_established: Some(name != "b: c"),
            ..ManagedAppliance::default()
        };
        let devices = vec![
            device("esa1.example.com", "ESA"),
            device("wsa1.example.com", "WSA"),
            device("esa1.example.com", "ESA"),
            device("b: c", "esa"),
            device(&"x".repeat(129), "ESA"),
            ManagedAppliance::default(),
        ];
        let mut found = findings(Product::Sma);
        found.observed.push(observed(StatusKind::Managed, Ok(Observation::Managed(devices))));
        let not_there = AccessCheck::NotOffered("status 404: Not Found.".into());
        found.manager = Some(Manager { usual_group: not_there, web: AccessCheck::Readable });
        let (text, config) = rest(&found);
        let scopes: Vec<&str> = config.appliances[0].scopes.iter().map(crate::config::Scope::device).collect();
        assert_eq!(scopes, ["", "esa1.example.com", "b: c"]);
        for said in [
            "# device_groups: [Hosted_Cluster]   not available (status 404: Not Found.)",
            "# No known endpoint lists device groups for a read-only account",
            "# Web reports are available too",
            "# 2 of its devices have no usable host name and are missing here.",
            "# The SMA has no connection to the next one now.\n      - \"b: c\"",
        ] {
            assert!(text.contains(said), "{said}\n{text}");
        }
        found.manager = Some(Manager { usual_group: AccessCheck::Readable, web: AccessCheck::Readable });
        assert_eq!(rest(&found).1.appliances[0].scopes[1].device_group(), USUAL_DEVICE_GROUP);
    }
}
