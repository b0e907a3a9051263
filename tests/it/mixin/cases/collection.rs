//! Alerts about the exporter and its conversation with the appliances.

use super::{Case, case, counter, gauge};

const GROUP: &str = "group=\"mail_incoming_traffic_summary\"";

pub(in super::super) fn exporter() -> Vec<Case> {
    vec![
        case("AsyncosExporterDown").exporter("up", "", gauge([(1.0, 10), (0.0, 10), (1.0, 10)])).at(14, 15, 20).says(
            "Prometheus cannot scrape the exporter at h:1",
            "The exporter at h:1 could not be scraped for 5 minutes: there are no metrics of its appliances.",
        ),
        // A series that has ended is there for five minutes more.
        case("AsyncosExporterAbsent")
            .exporter("up", "", "1x9 _x30 1x9".into())
            .without("instance")
            .at(24, 25, 40)
            .says(
                "Prometheus has no exporter to scrape",
                "Prometheus has no target of the job `asyncos`: there are no metrics of any appliance.",
            ),
        case("AsyncosConfigReloadFailed")
            .exporter("asyncos_config_last_reload_successful", "", gauge([(1.0, 10), (0.0, 10), (1.0, 10)]))
            .at(14, 15, 20)
            .says(
                "The exporter at h:1 cannot load its configuration",
                "The last reload of the configuration at h:1 failed; the previous configuration stays in use.",
            ),
        case("AsyncosWebConfigReloadFailed")
            .exporter(
                "asyncos_exporter_web_config_last_reload_successful",
                "",
                gauge([(1.0, 10), (0.0, 10), (1.0, 10)]),
            )
            .at(14, 15, 20)
            .says(
                "The exporter at h:1 cannot load its web configuration",
                "The last reload of the web configuration (TLS and users) at h:1 failed; the previous one stays in \
                 use.",
            ),
        case("AsyncosStateNotPersisted")
            .exporter("asyncos_state_persist_failures_total", "", counter([(0.0, 20), (1.0, 15), (0.0, 30)]))
            .at(19, 30, 55)
            .says(
                "The exporter at h:1 cannot write its state",
                "10 writes of totals failed at h:1 within 15 minutes: totals are paused.",
            ),
        case("AsyncosStateRefused")
            .exporter("asyncos_state_refused_total", "what=\"record\"", gauge([(0.0, 10), (2.0, 10), (0.0, 70)]))
            .label("what", "record")
            .at(9, 10, 85)
            .says(
                "The exporter at h:1 started without all of its state",
                "2 record(s) of the state were damaged or missing when the exporter at h:1 was started: the affected \
                 totals restarted at zero.",
            ),
        case("AsyncosStateFileLost")
            .exporter("asyncos_state_file_present", "", gauge([(1.0, 10), (0.0, 10), (1.0, 10)]))
            .at(14, 15, 20)
            .says(
                "The state file of the exporter at h:1 was deleted or replaced",
                "The file with the totals at h:1 is no longer the one that the exporter has open: totals are paused.",
            ),
        case("AsyncosStateFileRewritten")
            .exporter("asyncos_state_file_rewrites_total", "", counter([(0.0, 20), (1.0, 1), (0.0, 90)]))
            .at(19, 22, 90)
            .says(
                "The state file of the exporter at h:1 was deleted",
                "The file with the totals at h:1 was deleted while the exporter was running; it was written again and nothing \
                 is lost.",
            ),
        case("AsyncosStateNotDurable")
            .exporter("asyncos_state_durable", "", gauge([(0.0, 70), (1.0, 10)]))
            .at(59, 60, 75)
            .says(
                "The exporter at h:1 keeps its totals in memory",
                "The exporter at h:1 was started without `--storage.path`: each restart sets totals to zero and \
                 forgets refused logins.",
            ),
    ]
}

pub(in super::super) fn cases() -> Vec<Case> {
    let mut cases = reach();
    cases.extend(reports());
    cases.extend(doubts());
    cases
}

