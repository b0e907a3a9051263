//! `simulate`: one simulated appliance, to point an exporter or `curl` at.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::logging;
use crate::base::clock::Clock;
use crate::base::shutdown::Shutdown;
use crate::cli::{Product, Simulate, TotalCount};
use crate::sim;

use super::recording::Recording;
use super::signals::Signals;
use super::{RUNTIME, USAGE, eprint_line, print_line};

/// The time of a simulated appliance.
pub(super) fn now(clock: &Clock) -> sim::Now {
    let clock = clock.clone();
    Arc::new(move || clock.wall().into())
}

pub(super) async fn simulate(flags: Simulate) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let recording = match flags.replay.as_deref().map(recording).transpose() {
        Ok(recording) => recording,
        Err(why) => {
            eprint_line(why);
            return USAGE;
        }
    };
    let mut settings = settings(&flags);
    if let Some(recording) = &recording {
        let replayed = replayed(recording);
        settings = sim::Settings { product: replayed.product, replay: replayed.replay, ..settings };
        settings.behaviour = identified(settings.behaviour, &replayed.behaviour);
    }
    let (username, passphrase) = (settings.username.clone(), settings.passphrase.clone());
    let appliance = match sim::Appliance::start(settings, flags.listen, now(&clock)).await {
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
    match &recording {
        Some(recording) => print_line(format!(
            "# recorded {} at {}; any account is accepted; configuration:\n{}",
            recording.about.recorded,
            appliance.url(),
            recording.config_for(&appliance.url()).trim_end()
        )),
        None => {
            print_line(format!("{} at {}, user `{username}`, passphrase `{passphrase}`", flags.name, appliance.url()));
        }
    }
    let stop = Shutdown::new();
    let (sender, _requests) = mpsc::channel(1);
    tokio::select! {
        () = stop.requested() => {}
        () = signals.drive(stop.clone(), sender) => {}
    }
    appliance.stop().await;
    0
}

fn recording(file: &Path) -> Result<Recording, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read `{name}`: {error}"))?;
    Recording::parse(&text).map_err(|error| format!("{name}: {error}"))
}

/// An appliance that answers from `recording`. Any account is accepted.
#[must_use]
pub fn replayed(recording: &Recording) -> sim::Settings {
    let mut settings = match recording.about.product.as_str() {
        "sma" => sim::Settings::sma("recorded"),
        _ => sim::Settings::esa("recorded"),
    };
    let answers = recording.exchanges.iter().map(|exchange| {
        let (method, target) = exchange.request.split_once(' ').unwrap_or(("GET", &exchange.request));
        let headers = exchange.headers.iter();
        sim::RecordedAnswer {
            method: method.to_owned(),
            target: target.to_owned(),
            status: exchange.status.unwrap_or(0),
            headers: headers.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
            body: exchange.body.clone(),
        }
    });
    settings.replay = Some(answers.collect());
    match &recording.about.release {
        Some(release) => {
            settings.behaviour.build = format!("phoebe {release}");
            settings.behaviour.model = recording.about.model.clone().unwrap_or_default();
        }
        None => settings.behaviour.token_cookie = sim::TokenCookie::Missing,
    }
    settings
}

/// `behaviour` of an appliance that calls itself as `other` does.
fn identified(behaviour: sim::Behaviour, other: &sim::Behaviour) -> sim::Behaviour {
    let sim::Behaviour { build, model, serial, token_cookie, .. } = other.clone();
    sim::Behaviour { build, model, serial, token_cookie, ..behaviour }
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
