//! Which paths there are, and which methods each takes. Pure.

use hyper::Method;

/// A page or an action of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Metrics,
    Probe,
    Discovery,
    Landing,
    Status,
    Config,
    Explain,
    Healthy,
    Ready,
    Reload,
    LoginReset,
    Quit,
}

impl Route {
    /// The route of `path`, where metrics are at `telemetry_path`. Paths are compared as they come: no decoding, no
    /// `..`, no doubled or trailing slash.
    pub(super) fn of(path: &str, telemetry_path: &str) -> Option<Self> {
        match path {
            path if path == telemetry_path => Some(Self::Metrics),
            "/probe" => Some(Self::Probe),
            "/sd" => Some(Self::Discovery),
            "/" => Some(Self::Landing),
            "/api/v1/status" => Some(Self::Status),
            "/config" => Some(Self::Config),
            "/api/v1/explain" => Some(Self::Explain),
            "/-/healthy" => Some(Self::Healthy),
            "/-/ready" => Some(Self::Ready),
            "/-/reload" => Some(Self::Reload),
            "/-/login-reset" => Some(Self::LoginReset),
            "/-/quit" => Some(Self::Quit),
            _ => None,
        }
    }

    /// The methods it takes, as the header `Allow` lists them.
    pub(super) const fn methods(self) -> &'static str {
        match self {
            Self::Metrics
            | Self::Probe
            | Self::Discovery
            | Self::Landing
            | Self::Status
            | Self::Config
            | Self::Explain
            | Self::Healthy
            | Self::Ready => "GET, HEAD",
            Self::Reload | Self::LoginReset | Self::Quit => "POST, PUT",
        }
    }

    /// Whether asking for it does more than look.
    pub(super) const fn changes_something(self) -> bool {
        match self {
            Self::Reload | Self::LoginReset | Self::Quit => true,
            Self::Metrics
            | Self::Probe
            | Self::Discovery
            | Self::Landing
            | Self::Status
            | Self::Config
            | Self::Explain
            | Self::Healthy
            | Self::Ready => false,
        }
    }

    pub(super) fn allows(self, method: &Method) -> bool {
        self.methods().split(", ").any(|name| name == method.as_str())
    }
}
