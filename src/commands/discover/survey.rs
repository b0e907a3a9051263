//! Asks one appliance, one request after the other, and says each finding as it comes. Stops where no further request
//! can fare better.

use std::time::Duration;

use super::findings::{CAPACITY, Findings, GroupAccess, Manager, TRAFFIC, USUAL_DEVICE_GROUP, events, is_centralized};
use crate::api::{Client, Failure, Observation, Reason, Reply, StatusKind};
use crate::base::window::{Grid, Window};
use crate::catalogue::{self, Group, Profile};
use crate::commands::eprint_line;
use crate::commands::probe::access::{AccessCheck, Observed, Windows, described, topic};
use crate::commands::probe::{Prober, hours, product_name, query};
use crate::config::{Appliance, Product, Scope};

/// The shortest windows that are tried; those of the configuration unless it says otherwise.
const MINUTES: Duration = Duration::from_secs(5 * 60);
/// Zeros of so many hours are more than a quiet night.
const DAY: u32 = 24;
/// A report about the web without keys, as cheap as any.
const WEB: &str = "web_services_summary";

/// Requests everything that a configuration depends on, beyond the status answers that were `observed` at the login.
///
/// # Errors
/// The failure after which no further request can succeed, or the third in a row.
pub(super) async fn survey(client: Client, appliance: Appliance, observed: Vec<Observed>) -> Result<Findings, Failure> {
    let product = appliance.product;
    eprint_line(format!("product: {}", product_name(product)));
    if let Some(identity) = client.identity() {
        let model = identity.model.map_or_else(String::new, |model| format!(", model {model}"));
        eprint_line(format!("release: AsyncOS {}{model}", identity.release));
    }
    for Observed { aspect, answer } in &observed {
        print_answer(aspect, answer);
    }
    let mut surveyor = Surveyor { prober: Prober::new(client, appliance) };
    let at = surveyor.prober.client.now();
    let (groups, hours) = surveyor.groups().await?;
    let windows = surveyor.windows(&groups).await?;
    let is_centralized = product == Product::Esa && surveyor.is_centralized(&hours).await?;
    let own = match product {
        Product::Esa => vec![StatusKind::Health, StatusKind::Quarantines(None)],
        Product::Sma => vec![StatusKind::Quarantines(None), StatusKind::Managed],
    };
    let mut findings = Findings { product, at, observed, groups, windows, is_centralized, manager: None };
    for aspect in own {
        let answer = surveyor.prober.observe(&aspect).await?;
        print_answer(&aspect, &answer);
        findings.observed.push(Observed { aspect, answer });
    }
    if product == Product::Sma {
        findings.manager = Some(surveyor.manager(&findings).await?);
    }
    Ok(findings)
}

/// Asks for `group` over the last whole hour.
///
/// # Errors
/// Why there is no report.
pub(super) async fn hour(client: &Client, appliance: &Appliance, group: &str) -> Result<Reply, Failure> {
    match catalogue::group(group) {
        Some(group) => client.fetch(&query(group, Scope::Appliance, hours(client, appliance, 1))).await,
        None => Err(Failure::new(Reason::Declined, format!("`{group}` is not in the catalogue"))),
    }
}

fn print_answer(aspect: &StatusKind, answer: &Result<Observation, Failure>) {
    let said = match answer {
        Ok(observation) => described(observation),
        Err(failure) => format!("request failed ({failure})"),
    };
    eprint_line(format!("{}: {said}", topic(aspect)));
}

/// The requests of `discover`; prints each finding.
struct Surveyor {
    prober: Prober,
}

impl Surveyor {
    async fn fetch(&mut self, group: &Group, scope: Scope, window: Window) -> Result<Result<Reply, Failure>, Failure> {
        self.prober.fetch(&query(group, scope, window)).await
    }

    fn hours(&self, count: u32) -> Window {
        self.prober.hours(count)
    }

