//! The families that a page can have. A scrape for any other is refused: an empty page would hide a misspelt name.

use std::collections::BTreeSet;

use super::metric_help::ABOUT_DATA;
use super::page::Page;
use super::scrape::Unanswered;
use crate::base::spelling::NearestNames;
use crate::catalogue::{self, Aggregation, Group, ScopeKind};
use crate::sample::ABOUT_NOW;
use crate::telemetry::{GatheredFamily, Telemetry};

/// Names that a refusal proposes.
const MOST_NAMES: usize = 3;
/// A counter beyond the catalogue that differs from one in it by so few letters is a slip of the pen.
const SLIPS: usize = 2;
/// Counters and gauges of the XML status have the names that the appliance gives them.
const STATUS: &str = "asyncos_status_";

/// The families that can be on a page, whether or not they are on one now.
#[derive(Debug)]
pub(super) struct KnownFamilies {
    /// Those that are made of no report.
    own: BTreeSet<String>,
    /// The counters of searches of the message tracking.
    searches: Group,
}

impl KnownFamilies {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let about = ABOUT_DATA.iter().chain(ABOUT_NOW).map(|about| about.name.to_owned());
        Self { own: telemetry.families().iter().cloned().chain(about).collect(), searches: catalogue::search_group() }
    }

    /// Checks that each of `names` is on `page`, among `own`, or could be on a page, where the configuration describes
    /// the groups `custom`. Names are those of either format.
    ///
    /// # Errors
    /// The first name that no page can have.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn check(
        &self,
        names: &[String],
        custom: &[Group],
        page: &Page,
        own: &[GatheredFamily],
    ) -> Result<(), Unanswered> {
        let mut missing: BTreeSet<&str> =
            names.iter().map(String::as_str).filter(|name| !self.has(name, custom)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        page.retain_missing(&mut missing, own);
        match names.iter().find(|name| missing.contains(name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let nearest = self.nearest(name, custom).await;
                Err(Unanswered::UnknownFamily { name: name.clone(), nearest })
            }
        }
    }

    fn has(&self, name: &str, custom: &[Group]) -> bool {
        let is_own = ["", "_total", "_info"].iter().any(|suffix| self.own.contains(&format!("{name}{suffix}")));
        let is_of = |group: &Group| {
            // Most groups are ruled out without a name being made.
            name.contains(&*group.name) && ScopeKind::ALL.into_iter().any(|scope| is_of_group(name, group, scope))
        };
        is_own || name.starts_with(STATUS) || self.groups(custom).any(is_of)
    }

    fn groups<'a>(&'a self, custom: &'a [Group]) -> impl Iterator<Item = &'a Group> {
        let catalogued = catalogue::groups().map(|group| -> &'a Group { group });
        catalogued.chain(custom).chain([&self.searches])
    }

    /// The known names that are nearest to `name`.
    async fn nearest(&self, name: &str, custom: &[Group]) -> Vec<String> {
        // All names begin alike, so a third of the letters holds much of the difference between them.
        let mut search = NearestNames::new(name, name.chars().count() / 3, MOST_NAMES);
        self.own.iter().for_each(|known| search.consider(known));
        for group in self.groups(custom) {
            for scope in ScopeKind::ALL {
                families(group, scope).iter().for_each(|known| search.consider(known));
                // There are thousands of names, and others wait for the thread.
                tokio::task::yield_now().await;
            }
        }
        search.found()
    }
}

/// The names of the families of the known counters of `group`.
fn families(group: &Group, scope: ScopeKind) -> Vec<String> {
    let counters = group.counters.iter().filter(|counter| counter.is_numeric());
    let names = counters.map(|counter| [Some(counter.gauge_name(group, scope)), counter.total_name(group, scope)]);
    names.flatten().flatten().collect()
}

/// Whether a family of that name can be made of reports of `group`.
fn is_of_group(name: &str, group: &Group, scope: ScopeKind) -> bool {
    let families = families(group, scope);
    if families.iter().any(|known| known == name || known.strip_suffix("_total") == Some(name)) {
        return true;
    }
    // Releases add counters, whose families are there once an appliance has sent them.
    let is_summed = matches!(group.others, Some((Aggregation::Sum, _)));
    let can_be_sent = name.starts_with(&group.metric_prefix(scope))
        && (name.ends_with("_last_window") || (is_summed && name.ends_with("_total")));
    can_be_sent && {
        let mut search = NearestNames::new(name, SLIPS, 1);
        families.iter().for_each(|known| search.consider(known));
        search.found().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::exposition::page_index::PageIndex;
    use crate::snapshot::Hold;

    const CUSTOM: &str = "custom_counter_groups:\n\
        - {name: mail_new, aggregation: sum, unit: messages}\n\
        - {name: mail_old, counters: [{name: accepted, aggregation: sum}]}\n\
        appliances: [{name: a, url: 'https://a', username: u, password: p}]\n";

    fn check(names: &[&str]) -> Result<(), String> {
        let config = Config::parse("c", CUSTOM).unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let telemetry = Telemetry::try_new().unwrap();
        let known = KnownFamilies::new(&telemetry);
        let page = Page::new(&PageIndex::new(1000, Hold::No), 0);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let checked = runtime.block_on(known.check(&names, &config.custom_groups, &page, &telemetry.own()));
        checked.map_err(|error| error.to_string())
    }

    #[test]
    fn no_custom_group_can_take_the_name_of_a_metric_of_ours() {
        let telemetry = Telemetry::try_new().unwrap();
        let own = KnownFamilies::new(&telemetry).own;
        // Gauges of groups end in `_last_window`, which none of ours does.
        assert!(!own.iter().any(|name| name.ends_with("_last_window")));
        let totals = own.iter().filter(|name| name.ends_with("_total"));
        for name in totals.filter_map(|name| name.strip_prefix("asyncos_")) {
            assert!(catalogue::is_reserved(name), "{name}");
        }
    }

    #[test]
    fn what_is_absent_because_nothing_happened_yet_is_known() {
        let golden = include_str!("../../tests/golden/metrics.txt");
        let of_page = golden.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let catalogued = include_str!("../../tests/golden/metric_names.txt").lines();
        let seldom = ABOUT_DATA.iter().chain(ABOUT_NOW).chain(crate::telemetry::SELDOM).map(|about| about.name);
        let names: Vec<&str> = of_page.chain(catalogued).chain(seldom).collect();
        assert!(names.len() > 500, "{}", names.len());
        assert_eq!(check(&names), Ok(()));
        let openmetrics: Vec<&str> = names
            .iter()
            .filter_map(|name| name.strip_suffix("_total").or_else(|| name.strip_suffix("_info")))
            .collect();
        assert_eq!(check(&openmetrics), Ok(()));
        let sent_later = [
            "asyncos_tracking_messages_total",
            "asyncos_device_group_mail_incoming_traffic_summary_detected_spam_total",
            "asyncos_mail_incoming_traffic_summary_counter_of_a_later_release_last_window",
            "asyncos_status_anything",
            "asyncos_mail_new_whatever_total",
            "asyncos_device_mail_new_whatever_last_window",
            "asyncos_mail_old_accepted_total",
        ];
        assert_eq!(check(&sent_later), Ok(()));
    }

    #[test]
    fn a_name_that_no_page_can_have_is_refused_with_the_nearest() {
        let refused = |name: &str, nearest: &str| {
            assert_eq!(check(&["asyncos_up", name]), Err(format!("no metric family is called `{name}`{nearest}")));
        };
        refused("nonsense", "");
        refused("asyncos_upp", "; did you mean `asyncos_up`?");
        refused(
            "asyncos_mail_incoming_traffic_summary_detected_spamm_last_window",
            "; did you mean `asyncos_mail_incoming_traffic_summary_detected_spam_last_window`, \
             `asyncos_mail_incoming_traffic_summary_detected_amp_last_window` or \
             `asyncos_mail_incoming_traffic_summary_detected_virus_last_window`?",
        );
        refused(
            "asyncos_api_request_duration_seconds_bucket",
            "; did you mean `asyncos_api_request_duration_seconds`?",
        );
        refused(
            "asyncos_mail_old_acceptd_total",
            "; did you mean `asyncos_mail_old_accepted_total` or `asyncos_device_mail_old_accepted_total`?",
        );
        assert!(check(&["asyncos_mail_incoming_traffic_summary_no_such_counter_total"]).is_err());
    }

    #[test]
    fn a_hostile_name_comes_back_short_and_printable() {
        let name = format!("\r\n\u{1b}[31m\u{202e}<script>`{}", "x".repeat(60_000));
        let message = check(&[&name]).unwrap_err();
        assert!(message.len() < 300 && message.chars().all(|letter| !letter.is_control() && letter != '\u{202e}'));
        assert!(message.starts_with("no metric family is called `\\r\\n\\u{1b}[31m\\u{202e}<script>"), "{message}");
    }
}