fn reach() -> Vec<Case> {
    vec![
        case("AsyncosApplianceUnreachable").of("asyncos_up", "", gauge([(1.0, 10), (0.0, 10), (1.0, 10)])).at(14, 15, 20).says(
            "API requests to esa1 fail",
            "No API request to esa1 has succeeded for 5 minutes. The exporter's status page names the cause.",
        ),
        case("AsyncosLoginBlocked").of("asyncos_login_blocked", "", gauge([(0.0, 10), (1.0, 10), (0.0, 10)])).at(9, 10, 20).says(
            "Logins at esa1 have stopped",
            "esa1 refused several logins in a row. The exporter has stopped trying, so that the account is not locked.",
        ),
        // The third refusal blocks: one alert is enough.
        case("AsyncosLoginRefused")
            .of("asyncos_login_refusals", "", gauge([(0.0, 10), (2.0, 10), (3.0, 10)]))
            .of("asyncos_login_blocked", "", gauge([(0.0, 20), (1.0, 10)]))
            .at(10, 11, 20)
            .says(
                "esa1 refuses the password",
                "esa1 has refused 2 login(s) in a row; the exporter stops trying after three.",
            ),
        case("AsyncosManagedApplianceDisconnected")
            .of("asyncos_managed_appliance_connected", "managed_appliance=\"esa9\",type=\"ESA\"", gauge([(1.0, 10), (0.0, 20), (1.0, 10)]))
            .label("managed_appliance", "esa9")
            .label("type", "ESA")
            .at(24, 25, 30)
            .says(
                "esa1 is not connected to esa9",
                "The SMA esa1 has been disconnected from esa9 for 15 minutes: data of that appliance are late or \
                 missing.",
            ),
        // Two weeks and ten minutes from the beginning; renewed after two hours.
        case("AsyncosCertificateExpiring")
            .of("asyncos_tls_certificate_expiry_timestamp_seconds", "", gauge([(1_210_200.0, 120), (9e9, 10)]))
            .at(70, 71, 120)
            .says(
                "The certificate of esa1 expires soon",
                "The certificate that esa1 presents to the exporter expires in 13d 22h 59m 0s.",
            ),
        case("AsyncosTlsNotVerified")
            .of("asyncos_tls_verification_disabled", "", gauge([(1.0, 70), (0.0, 10)]))
            .at(59, 60, 70)
            .says(
                "The certificate of esa1 is not checked",
                "The configuration says `insecure_skip_verify` for esa1: anyone on the network path can read the password.",
            ),
    ]
}

fn reports() -> Vec<Case> {
    vec![
        // A group that is refused is another matter.
        case("AsyncosReportsFailing")
            .of("asyncos_up", "", gauge([(1.0, 60)]))
            .of("asyncos_group_success", "group=\"a\"", gauge([(0.0, 60)]))
            .of("asyncos_group_refused", "group=\"a\",reason=\"not_allowed\"", gauge([(1.0, 60)]))
            .of("asyncos_group_success", "group=\"b\"", gauge([(1.0, 10), (0.0, 30), (1.0, 20)]))
            .at(24, 25, 40)
            .says("Report polls of esa1 are failing", "1 counter group(s) of esa1 have been failing for 15 minutes."),
        case("AsyncosReportsRefused")
            .of("asyncos_group_refused", "group=\"a\",reason=\"not_allowed\"", "_x10 1x129 _x20".into())
            .label("reason", "not_allowed")
            .at(129, 130, 150)
            .says(
                "esa1 refuses some reports",
                "1 counter group(s) of esa1 are refused (not_allowed) and requested once an hour.",
            ),
        // Three windows, the settle delay and ten minutes: 1620 s, passed after 27 minutes.
        case("AsyncosDataStale")
            .of("asyncos_window_end_timestamp_seconds", GROUP, gauge([(0.0, 40), (2400.0, 10)]))
            .of("asyncos_window_seconds", "", gauge([(300.0, 50)]))
            .of("asyncos_settle_seconds", "", gauge([(120.0, 50)]))
            .at(32, 33, 41)
            .says("The data of esa1 are stale", "The oldest data of esa1 end 33m 0s ago, more than three windows."),
        case("AsyncosWindowsLost")
            .of("asyncos_windows_lost_total", "group=\"a\",reason=\"too_old\"", gauge([(0.0, 70), (6.0, 70)]))
            .label("reason", "too_old")
            .at(69, 70, 135)
            .says(
                "Data of esa1 are lost",
                "6 windows of esa1 could not be fetched in time (too_old): their events are missing from the totals.",
            ),
        case("AsyncosReportingBehind")
            .of("asyncos_reporting_data_end_timestamp_seconds", "", gauge([(0.0, 150), (9000.0, 10)]))
            .at(135, 136, 151)
            .says("Reporting of esa1 is behind", "The newest data of reporting on esa1 are 2h 16m 0s old."),
    ]
}

