//! Every metric and label of the boards and rules against the exporter's own catalogue, and the other way round.

use std::collections::{BTreeMap, BTreeSet};

use asyncos_exporter::catalogue::{self, Profile, ScopeKind};
use asyncos_exporter::exposition;
use asyncos_exporter::sample::ABOUT_NOW;

use super::boards;
use super::promql::{self, Read};
use super::{rules, text};
use crate::exposition::Page;

/// Labels that Prometheus adds.
const ADDED: [&str; 2] = ["job", "instance"];
const SCOPE: [&str; 3] = ["appliance", "device_group", "device"];
/// What the XML status of a gateway holds, under the exporter's names. **Source:** the recorded document.
const STATUS: [&str; 21] = [
    "active_recips",
    "conn_in",
    "conn_out",
    "dests_in_memory",
    "log_available_bytes",
    "log_used_ratio",
    "queue_free_bytes",
    "queue_used_bytes",
    "resource_conservation",
    "unattempted_recips",
    "inj_msgs_total",
    "inj_recips_total",
    "soft_bounced_evts_total",
    "completed_recips_total",
    "hard_bounced_recips_total",
    "dns_hard_bounced_recips_total",
    "5xx_hard_bounced_recips_total",
    "filter_hard_bounced_recips_total",
    "expired_hard_bounced_recips_total",
    "other_hard_bounced_recips_total",
    "delivered_recips_total",
];
/// What is shown nowhere, and why.
const UNUSED: [(&str, &str); 21] = [
    ("asyncos_account_privileges", "a number that nobody can judge"),
    ("asyncos_config_last_reload_success_timestamp_seconds", "the reload that failed is what matters"),
    (
        "asyncos_group_last_success_timestamp_seconds",
        "only of the quarantines; the others have the end of their window",
    ),
    ("asyncos_mail_incoming_traffic_summary_detected_virus_per_msg", "nearly the same as what is shown"),
    ("asyncos_mail_outgoing_traffic_summary_ims_spam_increment_over_case", "of no use beside the incoming one"),
    ("asyncos_mail_outgoing_traffic_summary_total_recipients", "nearly the same as those processed"),
    ("asyncos_mail_outgoing_amp_summary_clamav_lowrisk", "outgoing files are told in six lines"),
    ("asyncos_mail_outgoing_amp_summary_custom_threshold", "outgoing files are told in six lines"),
    ("asyncos_mail_dlp_outgoing_traffic_summary_total_dlp_incidents", "the traffic summary has it"),
    ("asyncos_mail_security_summary_received_conn_total", "the sum of what is shown"),
    ("asyncos_mail_security_summary_sent_conn_total", "the sum of what is shown"),
    ("asyncos_mail_authentication_summary_received", "logins are told by connection"),
    ("asyncos_mail_system_capacity_workqueue_messages_max", "the name of older releases"),
    ("process_virtual_memory_bytes", "address space costs nothing"),
    ("asyncos_quarantine_messages_lower_bound", "the panel of the quarantines says where to look"),
    ("asyncos_destination_connections", "the waiting recipients and deliveries tell more"),
    ("asyncos_destination_status", "known to few releases; the alert looks at deliveries"),
    ("asyncos_destination_hard_bounces_total", "the reports tell hard bounces of all releases"),
    ("asyncos_raid_status", "only few releases are known to tell it"),
    ("asyncos_system_", "only few releases are known to tell it, and the reports count the same mail"),
    ("asyncos_status_", "what the reports and the health tell too"),
];

