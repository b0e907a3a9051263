//! The addresses of the pages: on this server, and from outside, where a reverse proxy may change them. Pure.

use url::Url;

/// The addresses of the pages.
///
/// **Source:** the flags `--web.route-prefix` and `--web.external-url` of Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPaths {
    /// The path of the metrics, after the prefix.
    telemetry: String,
    /// The prefix of all paths on this server: empty, or `/` and something that does not end in `/`.
    prefix: String,
    external: Option<Url>,
}

/// The answer to where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<'p> {
    /// A path after the prefix.
    Inside(&'p str),
    /// The root of a server whose pages all have a prefix.
    Root,
    /// No page of ours.
    Outside,
}

impl WebPaths {
    /// The paths for `telemetry`, such as `/metrics`, after `prefix`: unless given, the path of `external`.
    #[must_use]
    pub fn new(telemetry: String, prefix: Option<&str>, external: Option<Url>) -> Self {
        let prefix = normal(prefix.or(external.as_ref().map(Url::path)).unwrap_or_default());
        Self { telemetry, prefix, external }
    }

    /// The path of the metrics, after the prefix.
    #[must_use]
    pub fn telemetry(&self) -> &str {
        &self.telemetry
    }

    /// The prefix of all paths on this server; empty without one.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The prefix of links that a browser follows: the path of the external URL, or the one on this server.
    #[must_use]
    pub fn link_prefix(&self) -> String {
        self.external.as_ref().map_or_else(|| self.prefix.clone(), |url| normal(url.path()))
    }

    /// The scheme and the prefix by which the client that came to `host` by `scheme` reaches this exporter. Where `host` is
    /// that of the external URL, a proxy is between: Prometheus has to take the same way.
    #[must_use]
    pub fn seen_from(&self, host: &str, scheme: &'static str) -> (&str, String) {
        match &self.external {
            Some(url) if authority(url).is_some_and(|authority| authority.eq_ignore_ascii_case(host)) => {
                (url.scheme(), normal(url.path()))
            }
            Some(_) | None => (scheme, self.prefix.clone()),
        }
    }

    pub(super) fn place<'p>(&self, path: &'p str) -> Place<'p> {
        match path.strip_prefix(&*self.prefix) {
            Some("") if !self.prefix.is_empty() => Place::Inside("/"),
            Some(rest) if rest.starts_with('/') => Place::Inside(rest),
            Some(_) | None if path == "/" => Place::Root,
            Some(_) | None => Place::Outside,
        }
    }
}

/// Host, and port if it is not that of the scheme, as clients send them.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// `path` with one slash at its beginning and none at its end; empty for the root.
fn normal(path: &str) -> String {
    match path.trim_matches('/') {
        "" => String::new(),
        inner => format!("/{inner}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(prefix: Option<&str>, external: Option<&str>) -> WebPaths {
        WebPaths::new("/metrics".into(), prefix, external.map(|url| Url::parse(url).expect("a URL")))
    }

    #[test]
    fn the_prefix_is_that_of_the_external_url_unless_given() {
        let proxied = Some("https://m.example.com/mail/");
        for (prefix, external, inside, links) in [
            (None, None, "", ""),
            (Some("/"), None, "", ""),
            (Some("mail/"), None, "/mail", "/mail"),
            (None, proxied, "/mail", "/mail"),
            (Some("/"), proxied, "", "/mail"),
            (Some("/a/b"), proxied, "/a/b", "/mail"),
            (None, Some("https://m.example.com"), "", ""),
        ] {
            let paths = paths(prefix, external);
            assert_eq!((paths.prefix(), &*paths.link_prefix()), (inside, links), "{prefix:?} {external:?}");
        }
    }

    #[test]
    fn only_whole_segments_are_the_prefix() {
        let prefixed = paths(Some("/mail"), None);
        for (path, place) in [
            ("/mail", Place::Inside("/")),
            ("/mail/", Place::Inside("/")),
            ("/mail/metrics", Place::Inside("/metrics")),
            ("/mailbox", Place::Outside),
            ("/metrics", Place::Outside),
            ("/", Place::Root),
        ] {
            assert_eq!(prefixed.place(path), place, "{path}");
        }
        assert_eq!(paths(None, None).place("/metrics"), Place::Inside("/metrics"));
        assert_eq!(paths(None, None).place("/"), Place::Inside("/"));
        assert_eq!(paths(None, None).place(""), Place::Outside, "a request for the server itself");
    }

    #[test]
    fn a_client_of_the_proxy_is_led_through_it() {
        let proxied = paths(Some("/"), Some("https://m.example.com/mail"));
        assert_eq!(proxied.seen_from("M.example.com", "http"), ("https", "/mail".to_owned()));
        assert_eq!(proxied.seen_from("10.0.0.1:10042", "http"), ("http", String::new()));
        let other = paths(None, Some("http://m.example.com:8080/mail"));
        assert_eq!(other.seen_from("m.example.com", "http"), ("http", "/mail".to_owned()));
        assert_eq!(other.seen_from("m.example.com:8080", "https"), ("http", "/mail".to_owned()));
    }
}
