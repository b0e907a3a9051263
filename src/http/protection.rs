//! The current protection of the web side: TLS, headers and users, read again when one of the files it comes from has
//! changed. Knows nothing of sockets and routes.

use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONNECTION, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::http::request::Parts;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use super::auth::Users;
use super::response::{Response, text};
use super::tls;
use crate::config::{ConfigError, Problem, Web, WebFile};

/// The shortest time between two checks for changed files: soon enough after a certificate is replaced, seldom enough
/// for a client that connects a thousand times a second.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The time that a client waits for such a check; then the previous files stay in force. Threads for blocking work are
/// shared with name look-ups, and a name server or a file system that hangs must not hold up a scrape.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// The time limit of a requested reading, which takes milliseconds unless a file system hangs.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The protection cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ProtectionError {
    /// The file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS for the web server")]
    Tls(#[from] rustls::Error),
    /// A key for remembered passwords cannot be made.
    #[error("the system provides no random bytes")]
    Random,
    /// TLS or the users would be removed.
    #[error("{0} cannot be removed while the exporter runs: restart the exporter")]
    TakenAway(&'static str),
    /// The disk hangs.
    #[error(
        "reading the files of the web configuration took longer than {}: the disk hangs",
        humantime::format_duration(READ_TIMEOUT)
    )]
    Slow,
}

/// Protection of the web side, shared by all connections.
#[derive(Clone)]
pub struct Protection(Arc<Inner>);

struct Inner {
    now: RwLock<Arc<WebSecurity>>,
    next_check: Mutex<Option<Instant>>,
    /// Absent where there is no file. Locked during a check.
    file: Option<Arc<AsyncMutex<WebFile>>>,
    observer: RwLock<Observer>,
}

/// Receives the outcome of every reading: whether it succeeded.
type Observer = Arc<dyn Fn(bool) + Send + Sync>;

impl fmt::Debug for Protection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Protection").field("file", &self.0.file).finish_non_exhaustive()
    }
}

impl Default for Protection {
    /// None: everybody is answered, in clear text.
    fn default() -> Self {
        Self::new(WebSecurity::default(), None)
    }
}

impl Protection {
    /// The protection that `file` describes.
    ///
    /// # Errors
    /// When it cannot be read or is wrong: every problem at once.
    pub fn open(file: PathBuf) -> Result<Self, ProtectionError> {
        let mut file = WebFile::new(file);
        let security = WebSecurity::try_new(file.read()?)?;
        Ok(Self::new(security, Some(Arc::new(AsyncMutex::new(file)))))
    }

    fn new(security: WebSecurity, file: Option<Arc<AsyncMutex<WebFile>>>) -> Self {
        let (now, observer) = (RwLock::new(Arc::new(security)), RwLock::new(Arc::new(|_| ()) as Observer));
        Self(Arc::new(Inner { now, next_check: Mutex::default(), file, observer }))
    }

    /// Notifies `observer` of the outcome of every reading from now on; at once of the first one, which succeeded.
    pub fn report_to(&self, observer: impl Fn(bool) + Send + Sync + 'static) {
        if self.0.file.is_some() {
            observer(true);
        }
        *self.0.observer.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(observer);
    }

    /// Whether clients speak TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.security().tls.is_some()
    }

    /// Whether clients need a password.
    #[must_use]
    pub fn has_users(&self) -> bool {
        self.0.security().users.is_some()
    }

    /// Logs what is allowed and yet should be known.
    pub fn warn(&self) {
        self.0.security().warn();
    }

    /// Reads the files now, changed or not. Without a file there is nothing to do.
    ///
    /// # Errors
    /// When something is wrong with them, which is logged and reported as with any other reading; the previous
    /// protection stays in force.
    ///
    /// # Cancel safety
    /// A reading that has begun continues.
    pub async fn reread(&self) -> Result<(), ProtectionError> {
        let Some(file) = self.0.file.clone() else { return Ok(()) };
        let inner = Arc::clone(&self.0);
        let reading = async {
            let file = file.lock_owned().await;
            spawn_blocking(move || inner.read(file)).await
        };
        match timeout(READ_TIMEOUT, reading).await {
            Ok(Ok(outcome)) => outcome,
            // A bug of ours, for the supervisor to see.
            Ok(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            Ok(Err(_)) | Err(_) => self.0.report(Err(ProtectionError::Slow)),
        }
    }

    /// The current protection. Checks the files first if that is due.
    ///
    /// # Cancel safety
    /// A check that has begun continues.
    pub(super) async fn security(&self) -> Arc<WebSecurity> {
        if let Some(file) = self.0.claim_check() {
            let inner = Arc::clone(&self.0);
            // Too late or dead, it leaves what was there before.
            let _ = timeout(CHECK_TIMEOUT, spawn_blocking(move || inner.check(file))).await;
        }
        self.0.security()
    }
}

