//! The destinations of one appliance that have series of their own: those with the most waiting recipients. All others are
//! summed. Knows nothing of requests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Sample;
use super::status_help::{
    DESTINATION_ACTIVE, DESTINATION_CONNECTIONS, DESTINATION_DELIVERED, DESTINATION_HARD_BOUNCES,
    DESTINATION_SOFT_BOUNCES, DESTINATION_STATUS,
};
use super::status_metrics::{StatusMetrics, sample};
use crate::api::{DeliveryStatus, Destination};
use crate::base::clock::Tick;
use crate::sample::MetricDef;

/// The label of the sum of the others. No domain has brackets in its name; what is called so nevertheless is one of them.
pub const OTHERS: &str = "(other)";
/// A destination without mail for so long gives up its series, and is forgotten.
const QUIET_AFTER: Duration = Duration::from_secs(24 * 3600);
/// So many waiting recipients come and go with each message, and take no series from another domain.
const FEW: u64 = 5;
/// Destinations whose counts are remembered: what the appliance has stopped to list may come back.
const MOST_REMEMBERED: usize = 20_000;

/// The counters in the order of [`counts`].
const COUNTERS: [MetricDef; 3] = [DESTINATION_DELIVERED, DESTINATION_SOFT_BOUNCES, DESTINATION_HARD_BOUNCES];

/// Totals of the three counters; none for a counter that no answer has had.
type Totals = [Option<u64>; COUNTERS.len()];

/// The destinations of one appliance, as far as answers have reported.
#[derive(Debug)]
pub struct Destinations {
    /// The most domains that have series of their own.
    top: usize,
    /// Every domain that was listed within a day.
    known: BTreeMap<String, Known>,
    /// Those with series of their own.
    shown: BTreeMap<String, Totals>,
    others: Totals,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// The appliance's own counts at the last answer that had them.
    counts: Totals,
    /// When it last had mail.
    busy: Tick,
}

fn counts(destination: &Destination) -> Totals {
    [destination.delivered, destination.soft_bounces, destination.hard_bounces]
}

impl Destinations {
    /// Destinations of which at most `top` have series of their own.
    #[must_use]
    pub fn new(top: usize) -> Self {
        Self { top, known: BTreeMap::new(), shown: BTreeMap::new(), others: [None; COUNTERS.len()] }
    }

    /// Takes in an answer that came at `now`, and returns the metrics.
    pub fn update(&mut self, status: &DeliveryStatus, now: Tick) -> StatusMetrics {
        self.count(status, now);
        self.choose(status);
        self.metrics(status)
    }

    /// Adds to the totals what the counts have grown by. The appliance keeps a destination only while it has mail, so
    /// counts may begin again; those of a domain that is new here are only where counting begins.
    fn count(&mut self, status: &DeliveryStatus, now: Tick) {
        for (domain, destination) in &status.destinations {
            let fresh = counts(destination);
            let known = self.known.entry(domain.clone()).or_insert(Known { counts: fresh, busy: now });
            let totals = self.shown.get_mut(domain).unwrap_or(&mut self.others);
            let mut is_busy = destination.active.is_some_and(|active| active > 0);
            for ((total, old), new) in totals.iter_mut().zip(&mut known.counts).zip(fresh) {
                let Some(new) = new else { continue };
                let before = old.replace(new).unwrap_or(new);
                let growth = match new.checked_sub(before) {
                    Some(growth) => growth,
                    // One that began again is near zero; one that shrinks a little was corrected, which delivers nothing.
                    None if new < before / 2 => new,
                    None => 0,
                };
                *total = Some(total.unwrap_or(0).saturating_add(growth));
                is_busy |= growth > 0;
            }
            if is_busy {
                known.busy = now;
            }
        }
        self.known.retain(|_, known| now.since(known.busy) < QUIET_AFTER);
        if self.known.len() > MOST_REMEMBERED {
            self.known.retain(|domain, _| status.destinations.contains_key(domain));
        }
    }

