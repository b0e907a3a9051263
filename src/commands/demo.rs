//! `demo`: a simulated fleet and the exporter on it, in one process.

use std::net::{Ipv4Addr, SocketAddr};

use crate::app::logging;
use crate::app::supervisor::Supervisor;
use crate::app::{App, Settings, chain};
use crate::base::clock::Clock;
use crate::catalogue::{self, Profile};
use crate::cli::Demo;
use crate::config::Config;
use crate::http::{Address, Protection};
use crate::sim;
use crate::snapshot::Hold;

use super::simulate::now;
use super::{RUNTIME, eprint_line, print_line, serve};

/// ESAs that report for themselves.
const LOCAL: [&str; 2] = ["esa1.example.com", HOUR_ONLY];
/// An ESA of a release that accepts whole hours only.
const HOUR_ONLY: &str = "esa2.example.com";
/// An ESA in centralized mode: it is polled for its health and capacity, the SMA for its mail.
const CENTRALIZED: &str = "esa3.example.com";
const SMA: &str = "sma1.example.com";
/// The device groups of the SMA. No other appliance reports the mail of their devices, so every mail is counted once.
const DEVICE_GROUPS: [(&str, &[&str]); 2] =
    [("europe", &[CENTRALIZED, "esa4.example.com"]), ("americas", &["esa5.example.com"])];
/// The report that an ESA in centralized mode keeps. The SMA is not polled for it, or its messages would count twice.
const CAPACITY: &str = "mail_system_capacity";

pub(super) async fn demo(flags: Demo) -> u8 {
    let clock = Clock::system();
    logging::install(flags.log.level.into(), flags.log.format.into(), clock.clone());
    let fleet = match start(&clock).await {
        Ok(fleet) => fleet,
        Err(error) => {
            eprint_line(format!("cannot start the simulated fleet: {error}"));
            return RUNTIME;
        }
    };
    let config = match Config::parse("demo", &configuration(&fleet)) {
        Ok(config) => config,
        Err(error) => {
            eprint_line(error);
            return RUNTIME;
        }
    };
    let settings = Settings {
        listen: flags.web.listen(),
        paths: flags.web.paths(),
        exporter_metrics: !flags.web.disable_exporter_metrics,
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
    let (prefix, path) = (settings.paths.prefix().to_owned(), settings.paths.telemetry().to_owned());
    let app = match App::bind(settings, config, clock).await {
        Ok(app) => app,
        Err(error) => {
            eprint_line(chain(&error));
            return RUNTIME;
        }
    };
    let place = match app.addresses().iter().find_map(Address::socket) {
        Some(address) => format!("http://localhost:{}", address.port()),
        None => "http://localhost".to_owned(),
    };
    for appliance in &fleet {
        print_line(format!("simulated appliance  {}", appliance.url()));
    }
    let place = place + &prefix;
    print_line(format!("metrics              {place}{path}"));
    print_line(format!("start page           {place}/"));
    print_line(format!("try                  curl -s {place}{path} | grep detected_spam"));
    let code = serve::run(app).await;
    for appliance in &fleet {
        appliance.stop().await;
    }
    code
}

/// The ESAs, then the SMA.
async fn start(clock: &Clock) -> std::io::Result<Vec<sim::Appliance>> {
    let mut centralized = sim::Settings::esa(CENTRALIZED);
    centralized.behaviour.centralized = sim::Centralized::Zeros;
    let mut local = LOCAL.map(sim::Settings::esa);
    for settings in local.iter_mut().filter(|settings| settings.name == HOUR_ONLY) {
        settings.behaviour.hour_only = Some(sim::HOUR_ONLY_MESSAGES[0].to_owned());
    }
    let sma = sim::Settings::sma(SMA).with_web_group("proxies", &["wsa1.example.com"]);
    let sma = DEVICE_GROUPS.iter().fold(sma, |sma, (name, devices)| sma.with_group(name, devices));
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut fleet = Vec::new();
    for settings in local.into_iter().chain([centralized, sma]) {
        fleet.push(sim::Appliance::start(settings, anywhere, now(clock)).await?);
    }
    Ok(fleet)
}

/// The configuration that an operator would write for this fleet. The short windows and the short history make the page
/// live at once; the SMA takes more requests a minute than a real one should, because each of its reports comes for six
/// scopes.
fn configuration(fleet: &[sim::Appliance]) -> String {
    let list = |names: Vec<&str>| names.join(", ");
    let reports = catalogue::profile(Profile::Default).map(|group| &*group.name).filter(|name| *name != CAPACITY);
    let sma = format!(
        "product: sma, device_groups: [{}], devices: [{}], counter_groups: [{}, {{name: mail_incoming_domain_detail, \
         top: 5}}, {{name: web_user_detail, top: 5}}], polling: {{settle: 20m, requests_per_minute: 6000}}",
        list(DEVICE_GROUPS.iter().map(|(name, _)| *name).collect()),
        list(DEVICE_GROUPS.iter().flat_map(|(_, devices)| *devices).copied().collect()),
        list(reports.collect()),
    );
    let local = "xml_status: true, polling: {settle: 10s}".to_owned();
    let centralized = format!("{local}, counter_groups: [{CAPACITY}], tracking_searches: []");
    let [esa1, esa2] = LOCAL;
    let entries = [(esa1, &local), (esa2, &local), (CENTRALIZED, &centralized), (SMA, &sma)];
    let mut text = "defaults: {window: 1m, start: 30m}\n\
        tracking_searches: [{name: ceo_spoofed, filters: {envelope_sender: {operator: contains, value: ceo@}}}]\n\
        appliances:\n"
        .to_owned();
    for ((name, rest), appliance) in entries.into_iter().zip(fleet) {
        let short = name.trim_end_matches(".example.com");
        let (url, sim::Settings { username, passphrase, .. }) = (appliance.url(), sim::Settings::esa(name));
        text.push_str(&format!(
            "  - {{name: {short}, url: '{url}', username: {username}, password: {passphrase}, {rest}}}\n"
        ));
    }
    text
}
