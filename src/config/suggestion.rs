//! Messages about unknown keys, with the known one that was probably meant. Knows the keys only, not their values.

use super::document;
use crate::base::spelling::{self, NearestNames};

/// Names in one suggestion: more would be a list to read through.
const MOST_NAMES: usize = 3;
/// Shorter parts of a key are in too many others.
const SHORTEST_PART: usize = 4;

/// The complaint about `key`, which is none of the `known` keys of its table. `tables` are those that it may be meant for,
/// by their paths.
pub(super) fn unknown_key(key: &str, known: &[&str], tables: &[(&str, &[&str])]) -> String {
    if let Some(quote) = document::typographic_quote(key) {
        return format!("unknown key; {quote}");
    }
    let others: Vec<String> =
        tables.iter().flat_map(|(name, keys)| keys.iter().map(move |key| format!("{name}.{key}"))).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    let exact = |others: &[&str]| others.iter().find(|other| last(other) == key).map(|found| vec![(*found).to_owned()]);
    let found = exact(&others)
        .or_else(|| near(key, known))
        .or_else(|| partial(key, known))
        .or_else(|| partial(key, &others))
        .or_else(|| near_last(key, &others));
    match found {
        Some(names) => format!("unknown key{}", spelling::question(&names)),
        None => format!("unknown key; expected one of {}", known.join(", ")),
    }
}

/// The key at the end of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn near(key: &str, names: &[&str]) -> Option<Vec<String>> {
    let letters = key.chars().count();
    let most_slips = if letters < SHORTEST_PART { 1 } else { (letters / 3).max(2) };
    let mut search = NearestNames::new(key, most_slips, 1);
    names.iter().for_each(|name| search.consider(name));
    Some(search.found()).filter(|found| !found.is_empty())
}

/// As [`near`], by the keys at the end of paths.
fn near_last(key: &str, paths: &[&str]) -> Option<Vec<String>> {
    let keys: Vec<&str> = paths.iter().map(|path| last(path)).collect();
    let [found] = &near(key, &keys)?[..] else { return None };
    paths.iter().find(|path| last(path) == found).map(|path| vec![(*path).to_owned()])
}

/// Keys that contain `key`, as `insecure_skip_verify` does `insecure`; none where there are many.
fn partial(key: &str, names: &[&str]) -> Option<Vec<String>> {
    if key.len() < SHORTEST_PART {
        return None;
    }
    let found: Vec<String> =
        names.iter().filter(|name| last(name).contains(key)).map(|name| (*name).to_owned()).collect();
    Some(found).filter(|found| (1..=MOST_NAMES).contains(&found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::raw;

    #[test]
    fn the_key_that_was_meant_is_suggested() {
        let appliance = |key: &str| {
            let all = raw::known_keys();
            let (_, known) = all.iter().find(|(table, _)| *table == "Appliance").expect("a table");
            unknown_key(key, known, raw::other_tables("Appliance"))
        };
        for (key, expected) in [
            ("pasword", "`password`"),
            ("nmae", "`name`"),
            ("uri", "`url`"),
            ("user", "`username`"),
            ("insecure", "`appliances[].tls.insecure_skip_verify`"),
            ("insecure_skip_verify", "`appliances[].tls.insecure_skip_verify`"),
            ("window", "`appliances[].polling.window`"),
            ("catchup", "`appliances[].polling.catch_up`"),
        ] {
            assert_eq!(appliance(key), format!("unknown key; did you mean {expected}?"), "{key}");
        }
        assert!(appliance("colour").starts_with("unknown key; expected one of name, url, product, "));
        assert_eq!(appliance("”name”"), "unknown key; `”` is a typographic quote: use `\"` or `'`");
    }
}
