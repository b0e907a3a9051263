//! Reads the answer of the health endpoint: how loaded a gateway is at this moment.

use crate::api::wire::field::Fields;
use crate::api::{Failure, Reason, UnusableCounts};
use crate::catalogue::Unit;

const FIELDS: [&str; 8] = [
    "percentage_cpu_load",
    "percentage_ram_utilization",
    "percentage_swap_utilization",
    "percentage_queue_utilization",
    "percentage_diskio",
    "resource_conservation",
    "messages_in_workqueue",
    "messages_in_pvo_quarantines",
];

/// The load of an ESA, as it reports it. A value that is missing or impossible is none. Shares are
/// as the appliance sends them, which may be above 1: a load that is too high must not vanish.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// Share of the CPU in use; 1 is all of it.
    pub cpu_load: Option<f64>,
    /// Share of the memory in use; 1 is all of it.
    pub ram: Option<f64>,
    /// Share of the swap space in use; 1 is all of it.
    pub swap: Option<f64>,
    /// Share of the mail queue's space in use; 1 is all of it.
    pub queue: Option<f64>,
    /// Disk activity relative to the highest since the last start; above 1 soon after a start.
    /// **Source:** vendor TechNote 117813.
    pub disk_io: Option<f64>,
    /// The appliance's own scale: 0 is normal, the meaning of higher values is not published.
    pub resource_conservation: Option<f64>,
    /// Messages in the work queue.
    pub workqueue_messages: Option<f64>,
    /// Messages in the policy, virus and outbreak quarantines.
    pub quarantine_messages: Option<f64>,
    /// Values that are no usable number.
    pub unusable: UnusableCounts,
}

impl Health {
    /// The path below the API's root; without parameters, and known of gateways only.
    ///
    /// **Source:** three published clients of the API 2.0; the guide of the API 1.0.
    pub const PATH: &'static str = "health";

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Reason::NotJson`] and [`Reason::Malformed`] for what is no answer, [`Reason::Empty`] for one without any
    /// value.
    ///
    /// **Source:** published clients; the sample of the guide of the API 1.0, whose names they share.
    pub fn parse(body: &str) -> Result<Self, Failure> {
        let mut data = Fields::of_data(body, &FIELDS)?;
        let health = Self {
            cpu_load: share(&mut data, "percentage_cpu_load"),
            ram: share(&mut data, "percentage_ram_utilization"),
            swap: share(&mut data, "percentage_swap_utilization"),
            queue: share(&mut data, "percentage_queue_utilization"),
            disk_io: share(&mut data, "percentage_diskio"),
            resource_conservation: data.amount("resource_conservation", &Unit::Count("level".into())),
            workqueue_messages: messages(&mut data, "messages_in_workqueue"),
            quarantine_messages: messages(&mut data, "messages_in_pvo_quarantines"),
            unusable: UnusableCounts::default(),
        };
        if health == Self::default() {
            return Err(Failure::new(Reason::Empty, "the response has no health value"));
        }
        Ok(Self { unusable: data.unusable, ..health })
    }
}

fn share(data: &mut Fields, name: &str) -> Option<f64> {
    data.amount(name, &Unit::Percent).map(|percent| Unit::Percent.scale(percent))
}

fn messages(data: &mut Fields, name: &str) -> Option<f64> {
    data.amount(name, &Unit::Count("messages".into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percent_become_ratios_in_any_order_and_dress() {
        let body = r#"{"uri": "/x", "data": {"percentage_ram_utilization": 10, "percentage_diskio": "20",
            "resource_conservation": 3, "percentage_cpu_load": 5.5, "percentage_swap_utilization": 0, "new_field": [1],
            "percentage_queue_utilization": 100, "messages_in_workqueue": 12, "messages_in_pvo_quarantines": "7"}}"#;
        let expected = Health {
            cpu_load: Some(0.055),
            ram: Some(0.1),
            swap: Some(0.0),
            queue: Some(1.0),
            disk_io: Some(0.2),
            resource_conservation: Some(3.0),
            workqueue_messages: Some(12.0),
            quarantine_messages: Some(7.0),
            unusable: [0; 6],
        };
        assert_eq!(Health::parse(body).expect("an answer"), expected);
    }

    #[test]
    fn a_load_above_100_percent_is_shown() {
        let body = r#"{"data": {"percentage_cpu_load": 100.4, "percentage_ram_utilization": "130%", "percentage_diskio": 250}}"#;
        let expected = Health { cpu_load: Some(1.004), ram: Some(1.3), disk_io: Some(2.5), ..Health::default() };
        assert_eq!(Health::parse(body).expect("an answer"), expected);
    }

    #[test]
    fn the_impossible_is_counted() {
        let body = r#"{"data": {"percentage_cpu_load": 1e300, "percentage_ram_utilization": -1,
            "percentage_queue_utilization": null, "percentage_swap_utilization": "N/A", "percentage_diskio": NaN,
            "messages_in_workqueue": -1, "messages_in_pvo_quarantines": 0}}"#;
        let expected = Health { quarantine_messages: Some(0.0), unusable: [3, 2, 0, 0, 1, 0], ..Health::default() };
        assert_eq!(Health::parse(body).expect("an answer"), expected);
    }

    #[test]
    fn what_tells_nothing_or_is_no_answer_is_told_apart() {
        let reason = |body: &str| Health::parse(body).expect_err(body).reason;
        for body in ["{}", r#"{"data": null}"#, r#"{"data": {}}"#, r#"{"data": {"percentage_cpu_load": -1}}"#] {
            assert_eq!(reason(body), Reason::Empty, "{body}");
        }
        for body in [r#"{"data": [1]}"#, r#"{"data": 5}"#, "[]", r#"{"data": {"#] {
            assert_eq!(reason(body), Reason::Malformed, "{body}");
        }
        assert_eq!(reason(r#"{"error": {"message": "Not Found.", "code": "404"}}"#), Reason::Malformed);
        assert_eq!(reason("<html>502</html>"), Reason::NotJson);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_value_is_read_or_left_out(value in ".*") {
            let _ = Health::parse(&value);
            let body = serde_json::json!({"data": {"percentage_cpu_load": value, "messages_in_workqueue": 1}});
            let load = Health::parse(&body.to_string()).expect("an answer").cpu_load;
            prop_assert!(load.is_none_or(|load| load >= 0.0));
        }
    }
}
