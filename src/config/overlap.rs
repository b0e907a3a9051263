//! Mail that two appliances of one file report: an ESA, and an SMA that has it as a device.

use super::path::Path;
use super::problem::Problems;
use super::{Appliance, Product, Scope};

/// Warns of each ESA that is also a configured device of an SMA if both are polled for the same reports. Device groups
/// cannot be compared: the file has their names only, not their devices.
pub(super) fn warn_of_double_counting(appliances: &[Appliance], path: &Path, problems: &mut Problems) {
    let of = |product| appliances.iter().enumerate().filter(move |(_, one)| one.product == product);
    for (position, esa) in of(Product::Esa) {
        for (_, sma) in of(Product::Sma) {
            let Some(device) = sma.scopes.iter().map(Scope::device).find(|device| is(esa, device)) else {
                continue;
            };
            let Some(shared) = shared(esa, sma) else { continue };
            let manager = &sma.name;
            problems.warn(
                &path.index(position),
                format!(
                    "is also the device `{device}` of `{manager}`, and both are polled for {shared}: the values of \
                     `{manager}` as a whole contain the mail of this ESA, so a `sum` over both counts it twice. Poll \
                     each of them from one appliance only, for example `mail_system_capacity` from this ESA and \
                     everything else from `{manager}`"
                ),
            );
        }
    }
}

/// Whether an SMA's device of this name is this appliance. Host names have no case.
fn is(esa: &Appliance, device: &str) -> bool {
    !device.is_empty()
        && (device.eq_ignore_ascii_case(&esa.name)
            || esa.url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(device)))
}

/// The reports and searches of both, in words; none where they have nothing in common.
fn shared(esa: &Appliance, sma: &Appliance) -> Option<String> {
    let groups = esa.groups.iter().map(|choice| &*choice.group.name);
    let groups: Vec<&str> = groups.filter(|name| sma.groups.iter().any(|choice| choice.group.name == *name)).collect();
    let searches = esa.searches.iter().map(|search| search.name.as_str());
    let searches: Vec<&str> = searches.filter(|name| sma.searches.iter().any(|search| search.name == *name)).collect();
    let parts = [counted("counter group", &groups), counted("tracking search", &searches)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// The first by name and the number of the others: a profile has dozens.
fn counted(noun: &str, names: &[&str]) -> Option<String> {
    let (first, others) = names.split_first()?;
    Some(match others.len() {
        0 => format!("the {noun} `{first}`"),
        others => format!("the {noun} `{first}` and {others} more"),
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    /// The warnings for `esa` beside an SMA with two devices.
    fn warnings(esa: &str, sma: &str) -> Vec<String> {
        let text = format!(
            "appliances:\n\
             - {{name: sma1, url: 'https://sma1', product: sma, username: u, password_file: tests/configs/password, \
             devices: [other.example.com, ESA3.example.com]{sma}}}\n\
             - {{username: u, password_file: tests/configs/password, {esa}}}\n"
        );
        let config = Config::parse("c", &text).unwrap_or_else(|error| panic!("{error}"));
        let said = config.warnings.iter().map(ToString::to_string);
        said.filter(|line| line.contains("counts it twice")).collect()
    }

    #[test]
    fn an_esa_is_a_device_by_its_host_or_its_name() {
        for (esa, is_device) in [
            ("name: e, url: 'https://esa3.EXAMPLE.com:6443'", true),
            ("name: esa3.example.com, url: 'https://192.0.2.3'", true),
            ("name: esa3, url: 'https://192.0.2.3'", false),
            ("name: e, url: 'https://esa33.example.com'", false),
            ("name: e, url: 'https://esa3.example.com', product: sma", false),
        ] {
            assert_eq!(warnings(esa, "").len(), usize::from(is_device), "{esa}");
        }
    }

    #[test]
    fn only_what_both_are_polled_for_is_counted_twice() {
        let esa = "name: esa3, url: 'https://esa3.example.com', counter_groups: ";
        let sma = ", counter_groups: [mail_incoming_traffic_summary, mail_outgoing_traffic_summary]";
        assert_eq!(warnings(&format!("{esa}[mail_system_capacity]"), sma), [""; 0]);
        let both = warnings(&format!("{esa}[mail_system_capacity, mail_outgoing_traffic_summary]"), sma);
        assert_eq!(
            both,
            [
                "c:3: appliances[1]: is also the device `ESA3.example.com` of `sma1`, and both are polled for the counter \
              group `mail_outgoing_traffic_summary`: the values of `sma1` as a whole contain the mail of this ESA, so a \
              `sum` over both counts it twice. Poll each of them from one appliance only, for example \
              `mail_system_capacity` from this ESA and everything else from `sma1`"
            ]
        );
        let search = ", tracking_searches: [{name: a, filters: {subject: {operator: contains, value: x}}}]";
        let both = warnings(&format!("{esa}[mail_system_capacity]{search}"), &format!("{sma}{search}"));
        assert!(both.len() == 1 && both[0].contains("for the tracking search `a`: "), "{both:?}");
    }
}
