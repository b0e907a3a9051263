//! The appliance of the command line, as the beginning of its entry in a configuration. The same text configures the
//! client and is written out in the end, so that settings that worked here work later too.

use url::Url;

use super::yaml::scalar;
use crate::cli::{Auth, Discover};
use crate::config::{Appliance, Config, ConfigError, Product};

/// The name of the entry in messages.
const NAME: &str = "discover";
/// The prefix of a place in the entry.
const PLACE: &str = "appliances[0].";

/// The keys of an appliance that are known before it is asked.
#[derive(Debug)]
pub(super) struct Entry {
    url: String,
    lines: Vec<String>,
}

impl Entry {
    pub(super) fn new(flags: &Discover) -> Self {
        let mut lines = vec![
            format!("name: {}", scalar(&name(&flags.url))),
            format!("url: {}", scalar(&flags.url)),
            format!("username: {}", scalar(&flags.username)),
        ];
        let password =
            [("password_file", &flags.password.password_file), ("password_env", &flags.password.password_env)];
        lines.extend(password.iter().filter_map(|(key, value)| Some(format!("{key}: {}", scalar(value.as_ref()?)))));
        if flags.auth == Auth::Basic {
            lines.push("auth: basic".into());
        }
        let trust = [("ca_file", &flags.trust.ca_file), ("fingerprint_sha256", &flags.trust.fingerprint_sha256)];
        let trust = trust.iter().filter_map(|(key, value)| Some(format!("{key}: {}", scalar(value.as_ref()?))));
        let skip = flags.trust.insecure_skip_verify.then(|| "insecure_skip_verify: true".to_owned());
        lines.extend(trust.chain(skip).map(|trust| format!("tls: {{{trust}}}")));
        Self { url: flags.url.clone(), lines }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The entry with the product, to which lines can be added.
    pub(super) fn text(&self, product: Product) -> String {
        let product = match product {
            Product::Esa => None,
            Product::Sma => Some("product: sma"),
        };
        let lines = self.lines.iter().map(String::as_str).chain(product);
        let lines: String = lines.map(|line| format!("    {line}\n")).collect();
        format!("appliances:\n  -{}", lines.strip_prefix("   ").unwrap_or_default())
    }

    /// The appliance as a client needs it.
    ///
    /// # Errors
    /// Every problem, each as the flag that has it.
    pub(super) fn appliance(&self, product: Product) -> Result<Appliance, String> {
        let config = Config::parse(NAME, &self.text(product)).map_err(|error| as_flags(&error))?;
        config.appliances.into_iter().next().ok_or_else(|| "the configuration holds no appliance".to_owned())
    }
}

/// The host's own name; of an address, all of it.
fn name(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| match url.host()? {
        url::Host::Domain(name) => Some(name.split('.').next().unwrap_or_default().to_owned()),
        url::Host::Ipv4(address) => Some(address.to_string()),
        url::Host::Ipv6(address) => Some(address.to_string()),
    });
    host.filter(|name| !name.is_empty()).unwrap_or_else(|| "appliance".into())
}

/// The problems in words of the command line: `discover:3: appliances[0].tls.ca_file: …` is `--ca-file: …`.
fn as_flags(error: &ConfigError) -> String {
    let said: Vec<String> = error.problems().iter().map(|problem| as_flag(&problem.to_string())).collect();
    said.join("\n")
}

fn as_flag(problem: &str) -> String {
    let Some((key, message)) = problem.split_once(PLACE).and_then(|(_, rest)| rest.split_once(": ")) else {
        return problem.to_owned();
    };
    match key {
        "tls" => format!("certificate flags: {message}"),
        _ => format!("--{}: {message}", key.trim_start_matches("tls.").replace('_', "-")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

    fn entry(arguments: &[&str]) -> Entry {
        let all = ["asyncos_exporter", "discover", "--username=moni: tor"];
        let Command::Discover(flags) = Cli::parse_from(all.iter().chain(arguments)).command() else {
            panic!("discover")
        };
        Entry::new(&flags)
    }

    #[test]
    fn the_entry_holds_what_the_flags_say_and_no_default() {
        let asked = ["--url=https://esa1.example.com:6443", "--password-env=PATH"];
        let text = "appliances:\n  - name: esa1\n    url: https://esa1.example.com:6443\n    username: \"moni: tor\"\n    \
                    password_env: PATH\n";
        assert_eq!(entry(&asked).text(Product::Esa), text);
        assert_eq!(entry(&asked).text(Product::Sma), format!("{text}    product: sma\n"));
        let fingerprint = "--fingerprint-sha256=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        let appliance = entry(&[asked[0], asked[1], fingerprint]).appliance(Product::Sma).expect("a good entry");
        assert_eq!((appliance.product, appliance.credentials.username.as_str()), (Product::Sma, "moni: tor"));
        let tls = "    tls: {insecure_skip_verify: true}\n";
        let more = entry(&[asked[0], asked[1], "--insecure-skip-verify"]).text(Product::Esa);
        assert_eq!(more, format!("{text}{tls}"));
        let basic = entry(&[asked[0], asked[1], "--auth=basic"]).appliance(Product::Esa);
        assert!(basic.expect_err("a colon").starts_with("--username: must not contain a colon"));
    }

    #[test]
    fn problems_are_told_as_flags() {
        let said = |arguments: &[&str]| entry(arguments).appliance(Product::Esa).expect_err("a problem");
        let said_of_two = said(&["--url=ftp://esa1", "--password-file=/nonexistent/password"]);
        let missing = "--password-file: cannot read `/nonexistent/password`: No such file or directory (os error 2)";
        assert_eq!(said_of_two, format!("--url: must begin with `https://` (or `http://`)\n{missing}"));
        let skip = ["--url=http://127.0.0.1", "--password-env=PATH", "--insecure-skip-verify"];
        assert_eq!(said(&skip), "certificate flags: has no effect with an http URL: use https, or remove it");
    }

    #[test]
    fn names_are_those_of_hosts() {
        for (url, expected) in [
            ("https://dh1234-esa1.iphmx.com/", "dh1234-esa1"),
            ("https://192.0.2.7:6443", "192.0.2.7"),
            ("https://[::1]:6443", "::1"),
            ("nonsense", "appliance"),
        ] {
            assert_eq!(name(url), expected);
        }
    }
}
