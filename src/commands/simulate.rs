//! `simulate`: one simulated appliance, to point an exporter or `curl` at.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::logging;
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::cli::{Product, Simulate, TotalCount};
use crate::sim;

use super::signals::Signals;
use super::{RUNTIME, eprint_line, print_line};

/// The time of a simulated appliance.
pub(super) fn now(clock: &Clock) -> sim::Now {
    let clock = clock.clone();
    Arc::new(move || clock.wall().into())
}

pub(super) async fn simulate(flags: Simulate) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let appliance = match sim::Appliance::start(settings(&flags), flags.listen, now(&clock)).await {
        Ok(appliance) => appliance,
        Err(error) => {
            eprint_line(format!("cannot listen on {}: {error}", flags.listen));
            return RUNTIME;
        }
    };
    // Before the world is told that we run: whoever reads it may signal at once.
    let signals = match Signals::try_new() {
        Ok(signals) => signals,
        Err(error) => {
            eprint_line(format!("cannot catch signals: {error}"));
            return RUNTIME;
        }
    };
    let sim::Settings { username, passphrase, .. } = settings(&flags);
    print_line(format!("{} at {}, user `{username}`, passphrase `{passphrase}`", flags.name, appliance.url()));
    let stop = Shutdown::new();
    let (sender, _requests) = mpsc::channel(1);
    tokio::select! {
        () = stop.requested() => {}
        () = signals.drive(stop.clone(), sender) => {}
    }
    appliance.stop().await;
    0
}

fn settings(flags: &Simulate) -> sim::Settings {
    let mut settings = match flags.product {
        Product::Esa => sim::Settings::esa(&flags.name),
        Product::Sma => sim::Settings::sma(&flags.name),
    };
    for (name, devices) in &flags.device_groups {
        let devices: Vec<&str> = devices.iter().map(String::as_str).collect();
        settings = settings.with_group(name, &devices);
    }
    let behaviour = &mut settings.behaviour;
    behaviour.token_life = flags.token_life;
    behaviour.latency = flags.latency;
    if flags.hour_only {
        behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].to_owned());
    }
    if flags.http11 {
        behaviour.http = sim::HttpVersion::Http11;
    }
    if let Some(lag) = flags.lag {
        behaviour.lag = lag;
    }
    let total_count = flags.total_count.map(|of| match of {
        TotalCount::Page => sim::TotalCount::Page,
        TotalCount::Matches => sim::TotalCount::Matches,
    });
    if let Some(of) = total_count {
        behaviour.tracking_total_count = of;
        behaviour.quarantine_total_count = of;
    }
    settings
}
