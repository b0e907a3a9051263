//! The page that a person sees at `/`: how the fleet stands, worst first, and where to go from here. Needs no script and
//! nothing from outside itself; every value is escaped.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::appliance::{ApplianceStatus, State};
use super::requests::{Asked, FailureStatus};
use super::words::{Escaped, Span, When};
use super::{Status, Summary};
use crate::base::clock::Timestamp;

const STYLE: &str = include_str!("page.css");
/// The interval at which a browser reloads. Numbers change once a window, which is a minute at least.
const REFRESH_SECONDS: u32 = 30;

/// Where the page leads to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    /// The prefix of all paths; empty without one.
    pub prefix: &'a str,
    /// The path of the metrics, after the prefix.
    pub telemetry_path: &'a str,
}

impl Status {
    /// The page in HTML.
    #[must_use]
    pub(crate) fn html(&self, links: Links<'_>) -> String {
        let mut page = String::new();
        // Writing to a text does not fail.
        let _ = self.write_page(links, &mut page);
        page
    }

    fn write_page(&self, links: Links<'_>, page: &mut String) -> fmt::Result {
        let version = Escaped(self.version);
        write!(
            page,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"refresh\" content=\"{REFRESH_SECONDS}\">\n\
             <title>{} – asyncos_exporter</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <header>\n<h1>asyncos_exporter</h1>\n\
             <p>Prometheus exporter for Cisco AsyncOS mail appliances, version {version}.</p>\n",
            Headline(self.summary)
        )?;
        self.write_links(links, page)?;
        page.push_str("</header>\n<main>\n");
        self.write_summary(page)?;
        self.write_own(page)?;
        self.write_fleet(page)?;
        let revision = self.revision.map_or_else(String::new, |revision| format!(", revision {}", Escaped(revision)));
        writeln!(
            page,
            "</main>\n<footer>As of {}{revision}. Up for {}. Refreshes every {REFRESH_SECONDS} s.</footer>\n</body>\n</html>",
            self.time,
            Span(Duration::from_secs(self.uptime_seconds)),
        )
    }

    fn write_links(&self, links: Links<'_>, page: &mut String) -> fmt::Result {
        page.push_str("<nav>\n");
        let all = [
            (links.telemetry_path, "Metrics"),
            ("/config", "Configuration"),
            ("/api/v1/status", "Status as JSON"),
            ("/sd", "Service discovery"),
            ("/-/healthy", "Healthy"),
            ("/-/ready", "Ready"),
        ];
        for (path, name) in all {
            writeln!(page, "<a href=\"{}{}\">{name}</a>", Escaped(links.prefix), Escaped(path))?;
        }
        page.push_str("</nav>\n");
        Ok(())
    }

    fn write_summary(&self, page: &mut String) -> fmt::Result {
        let Summary { appliances, ok, starting, degraded, down, logins_stopped } = self.summary;
        page.push_str("<section class=\"summary\" aria-label=\"Summary\">\n");
        let noun = if appliances == 1 { "appliance" } else { "appliances" };
        writeln!(page, "<div class=\"count all\"><b>{appliances}</b> {noun}</div>")?;
        let states = [
            (State::LoginsStopped, logins_stopped),
            (State::Down, down),
            (State::Degraded, degraded),
            (State::Starting, starting),
            (State::Ok, ok),
        ];
        for (state, count) in states {
            let class = if count == 0 { "zero" } else { class(state) };
            writeln!(page, "<div class=\"count {class}\"><b>{count}</b> {}</div>", state.label())?;
        }
        page.push_str("</section>\n");
        Ok(())
    }

