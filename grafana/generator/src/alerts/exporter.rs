//! Alerts about the exporter itself: without it nothing else is known.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Page};
use super::super::board::Uid;

pub(super) fn alerts(job: &str) -> Vec<Alert> {
    vec![
        Alert::new(
            "AsyncosExporterDown",
            Critical,
            Some("5m"),
            &format!(r#"up{{job="{job}"}} == 0"#),
            "Prometheus cannot scrape the exporter at {{ $labels.instance }}",
            "The exporter at {{ $labels.instance }} could not be scraped for 5 minutes: there are no metrics of its \
             appliances.",
            Page {
                meaning: "Prometheus could not scrape the exporter for 5 minutes.",
                impact: "None on mail. No other alert about its appliances can fire. Missed windows are fetched \
                         afterwards, back to `catch_up` (24 hours).",
                panel: (Uid::Exporter, "Exporter"),
                commands: &[
                    "`systemctl status asyncos_exporter`, `journalctl -u asyncos_exporter -n 50` on its host",
                    "`curl -s http://HOST:10042/-/healthy`",
                ],
                causes: &[
                    "the process has exited or was not started",
                    "a firewall, or a changed listen address",
                    "TLS or a user was configured for the exporter's HTTP server but not in Prometheus",
                ],
                actions: &[
                    "start it again: with `--storage.path`, totals continue from their last values",
                    "read the end of its log: exit code 78 means an invalid configuration",
                ],
            },
        ),
        Alert::new(
            "AsyncosExporterAbsent",
            Critical,
            Some("10m"),
            &format!(r#"absent(up{{job="{job}"}})"#),
            "Prometheus has no exporter to scrape",
            "Prometheus has no target of the job `{{ $labels.job }}`: there are no metrics of any appliance.",
            Page {
                meaning: "Prometheus has no target of the scrape job that these rules are for.",
                impact: "None on mail. No other alert can fire.",
                panel: (Uid::Exporter, "Exporter"),
                commands: &["the page *Status > Targets* of Prometheus", "`promtool check config prometheus.yml`"],
                causes: &[
                    "the job was renamed or removed from the scrape configuration",
                    "service discovery finds nothing",
                    "the rules were generated for another job: `asyncos_exporter rules --job NAME`",
                ],
                actions: &["restore the scrape job", "generate the rules again with the correct job name"],
            },
        ),
        Alert::new(
            "AsyncosConfigReloadFailed",
            Warning,
            Some("5m"),
            "asyncos_config_last_reload_successful == 0",
            "The exporter at {{ $labels.instance }} cannot load its configuration",
            "The last reload of the configuration at {{ $labels.instance }} failed; the previous configuration stays \
             in use.",
            Page {
                meaning: "The configuration was changed and is invalid. The exporter keeps the previous one.",
                impact: "None on mail. Added appliances are not polled, and the next restart will fail.",
                panel: (Uid::Exporter, "Configuration"),
                commands: &["`asyncos_exporter check --config.file=config.yaml` names every problem with its line"],
                causes: &["a misspelt key, a tab character, a missing password file"],
                actions: &["correct the file, check it, then send SIGHUP"],
            },
        ),
        Alert::new(
            "AsyncosWebConfigReloadFailed",
            Warning,
            Some("5m"),
            "asyncos_exporter_web_config_last_reload_successful == 0",
            "The exporter at {{ $labels.instance }} cannot load its web configuration",
            "The last reload of the web configuration (TLS and users) at {{ $labels.instance }} failed; the previous \
             one stays in use.",
            Page {
                meaning: "The web configuration file, a certificate or a key was changed and is invalid.",
                impact: "None on mail. The old certificate stays in use; scrapes fail once it expires.",
                panel: (Uid::Exporter, "Exporter"),
                commands: &["`asyncos_exporter check --web.config.file=web.yaml`"],
                causes: &["a certificate and a key that do not match", "a file that the exporter's user may not read"],
                actions: &["correct the files; the exporter reads them again within seconds"],
            },
        ),
        Alert::new(
            "AsyncosStateNotPersisted",
            Warning,
            Some("5m"),
            "increase(asyncos_state_persist_failures_total[15m]) > 0",
            "The exporter at {{ $labels.instance }} cannot write its state",
            "{{ printf \"%.0f\" $value }} writes of totals failed at {{ $labels.instance }} within 15 minutes: totals \
             are paused.",
            Page {
                meaning: "Totals are published only once they are on disk, and writing them fails.",
                impact: "None on mail. Counters stop growing, so alerts on rates cannot fire. The windows are fetched \
                         again once writing succeeds.",
                panel: (Uid::Exporter, "Failed writes"),
                commands: &["`df -h` and `ls -ld` of the directory given as `--storage.path`", "the exporter's log"],
                causes: &["the disk is full or read-only", "the directory belongs to another user"],
                actions: &["free disk space; no restart is needed"],
            },
        ),
        Alert::new(
            "AsyncosStateRefused",
            Warning,
            None,
            "max_over_time(asyncos_state_refused_total[1h]) > 0",
            "The exporter at {{ $labels.instance }} started without all of its state",
            "{{ $value }} {{ $labels.what }}(s) of the state were damaged or missing when the exporter at {{ \
             $labels.instance }} was started: the affected totals restarted at zero.",
            Page {
                meaning: "State was damaged or missing at startup. The label `what` shows which: `file` is a damaged \
                          file, renamed and kept; `missing_file` is a missing or empty file, replaced by a new one; \
                          `record` is a damaged record, ignored.",
                impact: "None on mail. With `file` and `missing_file`, all counters restart at zero and each account gets one \
                         login attempt instead of three until a login succeeds. With `record`, only the data in that record \
                         is lost. If it held refused logins, the same limit of one attempt applies.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the exporter's log names the file", "`dmesg` for disk errors"],
                causes: &[
                    "a disk that reports writes as complete when they are not",
                    "the file was edited or copied while it was in use",
                    "the file was deleted, or a backup was restored without it",
                ],
                actions: &["check the disk", "delete the renamed file once it is no longer needed"],
            },
        ),
        Alert::new(
            "AsyncosStateFileLost",
            Warning,
            Some("5m"),
            "asyncos_state_file_present == 0",
            "The state file of the exporter at {{ $labels.instance }} was deleted or replaced",
            "The file with the totals at {{ $labels.instance }} is no longer the one that the exporter has open: \
             totals are paused.",
            Page {
                meaning: "The state file was replaced by another file, or was deleted and cannot be written again.",
                impact: "None on mail. Counters stop growing. The windows are fetched again once the file can be written, back to \
                         `catch_up` (a day).",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &[
                    "the exporter's log says whether the file was replaced or is missing",
                    "`ls -la` of the directory given as `--storage.path`",
                ],
                causes: &[
                    "a backup was restored while the exporter was running",
                    "a second exporter was started on the same `--storage.path` after the file was deleted",
                    "the volume was unmounted or the directory was moved, and the path is not writable",
                ],
                actions: &[
                    "replaced, keep the current totals: move the other `state.redb` out of `--storage.path`; the exporter \
                     writes its own again within half a minute. Do not restart it before that",
                    "replaced, use the other file instead: restart the exporter. The current totals are lost",
                    "deleted and cannot be written: create the directory, writable for the exporter's user; no \
                     restart is needed",
                ],
            },
        ),
        Alert::new(
            "AsyncosStateFileRewritten",
            Info,
            None,
            "increase(asyncos_state_file_rewrites_total[1h]) > 0",
            "The state file of the exporter at {{ $labels.instance }} was deleted",
            "The file with the totals at {{ $labels.instance }} was deleted while the exporter was running; it was written \
             again and nothing is lost.",
            Page {
                meaning: "The state file was deleted or moved while it was open. The exporter wrote it again.",
                impact: "None: totals and refused logins are complete.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the exporter's log shows when"],
                causes: &["a clean-up job that deletes old files", "an attempt to reset the totals"],
                actions: &["exclude the directory from clean-up jobs", "to reset the totals, stop the exporter first"],
            },
        ),
        Alert::new(
            "AsyncosStateNotDurable",
            Info,
            Some("1h"),
            "asyncos_state_durable == 0",
            "The exporter at {{ $labels.instance }} keeps its totals in memory",
            "The exporter at {{ $labels.instance }} was started without `--storage.path`: each restart sets totals to \
             zero and forgets refused logins.",
            Page {
                meaning: "The exporter was started without a directory for its state.",
                impact: "None on mail. Each restart loses the windows of the downtime, and a crash loop may lock the \
                         account.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the command line of the exporter: `systemctl cat asyncos_exporter`"],
                causes: &["it was set for a test"],
                actions: &["start it with `--storage.path`"],
            },
        ),
    ]
}
