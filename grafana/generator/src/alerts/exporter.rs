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
            "The exporter at {{ $labels.instance }} has not answered Prometheus for 5 minutes: nothing is known of its \
             appliances.",
            Page {
                meaning: "Prometheus has not been able to scrape the exporter for five minutes.",
                impact: "None on mail. All other alerts about its appliances are blind. Nothing is lost for good: windows are \
                         fetched afterwards, back to `catch_up` (a day).",
                panel: (Uid::Exporter, "Exporter"),
                commands: &[
                    "`systemctl status asyncos_exporter`, `journalctl -u asyncos_exporter -n 50` on its host",
                    "`curl -s http://HOST:10042/-/healthy`",
                ],
                causes: &[
                    "the process has ended or was not started",
                    "a firewall or a changed listen address",
                    "TLS or a user was set up for the web side and not in Prometheus",
                ],
                actions: &[
                    "start it again: totals go on where they were, if `--storage.path` is set",
                    "read the end of its log: exit code 78 is a wrong configuration",
                ],
            },
        ),
        Alert::new(
            "AsyncosExporterAbsent",
            Critical,
            Some("10m"),
            &format!(r#"absent(up{{job="{job}"}})"#),
            "Prometheus has no exporter to scrape",
            "No target of the job `{{ $labels.job }}` is known to Prometheus: nothing is known of any appliance.",
            Page {
                meaning: "Prometheus knows no target of the scrape job that these rules are about.",
                impact: "None on mail. Every other alert is blind.",
                panel: (Uid::Exporter, "Exporter"),
                commands: &["the page *Status > Targets* of Prometheus", "`promtool check config prometheus.yml`"],
                causes: &[
                    "the job was renamed or removed from the scrape configuration",
                    "service discovery finds nothing",
                    "the rules were made for another job: `asyncos_exporter rules --job NAME`",
                ],
                actions: &["restore the scrape job", "make the rules again with the right name"],
            },
        ),
        Alert::new(
            "AsyncosConfigReloadFailed",
            Warning,
            Some("5m"),
            "asyncos_config_last_reload_successful == 0",
            "The exporter at {{ $labels.instance }} refuses its configuration",
            "The newest attempt to read the configuration at {{ $labels.instance }} failed; the one before it is in force.",
            Page {
                meaning: "The configuration was changed and is wrong. The exporter goes on with the one before.",
                impact: "None on mail. Appliances that were added are not watched, and the next restart will fail.",
                panel: (Uid::Exporter, "Configuration"),
                commands: &["`asyncos_exporter check --config.file=config.yaml` names every problem with its line"],
                causes: &["a misspelt key, a tab, a missing password file"],
                actions: &["correct it, check it, then send SIGHUP"],
            },
        ),
        Alert::new(
            "AsyncosWebConfigReloadFailed",
            Warning,
            Some("5m"),
            "asyncos_exporter_web_config_last_reload_successful == 0",
            "The exporter at {{ $labels.instance }} refuses its web configuration",
            "The newest reading of TLS and users of the web side at {{ $labels.instance }} failed; those before are in force.",
            Page {
                meaning: "The file with TLS and users of the exporter's web side, a certificate or a key was changed and is \
                          wrong.",
                impact: "None on mail. The old certificate stays in use and may end, whereupon scrapes fail.",
                panel: (Uid::Exporter, "Exporter"),
                commands: &["`asyncos_exporter check --web.config.file=web.yaml`"],
                causes: &[
                    "a certificate and a key that do not belong together",
                    "a file that the exporter's user may not read",
                ],
                actions: &["correct the files: they are read again within seconds"],
            },
        ),
        Alert::new(
            "AsyncosStateNotPersisted",
            Warning,
            Some("5m"),
            "increase(asyncos_state_persist_failures_total[15m]) > 0",
            "The exporter at {{ $labels.instance }} cannot write its totals down",
            "{{ printf \"%.0f\" $value }} batches of totals could not be written down at {{ $labels.instance }} within 15 minutes: \
             totals stop growing.",
            Page {
                meaning: "Totals are shown once they are on disk, and they cannot be written.",
                impact: "None on mail. Counters stop growing; alerts on rates do not fire. The windows are fetched again once \
                         there is room.",
                panel: (Uid::Exporter, "Failed writes"),
                commands: &["`df -h` and `ls -ld` of the folder given as `--storage.path`", "the exporter's log"],
                causes: &["the disk is full or read-only", "the folder belongs to somebody else"],
                actions: &["make room; nothing has to be restarted"],
            },
        ),
        Alert::new(
            "AsyncosStateRefused",
            Warning,
            None,
            "max_over_time(asyncos_state_refused_total[1h]) > 0",
            "The exporter at {{ $labels.instance }} started without all of its state",
            "{{ $value }} {{ $labels.what }}(s) of the state were damaged or missing when the exporter at \
             {{ $labels.instance }} was started: those totals began at zero.",
            Page {
                meaning: "State was damaged or missing at startup. The label `what` shows which: `file` is a damaged file, moved \
                          aside and kept; `missing_file` is a missing or empty file, replaced by a new one; `record` is a \
                          damaged record, ignored.",
                impact: "None on mail. With `file` and `missing_file`, all counters restart at zero and each account gets one \
                         login attempt instead of three until a login succeeds. With `record`, only the data in that record \
                         is lost. If it held refused logins, the same limit of one attempt applies.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the exporter's log names the file", "`dmesg` for errors of the disk"],
                causes: &[
                    "a disk that lies about what it has written",
                    "somebody edited or copied the file while it was in use",
                    "somebody deleted the file, or a backup was restored without it",
                ],
                actions: &["look after the disk", "delete the file that was set aside once nobody wants to see it"],
            },
        ),
        Alert::new(
            "AsyncosStateFileLost",
            Warning,
            Some("5m"),
            "asyncos_state_file_present == 0",
            "The state file of the exporter at {{ $labels.instance }} was deleted or replaced",
            "The file with the totals at {{ $labels.instance }} is no longer the one that the exporter has open: totals stop \
             growing.",
            Page {
                meaning: "The state file was replaced by another file, or was deleted and cannot be written again.",
                impact: "None on mail. Counters stop growing. The windows are fetched again once the file can be written, back to \
                         `catch_up` (a day).",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &[
                    "the exporter's log says whether the file was replaced or is missing",
                    "`ls -la` of the folder given as `--storage.path`",
                ],
                causes: &[
                    "a backup was restored while the exporter was running",
                    "a second exporter was started on the same `--storage.path` after the file was deleted",
                    "the volume was unmounted or the folder was moved, and the path is not writable",
                ],
                actions: &[
                    "replaced, keep the current totals: move the other `state.redb` out of `--storage.path`; the exporter \
                     writes its own again within half a minute. Do not restart it before that",
                    "replaced, use the other file instead: restart the exporter. The current totals are lost",
                    "deleted and cannot be written: make the folder exist and writable for the exporter's user; no restart \
                     is needed",
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
                meaning: "The state file was deleted or moved while the exporter had it open. The exporter wrote it again.",
                impact: "None: totals and refused logins are complete.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the exporter's log has the time"],
                causes: &["a clean-up job that deletes old files", "somebody wanted to reset the totals"],
                actions: &["exclude the folder from clean-up jobs", "to reset the totals, stop the exporter first"],
            },
        ),
        Alert::new(
            "AsyncosStateNotDurable",
            Info,
            Some("1h"),
            "asyncos_state_durable == 0",
            "The exporter at {{ $labels.instance }} keeps its totals in memory",
            "The exporter at {{ $labels.instance }} was started without `--storage.path`: totals begin at zero with each \
             restart, and refused logins are forgotten.",
            Page {
                meaning: "The exporter was started without a folder for its totals.",
                impact: "None on mail. Each restart loses what came while it was down, and a crash loop may lock the account.",
                panel: (Uid::Exporter, "Totals on disk"),
                commands: &["the command line of the exporter: `systemctl cat asyncos_exporter`"],
                causes: &["it was meant for a try"],
                actions: &["start it with `--storage.path`"],
            },
        ),
    ]
}