    /// The state of the exporter itself.
    fn write_own(&self, page: &mut String) -> fmt::Result {
        let now = self.time;
        page.push_str("<section class=\"own\" aria-label=\"Exporter\">\n");
        let since = When { at: self.config.in_force_since, now };
        match self.config.last_reload_ok {
            Some(false) => writeln!(
                page,
                "<p class=\"bad\">The newest configuration is invalid, see the log; the one loaded {since} stays in use.</p>"
            )?,
            Some(true) | None => writeln!(page, "<p class=\"good\">Configuration loaded {since}.</p>")?,
        }
        if !self.config.web_last_reload_ok {
            page.push_str(
                "<p class=\"bad\">The web configuration (TLS and users) could not be reloaded, see the log.</p>\n",
            );
        }
        let written = When { at: self.state.last_written, now };
        match (self.state.durable, self.state.last_write_ok) {
            (false, _) => page.push_str(
                "<p class=\"warn\">Totals are kept in memory and start at zero after a restart. Set --storage.path to keep them.</p>\n",
            ),
            (true, true) => writeln!(page, "<p class=\"good\">Totals are kept on disk, last written {written}.</p>")?,
            (true, false) => writeln!(
                page,
                "<p class=\"bad\">Totals cannot be written and are paused, see the log; last written {written}.</p>"
            )?,
        }
        if self.state.file_present == Some(false) {
            page.push_str("<p class=\"bad\">The state file was deleted or replaced, see the log.</p>\n");
        }
        if let Some(rewrites @ 1..) = self.state.file_rewrites {
            let times = if rewrites == 1 { "once".to_owned() } else { format!("{rewrites} times") };
            writeln!(page, "<p class=\"warn\">The state file was deleted and recreated {times}.</p>")?;
        }
        if self.state.lost_at_start == Some(true) {
            page.push_str(
                "<p class=\"warn\">The state file was damaged or missing at the start: totals restarted at zero, see the log.</p>\n",
            );
        }
        page.push_str("</section>\n");
        Ok(())
    }

    fn write_fleet(&self, page: &mut String) -> fmt::Result {
        page.push_str(
            "<table>\n<thead><tr><th scope=\"col\">Appliance</th><th scope=\"col\">Data</th>\
             <th scope=\"col\">Windows</th><th scope=\"col\">Access</th><th scope=\"col\">Problems</th></tr></thead>\n\
             <tbody>\n",
        );
        for appliance in &self.appliances {
            ApplianceRow { appliance, now: self.time }.write(page)?;
        }
        page.push_str("</tbody>\n</table>\n");
        Ok(())
    }
}

/// The title of the browser's tab.
struct Headline(Summary);

impl fmt::Display for Headline {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { degraded, down, logins_stopped, .. } = self.0;
        match degraded + down + logins_stopped {
            0 => out.write_str("All well"),
            1 => out.write_str("1 problem"),
            count => write!(out, "{count} problems"),
        }
    }
}

const fn class(state: State) -> &'static str {
    match state {
        State::LoginsStopped | State::Down => "bad",
        State::Degraded => "warn",
        State::Starting => "idle",
        State::Ok => "good",
    }
}

/// One appliance.
struct ApplianceRow<'a> {
    appliance: &'a ApplianceStatus,
    now: Timestamp,
}