    /// Chooses those with the most waiting recipients. A domain that has a series keeps it until it was quiet for a day, unless
    /// one with more than twice as many needs the room: a few more or less would begin new series all the time.
    fn choose(&mut self, status: &DeliveryStatus) {
        let active = |domain: &str| status.destinations.get(domain).and_then(|it| it.active).unwrap_or(0);
        let listed = status.destinations.keys().filter(|domain| active(domain) > 0);
        let kept = self.shown.keys().filter(|domain| self.known.contains_key(*domain));
        let candidates: BTreeSet<&String> = listed.chain(kept).filter(|domain| *domain != OTHERS).collect();
        let mut ranked: Vec<&String> = candidates.into_iter().collect();
        ranked.sort_by_key(|domain| {
            let has_series = self.shown.contains_key(*domain);
            let active = active(domain);
            let rank = if has_series { active.saturating_mul(2).max(FEW) } else { active };
            (Reverse(rank), !has_series)
        });
        ranked.truncate(self.top);
        let fresh = |domain: &String| match self.known.get(domain) {
            // Zero where the appliance has the count: a series begins there.
            Some(known) => known.counts.map(|count| count.map(|_| 0)),
            None => [None; COUNTERS.len()],
        };
        self.shown = ranked
            .into_iter()
            .map(|domain| (domain.clone(), self.shown.get(domain).copied().unwrap_or_else(|| fresh(domain))))
            .collect();
    }

