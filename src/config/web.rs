//! The file of `--web.config.file`: TLS and users of the exporter's web server, in the format of Prometheus'
//! exporter-toolkit. Knows nothing of sockets.
//!
//! **Source:** `docs/web-configuration.md` of github.com/prometheus/exporter-toolkit.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SupportedProtocolVersion};
use serde_yaml::Value;

use super::files::Files;
use super::path::Path;
use super::problem::{ConfigError, Problem, Problems};
use super::{document, field, raw};
use crate::base::secret::Secret;

mod tls;

/// Protection of the web server, checked. Without any it is open to everybody, in clear text.
#[derive(Debug, Default)]
pub struct Web {
    /// The TLS settings; clear text where absent.
    pub tls: Option<WebTls>,
    /// Headers of every response, by name in lower case; the values are printable ASCII and not empty.
    pub headers: Vec<(String, String)>,
    /// The bcrypt hash of each user's password; no authentication where there is none.
    pub users: BTreeMap<String, Secret>,
    /// Warnings: allowed, but probably a mistake or a risk.
    pub warnings: Vec<Problem>,
}

/// TLS settings of the web server.
#[derive(Debug)]
pub struct WebTls {
    /// The server's certificate and the key that belongs to it.
    pub identity: Arc<CertifiedKey>,
    /// The supported versions; at least one.
    pub versions: Vec<&'static SupportedProtocolVersion>,
    /// The certificates of clients; none are requested where absent.
    pub clients: Option<ClientCertificates>,
}

/// Requirements for the certificates of clients.
#[derive(Debug)]
pub struct ClientCertificates {
    /// Whether a client without a certificate is rejected.
    pub required: bool,
    /// The CAs that must have issued it; any where absent.
    pub roots: Option<Arc<RootCertStore>>,
    /// Names of which it must have one; any name where empty.
    pub allowed_sans: Vec<String>,
}

/// Headers that may be set and the values they may have; any where the list is empty. The toolkit's own set.
const HEADERS: &[(&str, &[&str])] = &[
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
    ("Content-Security-Policy", &[]),
];

/// The accepted costs of bcrypt. Below 4 there is none; each step doubles the time, and 16 takes seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

/// Checks `text`, which stands in the file `name`, with all files it names.
pub(super) fn parse(name: &str, text: &str, files: &mut Files) -> Result<Web, ConfigError> {
    let document = document::parse(name, text)?;
    let mut problems = Problems::default();
    let root = Path::default();
    let raw = raw::Web::read(document, &root, &mut problems);
    let tls = tls::read(raw.tls_server_config, files, &root.key("tls_server_config"), &mut problems);
    let headers = http(raw.http_server_config, &root.key("http_server_config"), &mut problems);
    let users = users(raw.basic_auth_users, &root.key("basic_auth_users"), &mut problems);
    if raw.rate_limit.is_some() {
        problems.warn(&root.key("rate_limit"), "has no effect: `--web.max-requests` limits concurrent scrapes");
    }
    if tls.is_none() && !users.is_empty() {
        problems.warn(&root.key("basic_auth_users"), "passwords are sent in clear text without `tls_server_config`");
    }
    let warnings = problems.finish(name, text)?;
    Ok(Web { tls, headers, users, warnings })
}

fn http(value: Option<Value>, path: &Path, problems: &mut Problems) -> Vec<(String, String)> {
    let raw = raw::WebHttp::read(value.unwrap_or_default(), path, problems);
    let http2 = path.key("http2");
    if field::switch(raw.http2.as_ref(), &http2, problems) == Some(true) {
        problems.warn(&http2, "has no effect: the exporter uses HTTP/1.1, which every scraper supports");
    }
    let path = path.key("headers");
    let given = raw::table(raw.headers.unwrap_or_default(), &path, problems);
    given.iter().filter_map(|(name, value)| header(name, value, &path.key(name), problems)).collect()
}

/// One header; none where its value is empty, as in the toolkit.
fn header(name: &str, value: &Value, path: &Path, problems: &mut Problems) -> Option<(String, String)> {
    let Some((known, values)) = HEADERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        let known = HEADERS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
        problems.error(path, format!("unsupported header; expected one of {known}"));
        return None;
    };
    if value.is_null() || value.as_str() == Some("") {
        return None;
    }
    let text = field::text(Some(value), path, problems)?;
    if !values.is_empty() && !values.iter().any(|allowed| allowed.eq_ignore_ascii_case(&text)) {
        problems.error(path, format!("expected {}, found `{text}`", values.join(" or ")));
        return None;
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        problems.error(path, "must be one line of ASCII");
        return None;
    }
    Some((known.to_ascii_lowercase(), text))
}

fn users(value: Option<Value>, path: &Path, problems: &mut Problems) -> BTreeMap<String, Secret> {
    let mut users = BTreeMap::new();
    for (name, value) in raw::table(value.unwrap_or_default(), path, problems) {
        let path = path.key(&name);
        if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
            problems.error(&path, "a user's name is one line, not empty and without a colon");
        }
        // Whatever stands here is somebody's password, or nearly so: no message quotes it.
        match value.as_str().map(|text| (text, cost(text))) {
            Some((hash, Some(cost))) if COSTS.contains(&cost) => {
                users.insert(name, Secret::new(hash));
            }
            Some((_, Some(cost))) => {
                let (least, most) = (COSTS.start(), COSTS.end());
                problems.error(&path, format!("the cost of the hash is {cost}: expected {least} to {most}"));
            }
            Some((_, None)) | None => {
                problems.error(
                    &path,
                    "is not a bcrypt hash: create one with `htpasswd -nBC 10 \"\"`, without the \
                colon",
                );
            }
        }
    }
    users
}

/// The cost in a bcrypt hash such as `$2y$10$` and 53 letters of salt and sum; none where it is no such hash.
fn cost(hash: &str) -> Option<u32> {
    let rest = ["$2a$", "$2b$", "$2y$"].iter().find_map(|start| hash.strip_prefix(start))?;
    let (cost, sum) = rest.split_once('$')?;
    let is_sum = sum.len() == 53 && sum.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'));
    let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    (is_sum && is_cost).then(|| cost.parse().ok())?
}