impl ApplianceRow<'_> {
    fn write(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { name, product, host, state, model, release, serial, .. } = self.appliance;
        writeln!(page, "<tr class=\"{}\">", class(*state))?;
        write!(
            page,
            "<th scope=\"row\"><span class=\"state\">{}</span> <span class=\"name\">{}</span>\
             <small>{} at {}",
            state.label(),
            Escaped(name),
            product.to_uppercase(),
            Escaped(host)
        )?;
        for (word, fact) in [("AsyncOS", release), ("model", model), ("serial number", serial)] {
            if let Some(fact) = fact {
                write!(page, ", {word} {}", Escaped(fact))?;
            }
        }
        page.push_str("</small></th>\n");
        self.write_data(page)?;
        self.write_windows(page)?;
        self.write_access(page)?;
        self.write_notes(page)?;
        page.push_str("</tr>\n");
        Ok(())
    }

    fn when(&self, at: Option<Timestamp>) -> When {
        When { at, now: self.now }
    }

    fn write_data(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { window_end, last_success, .. } = self.appliance;
        page.push_str("<td data-label=\"Data\">");
        match window_end {
            Some(end) => write!(page, "<span>up to {}</span>", self.when(Some(*end)))?,
            None => page.push_str("<span class=\"none\">none yet</span>"),
        }
        if last_success.is_some() {
            write!(page, "<small>last success {}</small>", self.when(*last_success))?;
        }
        page.push_str("</td>\n");
        Ok(())
    }

    fn write_windows(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { windows_pending, windows_lost, window_seconds, settle_seconds, .. } = self.appliance;
        let lost = if *windows_lost > 0 { " class=\"warn\"" } else { "" };
        writeln!(
            page,
            "<td data-label=\"Windows\"><span>{windows_pending} pending, <span{lost}>{windows_lost} lost</span></span>\
             <small>of {}, requested after {}</small></td>",
            Spans(window_seconds),
            Spans(settle_seconds)
        )
    }

    fn write_access(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { token_expires, certificate_expires, login_refusals, .. } = self.appliance;
        page.push_str("<td data-label=\"Access\">");
        if token_expires.is_some() {
            write!(page, "<span>token expires {}</span>", self.when(*token_expires))?;
        }
        if certificate_expires.is_some() {
            write!(page, "<small>certificate expires {}</small>", self.when(*certificate_expires))?;
        }
        match login_refusals {
            0 => {}
            1 => page.push_str("<small class=\"bad\">1 login refused</small>"),
            count => write!(page, "<small class=\"bad\">{count} logins refused</small>")?,
        }
        page.push_str("</td>\n");
        Ok(())
    }

    fn write_notes(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { problems, last_failure, reporting_centralized, .. } = self.appliance;
        page.push_str("<td data-label=\"Problems\">");
        if !problems.is_empty() {
            page.push_str("<ul>");
            for problem in problems {
                write!(page, "<li>{}</li>", Escaped(&problem.to_string()))?;
            }
            page.push_str("</ul>");
        }
        if *reporting_centralized == Some(true) {
            page.push_str("<small>Reporting is centralized on an SMA.</small>");
        }
        // What to do is among the problems, while it is one.
        if let Some(FailureStatus { reason, detail, at, hint: _ }) = last_failure {
            let when = self.when(Some(*at));
            write!(page, "<small>last failure {when}: <code>{reason}</code> {}</small>", Escaped(detail))?;
        }
        self.write_questions(page)?;
        page.push_str("</td>\n");
        Ok(())
    }

    /// Failing and refused requests with their causes, folded.
    fn write_questions(&self, page: &mut String) -> fmt::Result {
        let ApplianceStatus { groups, aspects, .. } = self.appliance;
        let groups = groups.iter().map(|group| (group.title(), group.asked, &group.failure));
        let aspects = aspects.iter().map(|aspect| (aspect.group.to_owned(), aspect.asked, &aspect.failure));
        let unanswered: Vec<_> = groups
            .chain(aspects)
            .filter(|(_, asked, _)| match asked {
                Asked::Failing | Asked::Refused => true,
                Asked::Answered | Asked::Waiting => false,
            })
            .collect();
        if unanswered.is_empty() {
            return Ok(());
        }
        write!(page, "<details><summary>{} failing or refused</summary><ul>", unanswered.len())?;
        for (title, asked, failure) in unanswered {
            let often = if asked == Asked::Refused { ", requested hourly" } else { "" };
            write!(page, "<li>{}{often}", Escaped(&title))?;
            if let Some(FailureStatus { reason, detail, hint, at }) = failure {
                let (detail, hint, when) = (Escaped(detail), Escaped(hint), self.when(Some(*at)));
                write!(page, "<small><code>{reason}</code> {detail}, {when}; {hint}</small>")?;
            }
            page.push_str("</li>");
        }
        page.push_str("</ul></details>");
        Ok(())
    }
}

/// Lengths in seconds, as a list.
struct Spans<'a>(&'a [u64]);

impl fmt::Display for Spans<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("–");
        }
        for (position, seconds) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(out, "{comma}{}", Span(Duration::from_secs(*seconds)))?;
        }
        Ok(())
    }
}
