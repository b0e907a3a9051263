//! Shorthands of the queries. A board's query names what it is about in capitals, and nobody can forget a matcher.

/// What the words in capitals stand for. `REPORTED` keeps the appliances of one product, so that an SMA is never summed with
/// the gateways it reports for. `OURS` keeps the exporters among the targets of all jobs, those that were one within a day
/// too.
const BOARD: [(&str, &str); 6] = [
    ("REPORTED", r#"and on (job, instance, appliance) asyncos_appliance_info{APPLIANCE,product=~"$product"}"#),
    (
        "OURS",
        "and on (job, instance) (last_over_time(asyncos_exporter_build_info{EXPORTER}[1d]) or \
         last_over_time(asyncos_up{APPLIANCE}[1d]))",
    ),
    ("APPLIANCE", r#"EXPORTER,appliance=~"$appliance""#),
    ("EXPORTER", r#"job=~"$job",instance=~"$instance""#),
    ("RATE", "$__rate_interval"),
    EACH,
];

/// The same for rules.
const RULES: [(&str, &str); 1] = [EACH];

/// The labels of one appliance.
const EACH: (&str, &str) = ("EACH", "job, instance, appliance");

/// The query of a panel.
pub(super) fn board(text: &str) -> String {
    expand(text, &BOARD)
}

/// The query of a rule.
pub(super) fn rule(text: &str) -> String {
    expand(text, &RULES)
}

fn expand(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, meaning)| text.replace(word, meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelt_out() {
        assert_eq!(
            board("rate(x{APPLIANCE}[RATE])"),
            "rate(x{job=~\"$job\",instance=~\"$instance\",appliance=~\"$appliance\"}[$__rate_interval])"
        );
        assert_eq!(rule("sum by (EACH) (x)"), "sum by (job, instance, appliance) (x)");
    }
}