    fn metrics(&self, status: &DeliveryStatus) -> StatusMetrics {
        let mut metrics = StatusMetrics { unusable: status.unusable, ..StatusMetrics::default() };
        let series = |about: &MetricDef, domain: &str, value: u64| -> Sample {
            sample(about.name.into(), about.help.into(), [("domain", domain)], value as f64)
        };
        let mut others = [0, 0];
        for (domain, destination) in &status.destinations {
            let values = [destination.active, destination.connections];
            if self.shown.contains_key(domain) {
                let gauges = [DESTINATION_ACTIVE, DESTINATION_CONNECTIONS].into_iter().zip(values);
                let gauges = gauges.filter_map(|(about, value)| Some(series(&about, domain, value?)));
                metrics.gauges.extend(gauges);
                let labels = [("domain", domain.as_str()), ("state", destination.status.label())];
                metrics.gauges.push(sample(
                    DESTINATION_STATUS.name.into(),
                    DESTINATION_STATUS.help.into(),
                    labels,
                    1.0,
                ));
            } else {
                others.iter_mut().zip(values).for_each(|(sum, value)| *sum += value.unwrap_or(0));
            }
        }
        for (about, sum) in [DESTINATION_ACTIVE, DESTINATION_CONNECTIONS].iter().zip(others) {
            metrics.gauges.push(series(about, OTHERS, sum));
        }
        let own = self.shown.iter().map(|(domain, totals)| (domain.as_str(), totals));
        for (domain, totals) in own.chain([(OTHERS, &self.others)]) {
            let counters = COUNTERS.iter().zip(totals);
            let counters = counters.filter_map(|(about, total)| Some(series(about, domain, (*total)?)));
            metrics.counters.extend(counters);
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash;

    fn status(rows: &[(&str, u64, u64)]) -> DeliveryStatus {
        let row = |(domain, active, delivered): &(&str, u64, u64)| {
            let destination =
                Destination { active: Some(*active), delivered: Some(*delivered), ..Destination::default() };
            ((*domain).to_owned(), destination)
        };
        DeliveryStatus { destinations: rows.iter().map(row).collect(), ..DeliveryStatus::default() }
    }

    fn at(minutes: u64) -> Tick {
        Tick::default() + Duration::from_secs(60 * minutes)
    }

    /// Domains with their values in the samples of this name.
    fn of(metrics: &[Sample], name: &str) -> Vec<(String, u64)> {
        let own = metrics.iter().filter(|sample| sample.family.name == name);
        own.map(|sample| (sample.labels[0].1.to_string(), sample.value as u64)).collect()
    }

    fn pairs(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs.iter().map(|(domain, value)| ((*domain).to_owned(), *value)).collect()
    }

    #[test]
    fn the_fullest_have_series_and_the_rest_is_summed() {
        let mut destinations = Destinations::new(2);
        let metrics = destinations.update(&status(&[("a", 1, 10), ("b", 5, 20), ("c", 3, 30), ("d", 2, 40)]), at(0));
        assert_eq!(of(&metrics.gauges, DESTINATION_ACTIVE.name), pairs(&[("b", 5), ("c", 3), (OTHERS, 3)]));
        assert_eq!(of(&metrics.counters, DESTINATION_DELIVERED.name), pairs(&[("b", 0), ("c", 0), (OTHERS, 0)]));
        let metrics = destinations.update(&status(&[("a", 11, 11), ("b", 5, 22), ("c", 5, 33), ("d", 10, 44)]), at(1));
        // What `a` delivered before it had a series is in the sum; `b` and `c` have as many, and both had one, and `d` has
        // not more than twice as many.
        assert_eq!(of(&metrics.gauges, DESTINATION_ACTIVE.name), pairs(&[("a", 11), ("b", 5), (OTHERS, 15)]));
        assert_eq!(of(&metrics.counters, DESTINATION_DELIVERED.name), pairs(&[("a", 0), ("b", 2), (OTHERS, 5)]));
        let metrics = destinations.update(&status(&[("a", 9, 3), ("b", 5, 22)]), at(2));
        assert_eq!(
            of(&metrics.counters, DESTINATION_DELIVERED.name),
            pairs(&[("a", 3), ("b", 2), (OTHERS, 5)]),
            "it began again"
        );
    }

    #[test]
    fn a_series_ends_when_its_domain_was_quiet_or_gone_for_a_day() {
        let mut destinations = Destinations::new(5);
        destinations.update(&status(&[("gone", 1, 1), ("quiet", 1, 1), ("busy", 0, 1)]), at(0));
        let mut shown = |minutes, rows: &[(&str, u64, u64)]| {
            let metrics = destinations.update(&status(rows), at(minutes));
            (of(&metrics.gauges, DESTINATION_ACTIVE.name), of(&metrics.counters, DESTINATION_DELIVERED.name))
        };
        let (gauges, counters) = shown(24 * 60 - 1, &[("quiet", 0, 1)]);
        assert_eq!(gauges, pairs(&[("quiet", 0), (OTHERS, 0)]), "what is not listed has no gauge");
        assert_eq!(counters, pairs(&[("gone", 0), ("quiet", 0), (OTHERS, 0)]));
        let (gauges, counters) = shown(24 * 60, &[("quiet", 0, 1)]);
        assert_eq!((gauges, counters), (pairs(&[(OTHERS, 0)]), pairs(&[(OTHERS, 0)])));
    }

    #[test]
    fn a_domain_cannot_take_the_name_of_the_sum() {
        let mut destinations = Destinations::new(3);
        let metrics = destinations.update(&status(&[(OTHERS, 7, 1), ("a", 2, 1)]), at(0));
        assert_eq!(of(&metrics.gauges, DESTINATION_ACTIVE.name), pairs(&[("a", 2), (OTHERS, 7)]));
    }

    #[test]
    fn a_week_of_5000_domains_makes_no_more_series_than_configured() {
        const TOP: usize = 20;
        let names: Vec<String> = (0..5000).map(|number| format!("d{number}.example")).collect();
        let dice = |domain: &str, hour: u64| hash::stable(format!("{domain} {hour}").as_bytes());
        let mut destinations = Destinations::new(TOP);
        let mut seen = BTreeSet::new();
        for tenth in 0..7 * 24 * 6 {
            // Mail for a domain comes in one hour of 24.
            let hour = tenth / 6;
            let busy = names.iter().filter(|domain| dice(domain, hour).is_multiple_of(24));
            let rows: Vec<_> = busy.map(|it| (it.as_str(), dice(it, tenth) % 50, (tenth % 6) * 7)).collect();
            seen.extend(rows.iter().map(|(domain, ..)| (*domain).to_owned()));
            let metrics = destinations.update(&status(&rows), at(tenth * 10));
            let waiting: u64 = rows.iter().map(|(_, active, _)| active).sum();
            let gauges = of(&metrics.gauges, DESTINATION_ACTIVE.name);
            let counters = of(&metrics.counters, DESTINATION_DELIVERED.name);
            assert!(gauges.len() <= TOP + 1 && counters.len() <= TOP + 1, "{} {}", gauges.len(), counters.len());
            assert_eq!(gauges.iter().map(|(_, value)| value).sum::<u64>(), waiting, "the sum is the truth");
        }
        assert!(seen.len() > 4500, "only {} domains had mail", seen.len());
        assert!(destinations.known.len() <= 5000);
    }
}
