//! What a counter of reports gains: right for windows of every length, and for appliances with different ones in one sum.
//!
//! A counter moves once per window, and a range shorter than the window sees either nothing or too much. So the range of a
//! rate follows the appliance's own window: short windows are rated over the range of the graph; an open hour that is
//! counted as it fills is rated over an hour; for everything else the newest window is divided by its own length, which
//! needs no range at all.

/// The longest window, in seconds, whose counters are rated over the range of the graph.
pub(super) const SHORT_WINDOW: u64 = 300;
/// Uncounted windows of more seconds than this are no longer a poll under way. What is counted of them afterwards belongs
/// to other times than now.
pub(super) const BEHIND: u64 = 600;

/// A counter of a counter group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<'a> {
    /// Begins the names of its metrics.
    pub(super) prefix: &'a str,
    pub(super) group: &'a str,
    pub(super) counter: &'a str,
    /// The matchers that choose some appliances; none in rules.
    pub(super) chosen: &'a str,
    /// The label of a part of an SMA, with the matchers that choose some; none for an appliance as a whole.
    pub(super) part: Option<(&'a str, &'a str)>,
}

impl<'a> Counted<'a> {
    /// A counter of an appliance as a whole, on a dashboard.
    pub(super) const fn on_board(group: &'a str, counter: &'a str) -> Self {
        Self { prefix: "asyncos_", group, counter, chosen: "APPLIANCE", part: None }
    }

    /// A counter of an appliance as a whole, in a rule.
    pub(super) const fn in_rule(group: &'a str, counter: &'a str) -> Self {
        Self { chosen: "", ..Self::on_board(group, counter) }
    }

    /// How much it gains per second, on a dashboard; `ago` is an offset or nothing. Where the rate says nothing, as after
    /// an outage, the newest window does.
    pub(super) fn rate(&self, ago: &str) -> String {
        self.gains("RATE", "1h", SHORT_WINDOW, "", ago)
    }

    /// How much it gains per second over so many minutes, in a rule. A window of more than half of them is taken as it is;
    /// a shorter one alone is too little to go by.
    pub(super) fn rate_over(&self, minutes: u64, ago: &str) -> String {
        let short = minutes * 60 / 2;
        self.gains(&format!("{minutes}m"), "1h", short, &format!(" > {short}"), ago)
    }

    /// How much it gained per second in the newest two short windows, or in the newest long one. An open hour is polled as
    /// often as a short window.
    pub(super) fn newest(&self) -> String {
        self.gains("10m", "10m", SHORT_WINDOW, &format!(" > {SHORT_WINDOW}"), "")
    }

    /// What they have in common: windows of up to `short` seconds are rated over `range`, open hours over another one, and
    /// windows that are `long` are divided by their own length.
    fn gains(&self, range: &str, of_open: &str, short: u64, long: &str, ago: &str) -> String {
        let Names { key, total, gauge, usual, own, open, pending } = self.names(ago);
        let in_time = |range: &str, most: u64| {
            format!(
                "unless on ({key}) (max_over_time({pending}[{range}]{ago}) > 1) * on (EACH) group_left () {usual} > {most}"
            )
        };
        format!(
            "((rate({total}[{range}]{ago}) and on (EACH) {usual} <= {short} unless on ({key}) {own} > {short} {}) or \
             (rate({total}[{of_open}]{ago}) and on (EACH) {open} {}) or {gauge} / on ({key}) group_left () ({own}{long}) or {gauge} / \
             on (EACH) group_left () ({usual}{long}))",
            in_time(range, BEHIND),
            in_time(of_open, 3600),
        )
    }

    /// How much it gained in the range of the dashboard: where a window is longer than that, its share of the window.
    /// `ago` is an offset or nothing.
    pub(super) fn in_range(&self, ago: &str) -> String {
        let Names { key, total, gauge, usual, own, open, .. } = self.names(ago);
        let gained = format!("increase({total}[$__range]{ago})");
        format!(
            "(({gained} unless on (EACH) {usual} > $__range_s unless on ({key}) {own} > $__range_s) or ({gained} and on (EACH) \
             {open}) or {gauge} / on ({key}) group_left () ({own} > $__range_s) * $__range_s or {gauge} / on (EACH) group_left () \
             ({usual} > $__range_s) * $__range_s)"
        )
    }

    fn names(&self, ago: &str) -> Names {
        let Self { prefix, group, counter, chosen, part } = *self;
        // What an appliance has as a whole has neither label.
        let (label, of_part) = part.unwrap_or(("", r#"device_group="",device="""#));
        let selector = |metric: &str, matchers: &[&str]| {
            let matchers: Vec<&str> = matchers.iter().copied().filter(|one| !one.is_empty()).collect();
            if matchers.is_empty() { metric.to_owned() } else { format!("{metric}{{{}}}", matchers.join(",")) }
        };
        let counted = format!("{prefix}{group}_{counter}");
        let values = part.map_or("", |(_, matchers)| matchers);
        let of_group = format!("group=\"{group}\"");
        Names {
            key: if label.is_empty() { "EACH".to_owned() } else { format!("EACH, {label}") },
            // What is called a total already is not called so twice.
            total: selector(&format!("{}_total", counted.trim_end_matches("_total")), &[chosen, values]),
            gauge: selector(&format!("{counted}_last_window"), &[chosen, values]) + ago,
            usual: selector("asyncos_window_seconds", &[chosen, r#"group="""#]) + ago,
            own: selector("asyncos_window_seconds", &[chosen, &of_group, of_part]) + ago,
            open: format!("min by (EACH) ({}{ago}) == 1", selector("asyncos_running_hour", &[chosen])),
            pending: selector("asyncos_windows_pending", &[chosen, &of_group, of_part]),
        }
    }
}

/// The selectors of [`Counted`]'s queries.
struct Names {
    /// The labels of one series of `own` and `pending`.
    key: String,
    total: String,
    gauge: String,
    /// The length of the windows that most counter groups of the appliance have.
    usual: String,
    /// That of this counter group, where it is another.
    own: String,
    /// Whether open hours are counted as they fill.
    open: String,
    pending: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_parts_of_an_sma_choose_fitting_windows() {
        let rate = Counted::in_rule("mail_x", "y").rate_over(30, "");
        assert!(rate.starts_with(
            "((rate(asyncos_mail_x_y_total[30m]) and on (EACH) asyncos_window_seconds{group=\"\"} <= 900"
        ));
        assert!(
            rate.contains("asyncos_window_seconds{group=\"mail_x\",device_group=\"\",device=\"\"} > 900"),
            "{rate}"
        );
        let part = Counted { part: Some(("device", "device=~\"$device\"")), ..Counted::on_board("mail_x", "y") };
        let rate = part.rate(" offset 1w");
        assert!(rate.contains("rate(asyncos_mail_x_y_total{APPLIANCE,device=~\"$device\"}[RATE] offset 1w)"), "{rate}");
        assert!(rate.contains(
            "asyncos_mail_x_y_last_window{APPLIANCE,device=~\"$device\"} offset 1w / on (EACH, device) group_left () \
             (asyncos_window_seconds{APPLIANCE,group=\"mail_x\",device=~\"$device\"} offset 1w"
        ), "{rate}");
    }
}
