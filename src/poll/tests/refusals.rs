//! Reports that are refused: nothing is pending or lost while they are, and a refusal that passes costs no window.

use super::clocks::{DAY, HOUR, Habit, Liar, Site, happened};
use super::*;

const BOTH: &[&str] = &[CAPACITY, INCOMING];

fn refuse(bench: &Bench<Liar>, refusal: Option<(Reason, &'static [&'static str])>) {
    *bench.fake.refusal.lock().expect("no panic") = refusal;
}

/// Everything that happened in the minutes of `group` that were answered; comparisons ask for no others.
fn answered(appliances: &[&Liar], group: &str) -> u64 {
    let mut minutes = std::collections::BTreeSet::new();
    for appliance in appliances {
        let answered = appliance.answered.lock().expect("no panic");
        for (_, window) in answered.iter().filter(|(name, _)| name == group) {
            minutes.extend(window.start().as_secs() / 60..window.end().as_secs() / 60);
        }
    }
    minutes.into_iter().map(happened).sum()
}

fn assert_counted(bench: &Bench<Liar>, group: usize, events: u64, what: &str) {
    let view = &bench.snapshot().groups[group];
    assert_eq!((view.success_until.is_some(), view.tally.lost, view.refusal), (true, [0, 0], None), "{what}");
    assert!(view.pending.windows <= 1, "{what}: {} pending", view.pending.windows);
    for total in &*view.totals {
        assert_eq!(total.value, events as f64, "{what}: {}", total.family.name);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_group_has_nothing_pending_and_loses_nothing_through_restarts() {
    for reason in [Reason::Declined, Reason::NotAllowed] {
        let site = Site::new(DAY);
        let first = site.start(Habit::Dated(0), 0, &[]);
        first.clock.sleep(HOUR).await;
        let before = first.snapshot().groups[0].totals[0].value;
        assert!(before > 0.0, "it was counted once");
        refuse(&first, Some((reason, &[CAPACITY])));
        for _ in 0..3 {
            first.clock.sleep(DAY).await;
            let view = &first.snapshot().groups[0];
            assert_eq!((view.pending.windows, view.tally.lost, view.refusal), (0, [0, 0], Some(reason)));
            assert_eq!(view.totals[0].value, before);
        }
        let earlier = Arc::clone(&first.fake);
        first.end().await;
        // It is answered at once after a restart.
        let second = site.start(Habit::Dated(0), 0, &[]);
        second.clock.sleep(10 * MINUTE).await;
        assert_counted(&second, 0, answered(&[&earlier, &second.fake], CAPACITY), "after a restart");
        assert!(second.snapshot().groups[0].totals[0].value > before, "the totals go on");
        second.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_answered_after_days_begins_then() {
    let site = Site::new(DAY);
    let bench = site.start(Habit::Dated(0), 0, &[]);
    refuse(&bench, Some((Reason::NotAllowed, BOTH)));
    bench.clock.sleep(3 * DAY).await;
    assert!(bench.snapshot().groups.iter().all(|view| view.pending.windows == 0 && view.tally.lost == [0, 0]));
    refuse(&bench, None);
    bench.clock.sleep(2 * HOUR).await;
    for (number, group) in BOTH.iter().enumerate() {
        assert_counted(&bench, number, answered(&[&bench.fake], group), group);
        let since = site.clock.wall().since(site.account(group).watermark);
        assert!(since <= 5 * MINUTE, "{group}: {since:?} behind");
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_costs_no_window() {
    for (span, groups, what) in [
        (3 * MINUTE, &[CAPACITY] as &[&str], "a short one of one group"),
        (3 * MINUTE, BOTH, "a short one of all groups"),
        // A page in front of the appliance refuses all that is asked.
        (5 * HOUR, BOTH, "a long one of all groups"),
    ] {
        let site = Site::new(DAY);
        let bench = site.start(Habit::Dated(0), 0, &[]);
        bench.clock.sleep(HOUR).await;
        let epoch = site.account(CAPACITY).epoch;
        refuse(&bench, Some((Reason::NotAllowed, groups)));
        bench.clock.sleep(span).await;
        refuse(&bench, None);
        bench.clock.sleep(2 * HOUR).await;
        site.assert_current(&bench, Some(epoch), what);
        bench.end().await;
    }
}
