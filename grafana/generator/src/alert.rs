//! An alert with everything that is known about it: the rule, what it says, and the page of the runbook. Knows nothing of
//! the forms in which rules are written.

use super::board::Uid;
use super::query;

/// How soon somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    /// Now: mail does not flow, harm is being done, or nobody would notice if it were.
    Critical,
    /// Today.
    Warning,
    /// When there is time.
    Info,
}

impl Severity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// An alert.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    /// Its query, spelt out.
    pub(super) expr: String,
    /// How long it has to hold before the alert fires; none for at once.
    pub(super) hold: Option<&'static str>,
    pub(super) severity: Severity,
    /// A line for a telephone; may name labels.
    pub(super) summary: &'static str,
    /// The same with its number.
    pub(super) description: String,
    pub(super) page: Page,
}

/// What stands about an alert in the runbook.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// What it means, and where its limit comes from.
    pub(super) meaning: &'static str,
    /// What it does to mail.
    pub(super) impact: &'static str,
    /// The panel to look at first.
    pub(super) panel: (Uid, &'static str),
    /// Commands of the appliance's command line, or of the exporter's host, and what they tell.
    pub(super) commands: &'static [&'static str],
    pub(super) causes: &'static [&'static str],
    /// What can be done without doing harm.
    pub(super) actions: &'static [&'static str],
}

impl Alert {
    pub(super) fn new(
        name: &'static str,
        severity: Severity,
        hold: Option<&'static str>,
        expr: &str,
        summary: &'static str,
        description: impl Into<String>,
        page: Page,
    ) -> Self {
        Self { name, expr: query::rule(expr), hold, severity, summary, description: description.into(), page }
    }

    /// The part of the runbook's address that leads to its page.
    pub(super) fn anchor(&self) -> String {
        self.name.to_lowercase()
    }

    /// Whether it looks at series of snmp_exporter: their job is not the exporter's, which the dashboards show.
    pub(super) fn is_about_snmp(&self) -> bool {
        self.expr.contains("asyncos_snmp")
    }

    /// Whether it names an appliance.
    pub(super) fn is_about_an_appliance(&self) -> bool {
        self.summary.contains("$labels.appliance")
    }
}
