//! `appliances`: the fleet, one table an appliance.

use std::collections::{HashMap, HashSet};

use serde_yaml::Value;

use super::detections::Detections;
use super::files::Files;
use super::groups::Selection;
use super::path::Path;
use super::polling::Wishes;
use super::problem::{ConfigError, Problems};
use super::searches::Searches;
use super::{
    Appliance, Config, GroupChoice, Product, Scope, Share, auth, custom, document, field, is_loopback, overlap, proxy,
    raw, sharding, status_options, trust,
};
use crate::base::release::Release;
use crate::catalogue::{DeviceType, Group, Profile};

pub(super) const PRODUCTS: &[(&str, Product)] = &[("esa", Product::Esa), ("sma", Product::Sma)];

impl Appliance {
    /// The reports that are requested: each counter group in each scope that has it.
    pub fn reports(&self) -> impl Iterator<Item = (&Scope, &GroupChoice)> {
        self.scopes.iter().flat_map(|scope| {
            // Groups of gateways and gateways have no web traffic.
            let is_known = |choice: &&GroupChoice| *scope == Scope::Appliance || choice.group.about == DeviceType::Mail;
            self.groups.iter().filter(is_known).map(move |choice| (scope, choice))
        })
    }
}

/// Reads the whole file.
pub(super) fn fleet(file: &str, text: &str, files: &mut Files) -> Result<Config, ConfigError> {
    let document = document::parse(file, text)?;
    let mut problems = Problems::default();
    let root = Path::default();
    let raw = raw::File::read(document, &root, &mut problems);
    let shard = sharding::read(raw.sharding, &root.key("sharding"), &mut problems);
    let created_timestamps = created_timestamps(raw.web, &root.key("web"), &mut problems);
    let path = root.key("defaults");
    let raw_defaults = raw.defaults.map(|value| raw::Defaults::read(value, &path, &mut problems)).unwrap_or_default();
    let (polling, minimum_release, serial) = raw_defaults.split();
    let defaults = Wishes::of(&polling, &path, &mut problems);
    let identity = IdentityKeys::read(minimum_release.as_ref(), serial.as_ref(), &path, &mut problems);
    let custom = custom::read(raw.custom_counter_groups.as_ref(), &root.key("custom_counter_groups"), &mut problems);
    let groups_path = root.key("counter_groups");
    let groups = Selection::read(raw.counter_groups, &custom, &groups_path, &mut problems)
        .unwrap_or_else(|| Selection::profile(Profile::Default, &custom, &groups_path));
    let searches =
        Searches::read(raw.tracking_searches, &root.key("tracking_searches"), &mut problems).unwrap_or_default();
    let detections = Detections::read(raw.detections, &root.key("detections"), &mut problems).unwrap_or_default();
    let usual = Usual { defaults, identity, groups, searches, detections, custom };
    let path = root.key("appliances");
    let list = field::list(raw.appliances.as_ref(), &path, &mut problems).unwrap_or_default();
    if list.is_empty() {
        problems.error(
            &path,
            "no appliance is configured: add at least one with `name`, `url`, `username` and \
        `password_file`",
        );
    }
    let mut appliances: Vec<Appliance> = Vec::new();
    let (mut names, mut urls) = (HashSet::new(), HashMap::new());
    for (position, element) in list.iter().enumerate() {
        let path = path.index(position);
        if let Some(name) = element.get("name").and_then(Value::as_str)
            && !names.insert(name)
        {
            problems.error(&path.key("name"), format!("`{name}` is used by two appliances"));
        }
        let Some(appliance) = read(element.clone(), &usual, files, &path, &mut problems) else { continue };
        let first = *urls.entry(appliance.url.clone()).or_insert(appliances.len());
        if let Some(earlier) = appliances.get(first) {
            let mut message = format!("duplicate appliance: `{}` has the same URL", earlier.name);
            let names = [earlier, &appliance].map(|appliance| &appliance.credentials.username);
            if names[0] == names[1] && [earlier, &appliance].iter().all(|one| matches!(one.auth, super::Auth::Jwt(_))) {
                message += " and account. If the appliance keeps one session for each account, they log each other out: give \
                            each its own account";
            }
            problems.warn(&path.key("url"), message);
        }
        appliances.push(appliance);
    }
    sharding::warn_of_shared_accounts(&appliances, shard, &root.key("sharding"), &mut problems);
    overlap::warn_of_double_counting(&appliances, &path, &mut problems);
    let warnings = problems.finish(file, text)?;
    let share = Share { shard, configured: appliances.len() };
    // All of them are checked, so that one file is right or wrong for all shards; the secrets of others go here.
    appliances.retain(|appliance| shard.owns(&appliance.name));
    Ok(Config { appliances, share, custom_groups: usual.custom, created_timestamps, warnings })
}

/// `web`: whether OpenMetrics shows when counters began. Off by default: a scraper that does not use these times stores one
/// more series for each counter.
fn created_timestamps(value: Option<Value>, path: &Path, problems: &mut Problems) -> bool {
    let raw = raw::WebPages::read(value.unwrap_or_default(), path, problems);
    field::switch(raw.created_timestamps.as_ref(), &path.key("created_timestamps"), problems).unwrap_or(false)
}

