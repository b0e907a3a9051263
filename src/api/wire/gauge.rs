//! The units of the gauges of the status document: their names in base units, and the conversion. The document gives
//! a name and a number alone, so most of this is read from the names.

use std::borrow::Cow;

use crate::catalogue::Unit;

/// A gauge in its base unit.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseUnit<'a> {
    /// The name with the base unit at its end where there is one.
    pub name: Cow<'a, str>,
    /// The unit that a number of the document may be written with.
    pub unit: Unit,
    /// The factor for a number of the document.
    pub multiplier: f64,
    /// The divisor of the product: percent times 0.01 would give 0.07000000000000001.
    pub divisor: f64,
}

impl<'a> BaseUnit<'a> {
    /// The base unit of the gauge that the document calls `gauge`; one that is not known keeps its name and number.
    ///
    /// Shares are percent and kilobytes have 1024 bytes, both assumed. Only `log_used` does not say its unit: recorded
    /// is `14` beside 388 GiB available, taken as percent. `kbytes_used` and `kbytes_free` are of the queue.
    ///
    /// **Source:** recorded document; user guide, status logs, for the queue.
    #[must_use]
    pub fn of(gauge: &'a str) -> Self {
        let count = |noun: &'static str| Unit::Count(noun.into());
        let whole = |name| Self { name, unit: count("things"), multiplier: 1.0, divisor: 1.0 };
        // A suffix there might be of bytes or of kilobytes.
        let kilobytes = |name| Self { multiplier: 1024.0, unit: count("kilobytes"), ..whole(name) };
        let percent = |name| Self { divisor: 100.0, unit: Unit::Percent, ..whole(name) };
        match gauge {
            "kbytes_used" => kilobytes("queue_used_bytes".into()),
            "kbytes_free" => kilobytes("queue_free_bytes".into()),
            "log_used" => percent("log_used_ratio".into()),
            // Sent with a suffix for its magnitude, which the reader of the document has applied.
            "log_available" => Self { unit: Unit::Bytes, ..whole("log_available_bytes".into()) },
            _ => {
                let of_what = gauge.strip_prefix("kbytes_in_").or_else(|| gauge.strip_prefix("kbytes_"));
                if let Some(of_what) = of_what {
                    kilobytes(format!("{of_what}_bytes").into())
                } else if gauge.ends_with("_utilization") {
                    percent(format!("{gauge}_ratio").into())
                } else {
                    whole(gauge.into())
                }
            }
        }
    }

    /// A number of the document in the base unit.
    #[must_use]
    pub fn value(&self, number: f64) -> f64 {
        number * self.multiplier / self.divisor
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_recorded_gauge_has_a_name_of_its_own() {
        let cases = [
            ("ram_utilization", 6.0, "ram_utilization_ratio", 0.06),
            ("total_utilization", 7.0, "total_utilization_ratio", 0.07),
            ("cpu_utilization", 100.0, "cpu_utilization_ratio", 1.0),
            ("av_utilization", 0.0, "av_utilization_ratio", 0.0),
            ("case_utilization", 2.0, "case_utilization_ratio", 0.02),
            ("bm_utilization", 0.0, "bm_utilization_ratio", 0.0),
            ("disk_utilization", 130.0, "disk_utilization_ratio", 1.3),
            ("resource_conservation", 3.0, "resource_conservation", 3.0),
            ("log_used", 14.0, "log_used_ratio", 0.14),
            ("log_available", 416_611_827_712.0, "log_available_bytes", 416_611_827_712.0),
            ("conn_in", 1.0, "conn_in", 1.0),
            ("conn_out", 0.0, "conn_out", 0.0),
            ("active_recips", 196.0, "active_recips", 196.0),
            ("unattempted_recips", 70.0, "unattempted_recips", 70.0),
            ("attempted_recips", 126.0, "attempted_recips", 126.0),
            ("msgs_in_work_queue", 5.0, "msgs_in_work_queue", 5.0),
            ("dests_in_memory", 625.0, "dests_in_memory", 625.0),
            ("kbytes_used", 2.0, "queue_used_bytes", 2048.0),
            ("kbytes_free", 3.0, "queue_free_bytes", 3072.0),
            ("msgs_in_policy_virus_outbreak_quarantine", 104.0, "msgs_in_policy_virus_outbreak_quarantine", 104.0),
            ("kbytes_in_policy_virus_outbreak_quarantine", 1.0, "policy_virus_outbreak_quarantine_bytes", 1024.0),
            ("reporting_utilization", 0.0, "reporting_utilization_ratio", 0.0),
            ("quarantine_utilization", 0.0, "quarantine_utilization_ratio", 0.0),
            ("msgs_in_quarantine", 9.0, "msgs_in_quarantine", 9.0),
            ("kbytes_of_a_new_kind", 1.0, "of_a_new_kind_bytes", 1024.0),
        ];
        for (gauge, number, name, value) in cases {
            let unit = BaseUnit::of(gauge);
            assert_eq!((&*unit.name, unit.value(number)), (name, value), "{gauge}");
        }
        let names: BTreeSet<_> = cases.iter().map(|(gauge, ..)| BaseUnit::of(gauge).name).collect();
        assert_eq!(names.len(), cases.len());
    }
}
