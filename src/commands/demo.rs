//! `demo`: a simulated fleet and the exporter on it, in one process.

use std::net::{Ipv4Addr, SocketAddr};

use crate::app::{App, Settings, chain};
use crate::cli::Demo;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::{Address, Protection};
use crate::logging;
use crate::sim;
use crate::snapshot::Hold;
use crate::supervisor::Supervisor;

use super::simulate::now;
use super::{RUNTIME, complain, say, serve};

/// The gateways of the fleet; the manager knows the same ones.
const GATEWAYS: [&str; 3] = ["esa1.example.com", "esa2.example.com", "esa3.example.com"];
const MANAGER: &str = "sma1.example.com";

pub(super) async fn demo(flags: Demo) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let fleet = match start(&clock).await {
        Ok(fleet) => fleet,
        Err(error) => {
            complain(format!("cannot start the simulated fleet: {error}"));
            return RUNTIME;
        }
    };
    let config = match Config::parse("demo", &configuration(&fleet)) {
        Ok(config) => config,
        Err(error) => {
            complain(error);
            return RUNTIME;
        }
    };
    let settings = Settings {
        listen: flags.web.listen(),
        telemetry_path: flags.web.telemetry_path,
        max_requests: flags.web.max_requests,
        lifecycle: false,
        protection: Protection::default(),
        storage_path: None,
        reset_logins: false,
        config_file: None,
        auto_reload: None,
        hold: Hold::AWindow,
        supervisor: Supervisor::default(),
    };
    let path = settings.telemetry_path.clone();
    let app = match App::bind(settings, config, clock).await {
        Ok(app) => app,
        Err(error) => {
            complain(chain(&error));
            return RUNTIME;
        }
    };
    let place = match app.addresses().iter().find_map(Address::socket) {
        Some(address) => format!("http://localhost:{}", address.port()),
        None => "http://localhost".to_owned(),
    };
    for appliance in &fleet {
        say(format!("simulated appliance  {}", appliance.url()));
    }
    say(format!("metrics              {place}{path}"));
    say(format!("start page           {place}/"));
    say(format!("try                  curl -s {place}{path} | grep detected_spam"));
    let code = serve::run(app).await;
    for appliance in &fleet {
        appliance.stop().await;
    }
    code
}

/// Three gateways, then the manager.
async fn start(clock: &Clock) -> std::io::Result<Vec<sim::Appliance>> {
    let [esa1, esa2, esa3] = GATEWAYS;
    let manager = sim::Settings::sma(MANAGER)
        .with_group("europe", &[esa1, esa2])
        .with_group("americas", &[esa3])
        .with_web_group("proxies", &["wsa1.example.com"]);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut fleet = Vec::new();
    for settings in GATEWAYS.map(sim::Settings::esa).into_iter().chain([manager]) {
        fleet.push(sim::Appliance::start(settings, anywhere, now(clock)).await?);
    }
    Ok(fleet)
}

/// What an operator would write for this fleet. The short windows and the short history make the page live at once.
fn configuration(fleet: &[sim::Appliance]) -> String {
    let mut text = "defaults: {window: 1m, start: 30m}\n\
        tracking_searches: [{name: ceo_spoofed, filters: {envelope_sender: {operator: contains, value: ceo@}}}]\n\
        appliances:\n"
        .to_owned();
    for (name, appliance) in GATEWAYS.iter().chain([&MANAGER]).zip(fleet) {
        let short = name.trim_end_matches(".example.com");
        let (rest, settle) = match *name == MANAGER {
            true => (
                "product: sma, device_groups: [europe, americas], devices: [esa3.example.com], counter_groups: \
                 [default, {name: mail_incoming_domain_detail, top: 5}, {name: web_user_detail, top: 5}]",
                "20m",
            ),
            false => ("product: esa, xml_status: true", "10s"),
        };
        let (url, sim::Settings { username, passphrase, .. }) = (appliance.url(), sim::Settings::esa(name));
        text.push_str(&format!(
            "  - {{name: {short}, url: '{url}', {rest}, username: {username}, password: {passphrase}, \
             polling: {{settle: {settle}}}}}\n"
        ));
    }
    text
}
