//! TLS in front of a simulated appliance, with certificates as appliances have them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
    pub(crate) key_pem: String,
    key: Vec<u8>,
}

impl Identity {
    /// What an appliance makes for itself.
    pub(crate) fn self_signed(name: &str, is_ca: IsCa) -> Self {
        let mut params = params(name);
        params.is_ca = is_ca;
        let key = KeyPair::generate().expect("a key");
        Self::of(&params.self_signed(&key).expect("a certificate"), &key)
    }

    pub(crate) fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()))
    }

    /// The certificate in PEM form at `file` with a key that is not its own: one that rustls cannot serve, for clients that
    /// refuse it before they check a signature.
    pub(crate) fn of_file(file: &str) -> Self {
        let pem = std::fs::read_to_string(file).expect("a certificate");
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        let key = KeyPair::generate().expect("a key");
        Self { certificate, pem, key_pem: key.serialize_pem(), key: key.serialize_der() }
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        let signing = ring::default_provider().key_provider.load_private_key(self.key()).expect("a key");
        // Unlike `from_der`, this takes a key that is another certificate's.
        Arc::new(CertifiedKey::new(vec![self.certificate.clone()], signing))
    }

    fn of(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        let (pem, key_pem) = (certificate.pem(), key.serialize_pem());
        Self { certificate: certificate.der().clone(), pem, key_pem, key: key.serialize_der() }
    }
}

/// An authority of the operator's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = params("ca.example.com");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `name`.
    pub(crate) fn issue(&self, name: &str) -> Identity {
        self.issue_with(&params(name))
    }

    /// A certificate for `name` that has ended.
    pub(crate) fn issue_expired(&self, name: &str) -> Identity {
        self.issue_until(name, 2020)
    }

    /// A certificate for `name` that ends with the beginning of `year`.
    pub(crate) fn issue_until(&self, name: &str, year: i32) -> Identity {
        let mut params = params(name);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        self.issue_with(&params)
    }

    /// A certificate for `name` that begins with `year`.
    pub(crate) fn issue_from(&self, name: &str, year: i32) -> Identity {
        let mut params = params(name);
        params.not_before = rcgen::date_time_ymd(year, 1, 1);
        self.issue_with(&params)
    }

    /// A certificate that is `name` in its subject only, as older appliances make them.
    pub(crate) fn issue_without_names(&self, name: &str) -> Identity {
        let mut params = params(name);
        params.subject_alt_names.clear();
        self.issue_with(&params)
    }

    fn issue_with(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        Identity::of(&params.signed_by(&key, &self.issuer).expect("a certificate"), &key)
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a host name");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// A server with `identity` that speaks `versions` with the ciphers of `provider`.
pub(crate) fn server(
    identity: &Identity,
    provider: CryptoProvider,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shown::new(identity)))
}

/// A server with `identity` that speaks `version` and wants a client certificate of `authority`.
pub(crate) fn demanding(
    identity: &Identity,
    authority: &Authority,
    version: &'static rustls::SupportedProtocolVersion,
) -> ServerConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).expect("PEM")).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("versions")
        .with_client_cert_verifier(clients.build().expect("an authority"))
        .with_cert_resolver(Arc::new(Shown::new(identity)))
}

/// A server with `identity` and everything that rustls speaks.
pub(crate) fn usual(identity: &Identity) -> ServerConfig {
    server(identity, ring::default_provider(), rustls::ALL_VERSIONS)
}

/// The certificate that a server shows, which can be replaced while it listens.
#[derive(Clone, Debug)]
pub(crate) struct Shown(Arc<Mutex<Arc<CertifiedKey>>>);

impl Shown {
    pub(crate) fn new(identity: &Identity) -> Self {
        Self(Arc::new(Mutex::new(identity.certified())))
    }

    pub(crate) fn replace(&self, identity: &Identity) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = identity.certified();
    }

    /// A server that shows it, and remembers sessions as servers do.
    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The kinds of handshakes, in the order in which they were completed.
type Handshakes = Arc<Mutex<Vec<HandshakeKind>>>;

/// A listening socket whose connections are handed on; closed when dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    handshakes: Handshakes,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Ends TLS and passes what is inside on to `upstream`.
    pub(crate) async fn terminate(config: ServerConfig, upstream: SocketAddr) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let handshakes = Handshakes::default();
        let done = Arc::clone(&handshakes);
        let proxy = Self::start(move |client| {
            let (acceptor, done) = (acceptor.clone(), Arc::clone(&done));
            async move {
                let mut client = match acceptor.accept(client).into_fallible().await {
                    Ok(client) => client,
                    // A handshake that fails is what some tests are about. Closing with something unread would reset the
                    // connection and take the alert along.
                    Err((_, mut client)) => {
                        let _ = client.shutdown().await;
                        while let Ok(1..) = client.read(&mut [0; 4096]).await {}
                        return;
                    }
                };
                let kind = client.get_ref().1.handshake_kind();
                done.lock().unwrap_or_else(PoisonError::into_inner).extend(kind);
                let mut server = TcpStream::connect(upstream).await.expect("the appliance listens");
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
        Self { handshakes, ..proxy.await }
    }

    /// The handshakes since the last call; none unless it ends TLS.
    pub(crate) fn take_handshakes(&self) -> Vec<HandshakeKind> {
        std::mem::take(&mut *self.handshakes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers every hello with these bytes, as a server that rustls cannot play.
    pub(crate) async fn reply(bytes: &'static [u8]) -> Self {
        Self::start(move |mut client| async move {
            let _ = client.read(&mut [0; 4096]).await;
            let _ = client.write_all(bytes).await;
            let _ = client.shutdown().await;
            // Closing with something unread would reset the connection and take the answer along.
            while let Ok(1..) = client.read(&mut [0; 4096]).await {}
        })
        .await
    }

    /// Answers every request with these bytes and closes, and gives each as it came to `heard`.
    pub(crate) async fn answer(bytes: Vec<u8>, heard: impl Fn(String) + Clone + Send + 'static) -> Self {
        Self::start(move |mut client| {
            let (bytes, heard) = (bytes.clone(), heard.clone());
            async move {
                let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match client.read(&mut buffer).await {
                        Ok(length @ 1..) => request.extend_from_slice(&buffer[..length]),
                        Ok(0) | Err(_) => return,
                    }
                }
                heard(String::from_utf8_lossy(&request).into_owned());
                let _ = client.write_all(&bytes).await;
                let _ = client.shutdown().await;
                while let Ok(1..) = client.read(&mut buffer).await {}
            }
        })
        .await
    }

    /// Begins handshakes with `config`, and hangs up without a word on whoever it does not like.
    pub(crate) async fn cut_off(config: ServerConfig) -> Self {
        let config = Arc::new(config);
        Self::start(move |mut client| {
            let mut server = rustls::ServerConnection::new(Arc::clone(&config)).expect("a server");
            async move {
                let mut buffer = [0; 4096];
                loop {
                    let length = client.read(&mut buffer).await.unwrap_or(0);
                    let read = server.read_tls(&mut &buffer[..length]).expect("memory");
                    if read == 0 || server.process_new_packets().is_err() {
                        return;
                    }
                    let mut answer = Vec::new();
                    while server.wants_write() {
                        server.write_tls(&mut answer).expect("memory");
                    }
                    if client.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    async fn start<F>(attend: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.expect("a connection");
                open.spawn(attend(client));
            }
        });
        Self { port, handshakes: Handshakes::default(), _tasks: tasks }
    }
}