/// The values of appliances that have none of their own.
struct Usual {
    defaults: Wishes,
    identity: IdentityKeys,
    groups: Selection,
    searches: Searches,
    detections: Detections,
    custom: Vec<Group>,
}

/// The keys `minimum_release` and `serial` of one table; none where a key is absent.
#[derive(Clone, Copy, Debug, Default)]
struct IdentityKeys {
    minimum_release: Option<Release>,
    serial: Option<bool>,
}

impl IdentityKeys {
    fn read(minimum_release: Option<&Value>, serial: Option<&Value>, path: &Path, problems: &mut Problems) -> Self {
        Self {
            minimum_release: field::release(minimum_release, &path.key("minimum_release"), problems),
            serial: field::switch(serial, &path.key("serial"), problems),
        }
    }

    /// These values, then `defaults`.
    fn or(self, defaults: Self) -> Self {
        Self {
            minimum_release: self.minimum_release.or(defaults.minimum_release),
            serial: self.serial.or(defaults.serial),
        }
    }
}

/// One appliance. None where a required key is missing or wrong; `problems` then has every mistake.
fn read(element: Value, usual: &Usual, files: &mut Files, path: &Path, problems: &mut Problems) -> Option<Appliance> {
    let is_table = element.is_mapping();
    // Nothing is read as an empty table, and would be left out in silence.
    if element.is_null() {
        problems.error(path, "is empty: an appliance needs at least `name`, `url`, `username` and `password_file`");
    }
    let mut raw = raw::Appliance::read(element, path, problems);
    if !is_table {
        return None;
    }
    let required = [("name", &raw.name), ("url", &raw.url)];
    for (key, _) in required.iter().filter(|(_, value)| value.is_none()) {
        problems.error(path, format!("`{key}` is missing"));
    }
    let name = field::label(raw.name.as_ref(), &path.key("name"), problems);
    let url = field::url(raw.url.as_ref(), &path.key("url"), problems);
    let product = field::choice(raw.product.as_ref(), PRODUCTS, &path.key("product"), problems);
    let product = product.unwrap_or(Product::Esa);
    let account = auth::read(&mut raw, files, path, problems);
    let status_options = status_options::read(&raw, product, url.as_ref(), path, problems);
    let identity = IdentityKeys::read(raw.minimum_release.as_ref(), raw.serial.as_ref(), path, problems);
    let identity = identity.or(usual.identity);
    let trust = trust::read(raw.tls, url.as_ref(), files, &path.key("tls"), problems);
    let proxy = proxy::read(raw.proxy, url.as_ref(), files, &path.key("proxy"), problems);
    let polling = Wishes::read(raw.polling, &path.key("polling"), problems);
    let polling = polling.settled(usual.defaults, product, &path.key("polling"), problems);
    let own = Selection::read(raw.counter_groups, &usual.custom, &path.key("counter_groups"), problems);
    let groups = own.as_ref().unwrap_or(&usual.groups).choices(product, &polling, problems);
    let own = Searches::read(raw.tracking_searches, &path.key("tracking_searches"), problems);
    let own_detections = Detections::read(raw.detections, &path.key("detections"), problems);
    let detections = own_detections.as_ref().unwrap_or(&usual.detections);
    let searches = own.as_ref().unwrap_or(&usual.searches).choices(detections, &polling);
    let device_groups = members(raw.device_groups.as_ref(), product, &path.key("device_groups"), problems);
    let devices = members(raw.devices.as_ref(), product, &path.key("devices"), problems);
    if url.as_ref().is_some_and(|url| url.scheme() == "http" && !is_loopback(url)) {
        problems.warn(&path.key("url"), "http sends the password in clear text: use https");
    }
    if url.as_ref().is_some_and(|url| url.scheme() == "https")
        && raw.url.as_ref().and_then(Value::as_str).is_some_and(|text| !field::names_port(text))
    {
        let message = "names no port, so that 443 is used: the API listens on 6443 unless configured otherwise";
        problems.warn(&path.key("url"), message);
    }
    if let Some((auth, _)) = &account
        && !matches!(auth, super::Auth::Jwt(_))
        && status_options.xml_status.is_none()
        && identity.minimum_release.is_some()
    {
        let message = "has no effect: without `auth: jwt` the release is known from the XML status only (`xml_status`)";
        problems.warn(&path.key("minimum_release"), message);
    }
    let scopes = std::iter::once(Scope::Appliance)
        .chain(device_groups.into_iter().map(Scope::DeviceGroup))
        .chain(devices.into_iter().map(Scope::Device))
        .collect();
    let (auth, credentials) = account?;
    Some(Appliance {
        name: name?,
        url: url?,
        product,
        auth,
        credentials,
        trust,
        proxy,
        polling,
        scopes,
        groups,
        searches,
        status_options,
        minimum_release: identity.minimum_release,
        serial: identity.serial.unwrap_or(false),
    })
}

/// Device groups or devices, which only an SMA has.
fn members(value: Option<&Value>, product: Product, path: &Path, problems: &mut Problems) -> Vec<String> {
    let names = field::labels(value, path, problems);
    if !names.is_empty() && product == Product::Esa {
        problems.error(path, "only an SMA has members: set `product: sma`, or leave it out");
    }
    names
}
