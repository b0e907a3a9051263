//! `sharding`: which of several exporters with the same file this one is.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::path::Path;
use super::problem::Problems;
use super::{Appliance, Auth, field, raw};
use crate::base::shard::{self, MOST_SHARDS, Shard};

/// Refused logins in a row after which accounts usually are not locked yet.
const BEARABLE_REFUSALS: usize = 4;

/// The values of `from`.
pub(super) const NAMES: &[(&str, Name)] = &[("hostname", Name::Host)];

/// A name that ends in the index.
#[derive(Clone, Copy)]
pub(super) enum Name {
    Host,
}

/// This shard; the only one where `sharding` is absent or wrong.
pub(super) fn read(value: Option<Value>, path: &Path, problems: &mut Problems) -> Shard {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Shard::ALONE };
    let is_table = value.is_mapping();
    let raw = raw::Sharding::read(value, path, problems);
    if !is_table {
        return Shard::ALONE;
    }
    if raw.shards.is_none() {
        problems.error(path, "`shards` is missing");
    }
    let shards = number(raw.shards.as_ref(), 1, &path.key("shards"), problems);
    let sources = [("index", &raw.index), ("index_env", &raw.index_env), ("from", &raw.from)];
    let given: Vec<_> = sources.into_iter().filter(|(_, value)| value.is_some()).collect();
    let [(key, Some(value))] = given[..] else {
        let found = if given.is_empty() { "none" } else { "several" };
        problems.error(path, format!("give one of `index`, `index_env` and `from`, found {found}"));
        return Shard::ALONE;
    };
    let path = path.key(key);
    let index = match key {
        "index" => number(Some(value), 0, &path, problems),
        "index_env" => from_environment(value, &path, problems),
        _ => field::choice(Some(value), NAMES, &path, problems)
            .and_then(|Name::Host| of_host(&host_name(), &path, problems)),
    };
    let (Some(shards), Some(index)) = (shards, index) else { return Shard::ALONE };
    Shard::try_new(shards, index).unwrap_or_else(|error| {
        problems.error(&path, format!("{error}: increase `shards`, or run fewer exporters"));
        Shard::ALONE
    })
}

/// Warns of accounts at an identity provider that several shards have: each counts its own refused logins, so that
/// together they may make more of them than lock the account.
pub(super) fn warn_of_shared_accounts(appliances: &[Appliance], shard: Shard, path: &Path, problems: &mut Problems) {
    let mut accounts: BTreeMap<(String, &str), (BTreeSet<u32>, u32)> = BTreeMap::new();
    for appliance in appliances {
        let Auth::Oidc(oidc) = &appliance.auth else { continue };
        let account = (format!("{:?}", oidc.provider), appliance.credentials.username.as_str());
        let (shards, most) = accounts.entry(account).or_default();
        shards.insert(shard::owner(&appliance.name, shard.shards()));
        *most = (*most).max(appliance.polling.max_login_refusals.get());
    }
    for ((_, account), (shards, most)) in accounts {
        let (shards, most) = (shards.len(), most as usize);
        if shards > 1 && shards * most > BEARABLE_REFUSALS {
            problems.warn(
                path,
                format!(
                    "{shards} shards have the account `{account}` at the identity provider, and each would try it \
                     {most} time(s) when it is refused: lower `max_login_refusals`, or give each appliance its own"
                ),
            );
        }
    }
}

fn number(value: Option<&Value>, least: usize, path: &Path, problems: &mut Problems) -> Option<u32> {
    let most = MOST_SHARDS as usize;
    field::number(value, least..=most, path, problems).and_then(|number| u32::try_from(number).ok())
}

/// A number, or a name that ends in one: the index or the name of a pod.
fn from_environment(value: &Value, path: &Path, problems: &mut Problems) -> Option<u32> {
    let variable = field::text(Some(value), path, problems)?;
    let Ok(text) = std::env::var(&variable) else {
        problems.error(path, format!("the environment variable `{variable}` is not set, or not UTF-8"));
        return None;
    };
    let index = if is_number(&text) { text.parse().ok() } else { shard::ordinal(&text) };
    if index.is_none() {
        // Not quoted: who names the wrong variable may have named one with a secret.
        let expected = "holds neither a number nor a name that ends in `-` and one";
        problems.error(path, format!("the environment variable `{variable}` {expected}"));
    }
    index
}

fn of_host(name: &str, path: &Path, problems: &mut Problems) -> Option<u32> {
    let index = shard::ordinal(name);
    if index.is_none() {
        problems.error(
            path,
            format!(
                "the host name `{name}` does not end in `-` and a number, as that of a StatefulSet's pod does: give \
                 `index`, or `index_env` with the variable that holds the pod's name"
            ),
        );
    }
    index
}

/// `parse` would take a sign.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_shown_of_a_shard_is_its_own_part_of_the_fleet() {
        let appliance =
            |number| format!("- {{name: esa{number}, url: 'https://esa{number}', username: u, password: p}}\n");
        let appliances: String = (1..=9).map(appliance).collect();
        let text = format!("sharding: {{shards: 3, index: 0}}\nappliances:\n{appliances}");
        let shown = Config::parse("given", &text).expect("good").redacted();
        assert!(shown.starts_with("sharding:\n  shards: 3\n  index: 0\n"), "{shown}");
        let names = |config: &Config| config.appliances.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
        let again = Config::parse("shown", &shown).expect("good");
        assert_eq!(names(&again), ["esa2", "esa5", "esa9"], "read again it is the same part");
    }

    fn said(problems: Problems) -> String {
        problems.finish("c", "").expect_err("a problem").to_string()
    }

    #[test]
    fn a_host_is_the_shard_that_its_name_ends_in() {
        let (path, mut problems) = (Path::default().key("sharding"), Problems::default());
        assert_eq!(of_host("asyncos-exporter-2", &path, &mut problems), Some(2));
        assert!(problems.finish("c", "").is_ok());
        let mut problems = Problems::default();
        assert_eq!(of_host("mail7", &path, &mut problems), None);
        assert_eq!(
            said(problems),
            "c:1: sharding: the host name `mail7` does not end in `-` and a number, as that of a StatefulSet's pod does: \
             give `index`, or `index_env` with the variable that holds the pod's name"
        );
    }

    #[test]
    fn this_host_has_a_name() {
        let told = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| host_name());
        assert_eq!(host_name(), told.trim_end());
        assert!(!host_name().is_empty());
    }
}