/// Labels by metric, of everything that Prometheus may know of us.
fn known() -> BTreeMap<String, BTreeSet<String>> {
    let mut known = BTreeMap::new();
    let mut know = |name: &str, labels: &[&str]| {
        let all = labels.iter().chain(&ADDED).map(|label| (*label).to_owned());
        known.entry(name.to_owned()).or_insert_with(BTreeSet::new).extend(all);
    };
    for group in catalogue::groups() {
        let key: Vec<&str> = group.key.iter().map(|key| &*key.label).collect();
        for counter in group.counters.iter().filter(|counter| counter.is_numeric()) {
            let labels = [&SCOPE[..], &key].concat();
            for scope in ScopeKind::ALL {
                know(&counter.gauge_name(group, scope), &labels);
                if let Some(total) = counter.total_name(group, scope) {
                    know(&total, &labels);
                }
            }
        }
    }
    for about in exposition::ABOUT_DATA {
        know(about.name, &[&SCOPE[..], &["group", "reason"]].concat());
    }
    know("asyncos_appliance_info", &["product", "model", "release", "serial", "hostname", "timezone"]);
    for about in ABOUT_NOW {
        let own: &[&str] = match about.name {
            "asyncos_system_status" | "asyncos_raid_status" => &["state"],
            "asyncos_feature_expiry_timestamp_seconds" => &["feature"],
            name if name.starts_with("asyncos_destination") => &["domain", "state"],
            name if name.starts_with("asyncos_quarantine") => &["quarantine", "quarantine_type"],
            name if name.starts_with("asyncos_managed") => &["managed_appliance", "product_type", "service"],
            _ => &[],
        };
        know(about.name, &[&["appliance"], own].concat());
    }
    for name in STATUS {
        know(&format!("asyncos_status_{name}"), &["appliance"]);
    }
    // What the exporter tells about itself is on the golden page.
    let golden = std::fs::read_to_string("tests/golden/metrics.txt").expect("the golden page");
    let golden = golden.replace(" …\n", " 0\n");
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once('{').unwrap_or((line.split(' ').next().expect("a name"), "}"));
        let labels =
            rest.split('}').next().expect("labels").split(',').filter_map(|pair| Some(pair.split_once('=')?.0));
        know(name, &labels.collect::<Vec<_>>());
    }
    // What is on no page unless something is wrong or configured.
    for (name, labels) in [
        ("asyncos_api_request_failures_total", &["appliance", "reason"][..]),
        ("asyncos_login_failures_total", &["appliance", "reason"]),
        ("asyncos_running_hour", &["appliance"]),
        ("asyncos_login_refusals", &["appliance"]),
        ("asyncos_state_refused_total", &["what"]),
        ("asyncos_exporter_web_config_last_reload_successful", &[]),
        ("asyncos_exporter_shard_info", &["shards", "index"]),
        ("asyncos_exporter_appliances_configured", &[]),
        ("asyncos_exporter_appliances_owned", &[]),
    ] {
        know(name, labels);
    }
    know("asyncos_tracking_messages_total", &[&SCOPE[..], &["search"]].concat());
    know("asyncos_tracking_messages_last_window", &[&SCOPE[..], &["search"]].concat());
    for (name, labels) in snmp() {
        know(&name, &labels.iter().map(String::as_str).collect::<Vec<_>>());
    }
    know("up", &[]);
    know("scrape_duration_seconds", &[]);
    know("scrape_samples_scraped", &[]);
    know("ALERTS", &["alertname", "alertstate", "severity", "appliance"]);
    know("ALERTS_FOR_STATE", &["alertname", "severity", "appliance"]);
    for record in recorded() {
        know(&record, &["appliance"]);
    }
    known
}

/// Labels by metric, of what snmp_exporter shows of an appliance.
fn snmp() -> BTreeMap<String, Vec<String>> {
    let module = std::fs::read_to_string("deploy/prometheus/snmp_asyncos.yml").expect("the module");
    let config: serde_json::Value = serde_yaml::from_str(&module).expect("YAML");
    let metrics = config["modules"]["asyncos"]["metrics"].as_array().expect("metrics").iter();
    let labels = |metric: &serde_json::Value| {
        let all = ["indexes", "lookups"].into_iter().filter_map(|key| metric[key].as_array()).flatten();
        let own = all.map(|one| text(one, "labelname").to_owned());
        own.chain(["appliance".to_owned()]).collect()
    };
    metrics.map(|metric| (text(metric, "name").to_owned(), labels(metric))).collect()
}

/// The names that recording rules give.
fn recorded() -> Vec<String> {
    let rules = rules();
    let all =
        rules["groups"].as_array().expect("groups").iter().flat_map(|group| group["rules"].as_array().expect("rules"));
    all.filter_map(|rule| rule["record"].as_str().map(str::to_owned)).collect()
}

/// Every query of boards and rules with its place.
fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for board in boards::all() {
        queries.extend(board.queries().into_iter().map(|query| (query.place, query.expr)));
        for variable in board.variables().iter().filter(|one| one["type"] == "query") {
            let query = text(variable, "definition").split_once('(').expect("a function").1.trim_end_matches(')');
            let query =
                query.rsplit_once(',').filter(|(_, label)| !label.contains('}')).map_or(query, |(query, _)| query);
            let query = if query.matches('(').count() > query.matches(')').count() {
                format!("{query})")
            } else {
                query.into()
            };
            queries.push((format!("{} / variable {}", board.uid(), text(variable, "name")), query));
        }
        let notes = board.annotations().iter();
        queries
            .extend(notes.map(|note| (format!("{} / {}", board.uid(), text(note, "name")), text(note, "expr").into())));
    }
    let rules = rules();
    for rule in
        rules["groups"].as_array().expect("groups").iter().flat_map(|group| group["rules"].as_array().expect("rules"))
    {
        let name = rule["alert"].as_str().or(rule["record"].as_str()).expect("a name");
        queries.push((name.to_owned(), text(rule, "expr").to_owned()));
    }
    queries
}

