//! `proxy`: the proxy before an appliance. The environment is never read: a variable that was set for another program
//! must not decide who sees our connections.

use serde_yaml::Value;
use url::{Host, Url};

use super::files::Files;
use super::password::Sources;
use super::path::Path;
use super::problem::Problems;
use super::{Credentials, Proxy, field, raw};

/// Reads the table; `appliance` is the URL behind the proxy. None where there is no table, or one that is wrong.
pub(super) fn read(
    value: Option<Value>,
    appliance: Option<&Url>,
    files: &Files,
    path: &Path,
    problems: &mut Problems,
) -> Option<Proxy> {
    let value = value.filter(|value| !value.is_null())?;
    let is_table = value.is_mapping();
    let raw = raw::Proxy::read(value, path, problems);
    if !is_table {
        return None;
    }
    if raw.url.is_none() {
        problems.error(path, "`url` is missing");
    }
    let url = url(raw.url.as_ref(), &path.key("url"), problems);
    let credentials = credentials(&raw, files, path, problems);
    if let Some(appliance) = appliance {
        if appliance.scheme() == "http" {
            problems.warn(path, "the proxy can read the password of an appliance with an http URL: use https");
        }
        if appliance.scheme() == "https" && matches!(appliance.host(), Some(Host::Ipv6(_))) {
            problems.error(path, "cannot reach an IPv6 address over https: use a host name in the appliance's `url`");
        }
    }
    Some(Proxy { url: url?, credentials })
}

/// Never quotes the input: it may hold a password.
fn url(value: Option<&Value>, path: &Path, problems: &mut Problems) -> Option<Url> {
    let url = field::any_url(value, "http://proxy.example.com:3128", path, problems)?;
    let refusal = if url.scheme() != "http" {
        "must begin with `http://`: the connection to the proxy uses HTTP, and the tunnel inside stays encrypted"
    } else if !url.username().is_empty() || url.password().is_some() {
        "must not contain user information: give `username` and `password_file`"
    } else if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        "must not have a path"
    } else {
        return Some(url);
    };
    problems.error(path, refusal);
    None
}

/// The account at the proxy: both name and password, or none.
fn credentials(raw: &raw::Proxy, files: &Files, path: &Path, problems: &mut Problems) -> Option<Credentials> {
    let sources = Sources {
        what: "password",
        inline: ("password", raw.password.as_ref()),
        file: ("password_file", raw.password_file.as_ref()),
        env: ("password_env", raw.password_env.as_ref()),
        credential: ("credential", raw.credential.as_ref()),
    };
    match (&raw.username, sources.are_given()) {
        (None, false) => return None,
        (None, true) => problems.error(path, "`username` is missing: the account of this password"),
        (Some(_), _) => {}
    }
    let name_path = path.key("username");
    let username = field::label(raw.username.as_ref(), &name_path, problems);
    // RFC 7617 section 2: the first colon ends the user name.
    if username.as_ref().is_some_and(|name| name.contains(':')) {
        problems.error(&name_path, "must not contain a colon");
    }
    let password = sources.read(files, path, problems)?;
    Some(Credentials { username: username?, password, second: None })
}
