//! How much of a page is about the exporter's own work, and how much about the appliance.

use asyncos_exporter::sample::ABOUT_NOW;
use asyncos_exporter::sim;

use crate::exposition::Page;
use crate::rig::{Rig, entry, lapse, simulate};

/// Whether the family is about the mail or about the appliance: its reports and the windows that they
/// are of, its status, itself.
fn is_about_the_appliance(name: &str) -> bool {
    const ITSELF: [&str; 7] = [
        "asyncos_up",
        "asyncos_appliance_info",
        "asyncos_reporting_centralized",
        "asyncos_clock_skew_seconds",
        "asyncos_window_end_timestamp_seconds",
        "asyncos_window_seconds",
        "asyncos_settle_seconds",
    ];
    const REPORTS: [&str; 4] = ["asyncos_mail_", "asyncos_web_", "asyncos_tracking_", "asyncos_status_"];
    ITSELF.contains(&name)
        || REPORTS.iter().any(|prefix| name.starts_with(prefix))
        || ABOUT_NOW.iter().any(|about| about.name == name)
}

/// The samples of a page about the appliance, and the others by family.
fn divided(page: &Page, text: &str) -> (usize, Vec<(String, usize)>) {
    let (mut appliance, mut own) = (0, Vec::new());
    for (family, ..) in page.families() {
        let is_its = |line: &&str| {
            let series = line.split(['{', ' ']).next().unwrap_or_default();
            let suffix = series.strip_prefix(family);
            suffix.is_some_and(|suffix| ["", "_bucket", "_sum", "_count"].contains(&suffix))
        };
        let samples = text.lines().filter(is_its).count();
        if is_about_the_appliance(family) {
            appliance += samples;
        } else {
            own.push((family.to_owned(), samples));
        }
    }
    (appliance, own)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_a_quarter_of_a_page_is_about_the_exporter() {
    for profile in ["minimal", "default", "full"] {
        let clock = lapse(60);
        let esa = simulate(sim::Settings::esa("esa1.example.com"), &clock).await;
        let text = format!(
            "defaults: {{window: 1m, settle: 5s}}\ncounter_groups: {profile}\nappliances:\n{}",
            entry("esa1", &esa, "health: true, quarantines: true, inventory: true")
        );
        let rig = Rig::start(&text, &clock).await;
        rig.until("every group is counted", |page| page.every("asyncos_group_success", &[], |success| success == 1.0))
            .await;
        let text = rig.text().await;
        rig.end().await;
        let page = Page::parse(&text).expect("a page");
        let (appliance, own) = divided(&page, &text);
        let bookkeeping: usize = own.iter().map(|(_, samples)| samples).sum();
        let total = appliance + bookkeeping;
        assert!(4 * bookkeeping <= total, "{profile}: {bookkeeping} of {total}: {own:?}");
    }
}