#[test]
fn every_metric_and_label_is_the_exporters() {
    let known = known();
    let mut wrong = Vec::new();
    for (place, query) in queries() {
        let Read { selectors, labels, .. } = promql::read(&query);
        let mut here: BTreeSet<&str> = ["le"].into();
        for selector in &selectors {
            if let Some((_, _, metrics)) = selector.matchers.iter().find(|(label, ..)| label == "__name__") {
                assert!(metrics.split('|').all(|metric| known.contains_key(metric)), "{place}: {metrics}");
                continue;
            }
            let Some(of_metric) = known.get(&selector.metric) else {
                wrong.push(format!("{place}: no metric `{}`", selector.metric));
                continue;
            };
            here.extend(of_metric.iter().map(String::as_str));
            for (label, ..) in &selector.matchers {
                if !of_metric.contains(label) {
                    wrong.push(format!("{place}: `{}` has no label `{label}`", selector.metric));
                }
            }
        }
        wrong.extend(
            labels.iter().filter(|label| !here.contains(label.as_str())).map(|label| format!("{place}: `{label}`")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(queries().len() > 250);
}

#[test]
fn legends_and_annotations_name_labels_that_their_queries_have() {
    for board in boards::all() {
        for query in board.queries() {
            let read = promql::read(&query.expr);
            for label in query.legend.split("{{").skip(1).map(|rest| rest.split("}}").next().expect("its end")) {
                let is_kept = read.labels.iter().any(|kept| kept == label)
                    || (ADDED.contains(&label) && !read.functions.iter().any(|one| one == "sum" || one == "max"));
                assert!(is_kept, "{}: {{{{{label}}}}} in {}", query.place, query.expr);
            }
        }
    }
}

#[test]
fn what_the_exporter_shows_is_looked_at() {
    let used: BTreeSet<String> =
        queries().iter().flat_map(|(_, query)| promql::read(query).selectors).map(|selector| selector.metric).collect();
    let is_used = |name: &str| {
        used.contains(name) || used.contains(&format!("{name}_total")) || used.contains(&format!("{name}_last_window"))
    };
    let mut names: Vec<String> = Vec::new();
    for group in catalogue::profile(Profile::Default) {
        let family = |counter: &catalogue::Counter| {
            counter.gauge_name(group, ScopeKind::Appliance).trim_end_matches("_last_window").to_owned()
        };
        names.extend(group.counters.iter().filter(|counter| counter.is_numeric()).map(family));
    }
    names.extend(exposition::ABOUT_DATA.iter().chain(ABOUT_NOW).map(|about| about.name.to_owned()));
    let golden = std::fs::read_to_string("tests/golden/metrics.txt").expect("the golden page");
    let golden = golden.replace(" …\n", " 0\n").replace("process_start_time_seconds …", "");
    let golden = Page::parse(&golden).expect("a page");
    names.extend(golden.families().map(|(name, ..)| name.to_owned()).filter(|name| !name.contains("_mail_")));
    let is_left_out = |name: &str| UNUSED.iter().any(|(unused, _)| name.starts_with(unused));
    let forgotten: BTreeSet<&String> = names
        .iter()
        .filter(|name| !is_used(name) && !is_used(&format!("{name}_bucket")) && !is_left_out(name))
        .collect();
    assert!(forgotten.is_empty(), "on no dashboard and in no rule: {forgotten:#?}");
    for (unused, why) in UNUSED {
        assert!(names.iter().any(|name| name.starts_with(unused)), "`{unused}` is left out for no reason ({why})");
    }
}

#[test]
fn what_snmp_exporter_shows_is_looked_at() {
    let used: BTreeSet<String> =
        queries().iter().flat_map(|(_, query)| promql::read(query).selectors).map(|selector| selector.metric).collect();
    let mut unused: Vec<String> = snmp().into_keys().filter(|name| !used.contains(name)).collect();
    // A busy appliance always waits for some answers; the runbook says to look at it.
    unused.retain(|name| name != "asyncos_snmp_dns_requests_outstanding");
    assert!(unused.is_empty(), "{unused:?}");
    assert_eq!(snmp().len(), 9);
}