fn doubts() -> Vec<Case> {
    let share = "group=\"mail_incoming_traffic_summary\"";
    vec![
        // A tenth, then a fifth; as many again are refused all the time.
        case("AsyncosRequestsFailing")
            .of(
                "asyncos_api_requests_total",
                "endpoint=\"esa\",code=\"200\"",
                counter([(90.0, 40), (80.0, 60), (100.0, 50)]),
            )
            .of(
                "asyncos_api_request_failures_total",
                "reason=\"timeout\"",
                counter([(10.0, 40), (20.0, 60), (0.0, 50)]),
            )
            .of("asyncos_api_request_failures_total", "reason=\"declined\"", counter([(100.0, 150)]))
            .at(39, 80, 140)
            .says("Requests to esa1 fail", "20% of the requests to esa1 have failed for half an hour."),
        case("AsyncosRequestsSlow")
            .of(
                "asyncos_api_request_duration_seconds_bucket",
                "le=\"30\"",
                counter([(10.0, 40), (0.0, 60), (10.0, 60)]),
            )
            .of("asyncos_api_request_duration_seconds_bucket", "le=\"60\"", counter([(10.0, 160)]))
            .of("asyncos_api_request_duration_seconds_bucket", "le=\"+Inf\"", counter([(10.0, 160)]))
            .at(39, 90, 145)
            .says("esa1 answers slowly", "A tenth of the requests to esa1 take longer than 57s."),
        case("AsyncosClockSkew")
            .of("asyncos_clock_skew_seconds", "", gauge([(-60.0, 10), (-61.0, 20), (0.0, 10)]))
            .at(24, 25, 30)
            .says("The clock of esa1 is wrong", "The clocks of esa1 and of the exporter are 1m 1s apart."),
        case("AsyncosLateData")
            .windows(300)
            .of("asyncos_late_events_total", share, counter([(4.0, 300), (20.0, 300), (0.0, 200)]))
            .of("asyncos_mail_incoming_traffic_summary_total_recipients_total", "", counter([(100.0, 800)]))
            .at(299, 590, 799)
            .says(
                "Late data from esa1",
                "Events found after their window was counted are 20% of the recipients of esa1 within 3 hours.",
            ),
        case("AsyncosLateDataNotAdded")
            .of("asyncos_late_events_not_added_total", "group=\"a\"", gauge([(0.0, 70), (5.0, 600)]))
            .at(69, 70, 551)
            .says(
                "Data of esa1 came too late",
                "5 events of esa1 were found within 8 hours and are missing from its totals.",
            ),
        case("AsyncosReconciliationDiffers")
            .of("asyncos_reconciliation_difference", share, gauge([(0.0, 10), (-7.0, 200), (0.0, 10)]))
            .at(189, 190, 210)
            .says(
                "Totals of esa1 differ from its reports",
                "A report of esa1 for whole hours differs from the sum of its windows by 7, for 3 hours.",
            ),
        case("AsyncosCountersUnusable")
            .of("asyncos_counters_unusable_total", "group=\"a\",reason=\"negative\"", gauge([(0.0, 70), (3.0, 70)]))
            .label("reason", "negative")
            .at(69, 70, 135)
            .says("Counter values of esa1 are unusable", "3 values of esa1 within an hour were unusable (negative)."),
        case("AsyncosSeriesDropped")
            .of("asyncos_series_dropped_total", "group=\"a\"", gauge([(0.0, 70), (5.0, 70)]))
            .at(69, 70, 135)
            .says(
                "Reports of esa1 have too many rows",
                "5 rows of esa1 within an hour went into `other` because of `series_limit`.",
            ),
    ]
}