impl Inner {
    fn security(&self) -> Arc<WebSecurity> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The file, for one caller, when it is time to look at it.
    fn claim_check(&self) -> Option<OwnedMutexGuard<WebFile>> {
        let file = Arc::clone(self.file.as_ref()?).try_lock_owned().ok()?;
        let mut next = self.next_check.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if next.is_some_and(|next| now < next) {
            return None;
        }
        *next = Some(now + CHECK_INTERVAL);
        Some(file)
    }

    /// Reads the files again if one of them has changed.
    fn check(&self, file: OwnedMutexGuard<WebFile>) {
        if file.has_changed() {
            // The reading has reported it.
            let _ = self.read(file);
        }
    }

    /// Reads the files. What cannot be used changes nothing.
    fn read(&self, mut file: OwnedMutexGuard<WebFile>) -> Result<(), ProtectionError> {
        let read = file.read().map_err(ProtectionError::from).and_then(WebSecurity::try_new);
        let outcome = read.and_then(|security| security.replacing(&self.security()));
        self.report(outcome.map(|security| {
            security.warn();
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(security);
        }))
    }

    /// Logs the outcome of a reading and notifies the observer.
    fn report(&self, outcome: Result<(), ProtectionError>) -> Result<(), ProtectionError> {
        let observer = Arc::clone(&self.observer.read().unwrap_or_else(PoisonError::into_inner));
        observer(outcome.is_ok());
        match &outcome {
            Ok(()) => tracing::info!("web configuration reloaded"),
            Err(error) => {
                let error = error as &dyn Error;
                tracing::error!(error, "web configuration reload failed; keeping the previous TLS settings and users");
            }
        }
        outcome
    }
}

/// One reading of the files.
#[derive(Default)]
pub(super) struct WebSecurity {
    /// The acceptor of TLS connections; absent for clear text.
    pub(super) tls: Option<TlsAcceptor>,
    users: Option<Users>,
    headers: Vec<(HeaderName, HeaderValue)>,
    warnings: Vec<Problem>,
}

impl WebSecurity {
    fn try_new(Web { tls, headers, users, warnings }: Web) -> Result<Self, ProtectionError> {
        let tls = tls.as_ref().map(tls::acceptor).transpose()?;
        let users = Users::try_new(users).map_err(|_| ProtectionError::Random)?;
        // Both have been checked: none is left out.
        let headers = headers.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        Ok(Self { tls, users, headers: headers.collect(), warnings })
    }

    /// Takes the place of `before`, unless that would open what is closed: a file that is half written, or emptied by
    /// mistake, must not.
    fn replacing(self, before: &Self) -> Result<Self, ProtectionError> {
        if before.tls.is_some() && self.tls.is_none() {
            return Err(ProtectionError::TakenAway("`tls_server_config`"));
        }
        if before.users.is_some() && self.users.is_none() {
            return Err(ProtectionError::TakenAway("`basic_auth_users`"));
        }
        Ok(self)
    }

    fn warn(&self) {
        for warning in &self.warnings {
            tracing::warn!(%warning, "configuration");
        }
    }

    /// The response that refuses a request; none for one that is admitted.
    pub(super) async fn refusal(&self, request: &Parts, channel: Channel) -> Option<Response> {
        if self.tls.is_some() && channel == Channel::Clear {
            // The connection is older than the TLS that is asked for now.
            let mut refusal = text(StatusCode::BAD_REQUEST, "use https\n");
            refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return Some(refusal);
        }
        let users = self.users.as_ref()?;
        if users.admit(request.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes)).await {
            return None;
        }
        let mut refusal = text(StatusCode::UNAUTHORIZED, "unauthorized\n");
        refusal.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        Some(refusal)
    }

    /// Adds the operator's headers; where a page has one of its own, theirs counts.
    pub(super) fn apply_headers(&self, answer: &mut Response) {
        for (name, value) in &self.headers {
            answer.headers_mut().insert(name, value.clone());
        }
    }
}

/// The channel by which a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// In clear text.
    Clear,
    /// By TLS.
    Tls,
}