    /// Requests every group of the largest profile once. Returns the outcomes, and the events in the groups that
    /// [`is_centralized`] compares.
    async fn groups(&mut self) -> Result<(Vec<GroupAccess>, Vec<(&'static Group, Result<u64, Failure>)>), Failure> {
        let (mut groups, mut hours) = (Vec::new(), Vec::new());
        for group in catalogue::profile(Profile::Full) {
            let answer = self.fetch(group, Scope::Appliance, self.hours(1)).await?;
            let access = AccessCheck::of(&answer);
            if let Some(trouble) = access.trouble() {
                eprint_line(format!("counter group {}: {trouble}", group.name));
            }
            if TRAFFIC.contains(&&*group.name) {
                hours.push((group, answer.map(|reply| events(group, &reply.report))));
            }
            groups.push(GroupAccess { name: &group.name, access });
        }
        let readable = groups.iter().filter(|asked| asked.access == AccessCheck::Readable).count();
        eprint_line(format!("counter groups: {readable} of {} can be read", groups.len()));
        Ok((groups, hours))
    }

    /// Whether windows of minutes are answered, by a report that is answered for an hour.
    async fn windows(&mut self, groups: &[GroupAccess]) -> Result<Windows, Failure> {
        let Some(group) = readable(groups) else { return Ok(Windows::Unclear("no report is readable".into())) };
        let grid = Grid::try_new(MINUTES).unwrap_or(Grid::HOURS);
        let hour = query(group, Scope::Appliance, self.hours(1));
        let windows = self.prober.windows(hour, grid).await?;
        eprint_line(match &windows {
            Windows::Minutes => "windows: five minutes are supported".to_owned(),
            Windows::Hours(said) => format!("windows: whole hours only ({said})"),
            Windows::Unclear(said) => format!("windows: unknown ({said})"),
        });
        Ok(windows)
    }

    /// Whether an ESA seems to leave its reporting to an SMA. `hour` has the events in its reports of traffic for the
    /// last hour: where there are any, no further request is needed.
    async fn is_centralized(&mut self, hour: &[(&'static Group, Result<u64, Failure>)]) -> Result<bool, Failure> {
        let has_traffic = hour.iter().any(|(_, answer)| answer.as_ref().is_ok_and(|events| *events > 0));
        let Some(capacity) = catalogue::group(CAPACITY).filter(|_| !has_traffic) else {
            eprint_line("reporting: local to this ESA");
            return Ok(false);
        };
        let day = self.hours(DAY);
        let messages = match self.fetch(capacity, Scope::Appliance, day).await? {
            Ok(reply) => events(capacity, &reply.report),
            Err(_) => 0,
        };
        let mut traffic = Vec::new();
        for (group, _) in hour {
            let answer = self.fetch(group, Scope::Appliance, day).await?;
            traffic.push(answer.map(|reply| events(group, &reply.report)));
        }
        let is_centralized = is_centralized(messages, &traffic);
        eprint_line(match is_centralized {
            true => "reporting: seems to be centralized on an SMA: poll the SMA for the rest",
            false => "reporting: unknown whether it is centralized, because there is no traffic",
        });
        Ok(is_centralized)
    }

    async fn manager(&mut self, findings: &Findings) -> Result<Manager, Failure> {
        let hour = self.hours(1);
        let usual_group = match readable(&findings.groups) {
            Some(group) => {
                let scope = Scope::DeviceGroup(USUAL_DEVICE_GROUP.into());
                AccessCheck::of(&self.fetch(group, scope, hour).await?)
            }
            None => AccessCheck::Unclear("no report is readable".into()),
        };
        let web = match catalogue::group(WEB) {
            Some(group) => AccessCheck::of(&self.fetch(group, Scope::Appliance, hour).await?),
            None => AccessCheck::Unclear("no report is known".into()),
        };
        let can = |access: &AccessCheck| access.trouble().unwrap_or_else(|| "can be read".into());
        eprint_line(format!("device group {USUAL_DEVICE_GROUP}: {}", can(&usual_group)));
        eprint_line(format!("reports about the web: {}", can(&web)));
        Ok(Manager { usual_group, web })
    }
}

/// A report to try windows and scopes with: one that can be read, and if possible one without keys.
fn readable(groups: &[GroupAccess]) -> Option<&'static Group> {
    let readable = groups.iter().filter(|asked| asked.access == AccessCheck::Readable);
    let mut found = readable.filter_map(|asked| catalogue::group(asked.name));
    found.clone().find(|group| group.name == CAPACITY).or_else(|| found.next())
}
