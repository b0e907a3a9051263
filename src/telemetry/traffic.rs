//! Metrics about the traffic with one appliance: what each event does to them.

use prometheus::{GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use super::MetricError;
use super::registry::Registry;
use crate::api::Event;
use crate::sample::MetricDef;

/// Upper bounds of the request durations in seconds: a small report takes a fraction of one, published clients wait 30
/// to 100 for a large one. Each is a series of every appliance, so there are no more than the alert and the panel need.
const DURATION_BUCKETS: &[f64] = &[1.0, 10.0, 60.0];

pub(super) const LOGIN_FAILURES: MetricDef = MetricDef::counter(
    "asyncos_login_failures_total",
    "Failed logins to the appliance by reason; absent until one fails",
);
pub(super) const LOGIN_REFUSALS: MetricDef = MetricDef::gauge(
    "asyncos_login_refusals",
    "Consecutive refused logins, kept across restarts; absent while there are none",
);
pub(super) const VERIFICATION_DISABLED: MetricDef = MetricDef::gauge(
    "asyncos_tls_verification_disabled",
    "Whether verification of the appliance's certificate is disabled (`insecure_skip_verify`); absent without TLS",
);

/// Metrics about the traffic with one appliance.
pub(super) struct Traffic {
    requests: IntCounterVec,
    failures: IntCounterVec,
    durations: Histogram,
    logins: IntCounter,
    login_failures: IntCounterVec,
    login_refusals: IntGaugeVec,
    login_blocked: IntGauge,
    token_expiry: GaugeVec,
    certificate_expiry: GaugeVec,
    verification_disabled: IntGaugeVec,
}

impl Traffic {
    pub(super) fn try_new(registry: &mut Registry, appliance: &str) -> Result<Self, MetricError> {
        // As a label of the registry it would come last; like this it comes first, as everywhere on the page.
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("appliance", appliance);
        let traffic = Self {
            requests: IntCounterVec::new(
                opts(
                    "asyncos_api_requests_total",
                    "API requests to the appliance by the first part of the path below /api/v2.0/ and by HTTP status, `none` \
                     without a response",
                ),
                &["endpoint", "code"],
            )?,
            failures: IntCounterVec::new(
                opts("asyncos_api_request_failures_total", "Failed API requests to the appliance by reason"),
                &["reason"],
            )?,
            durations: Histogram::with_opts(
                HistogramOpts::from(opts(
                    "asyncos_api_request_duration_seconds",
                    "Duration of API requests to the appliance, until the complete response or the failure",
                ))
                .buckets(DURATION_BUCKETS.to_vec()),
            )?,
            logins: IntCounter::with_opts(opts("asyncos_logins_total", "Completed login attempts at the appliance"))?,
            login_failures: IntCounterVec::new(opts(LOGIN_FAILURES.name, LOGIN_FAILURES.help), &["reason"])?,
            login_refusals: IntGaugeVec::new(opts(LOGIN_REFUSALS.name, LOGIN_REFUSALS.help), &[])?,
            login_blocked: IntGauge::with_opts(opts(
                "asyncos_login_blocked",
                "Whether logins have stopped after repeated refusals, so that the appliance does not lock the account",
            ))?,
            token_expiry: GaugeVec::new(
                opts(
                    "asyncos_token_expiry_timestamp_seconds",
                    "Unix time at which the current token expires, by the appliance's clock",
                ),
                &[],
            )?,
            certificate_expiry: GaugeVec::new(
                opts(
                    "asyncos_tls_certificate_expiry_timestamp_seconds",
                    "Unix time at which the certificate that the appliance last presented expires, trusted or not",
                ),
                &[],
            )?,
            verification_disabled: IntGaugeVec::new(opts(VERIFICATION_DISABLED.name, VERIFICATION_DISABLED.help), &[])?,
        };
        registry.register(Box::new(traffic.requests.clone()))?;
        registry.register(Box::new(traffic.failures.clone()))?;
        registry.register(Box::new(traffic.durations.clone()))?;
        registry.register(Box::new(traffic.logins.clone()))?;
        registry.register(Box::new(traffic.login_failures.clone()))?;
        registry.register(Box::new(traffic.login_refusals.clone()))?;
        registry.register(Box::new(traffic.login_blocked.clone()))?;
        registry.register(Box::new(traffic.token_expiry.clone()))?;
        registry.register(Box::new(traffic.certificate_expiry.clone()))?;
        registry.register(Box::new(traffic.verification_disabled.clone()))?;
        // Without a reason, which is no label on the page: so that a sum of it is 0 and not nothing while nothing has failed.
        traffic.failures.with_label_values(&[""]);
        Ok(traffic)
    }

    pub(super) fn record(&self, event: Event<'_>) {
        match event {
            Event::Request { endpoint, code, took } => {
                let code = code.map_or_else(|| "none".into(), |code| code.to_string());
                // `asyncos_group_success` shows which report it was. The root of the API has no path of its own.
                let endpoint = match endpoint.split('/').next() {
                    None | Some("") => "root",
                    Some(first) => first,
                };
                self.requests.with_label_values(&[endpoint, code.as_str()]).inc();
                self.durations.observe(took.as_secs_f64());
            }
            Event::Failed(reason) => self.failures.with_label_values(&[reason.label()]).inc(),
            Event::LoggedIn => self.logins.inc(),
            Event::LoginFailed(reason) => {
                self.logins.inc();
                self.login_failures.with_label_values(&[reason.label()]).inc();
            }
            Event::LoginRefusals { in_a_row, blocked, .. } => {
                match in_a_row {
                    0 => self.login_refusals.reset(),
                    _ => self.login_refusals.with_label_values::<&str>(&[]).set(i64::from(in_a_row)),
                }
                self.login_blocked.set(i64::from(blocked));
            }
            Event::TokenExpires(at) => self.token_expiry.with_label_values::<&str>(&[]).set(at.as_secs_f64()),
            Event::VerificationDisabled => self.verification_disabled.with_label_values::<&str>(&[]).set(1),
            Event::CertificateExpires(Some(at)) => {
                // 0 unless it is already 1: an appliance that presents a certificate uses TLS.
                self.verification_disabled.with_label_values::<&str>(&[]);
                self.certificate_expiry.with_label_values::<&str>(&[]).set(at.as_secs_f64());
            }
            // The end of the certificate before it would be a lie about this one.
            Event::CertificateExpires(None) => self.certificate_expiry.reset(),
        }
    }
}
