//! TLS in front of a simulated appliance, with certificates as appliances have them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
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

    fn certified(&self) -> Arc<CertifiedKey> {
        let chain = vec![self.certificate.clone()];
        Arc::new(CertifiedKey::from_der(chain, self.key(), &ring::default_provider()).expect("a key that fits"))
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
        .with_single_cert(vec![identity.certificate.clone()], identity.key())
        .expect("a key that fits")
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

/// A listening socket whose connections are handed on; closed when dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// Ends TLS and passes what is inside on to `upstream`.
    pub(crate) async fn terminate(config: ServerConfig, upstream: SocketAddr) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::start(move |client| {
            let acceptor = acceptor.clone();
            async move {
                // A handshake that fails is what some tests are about.
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(upstream).await.expect("the appliance listens");
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        })
        .await
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
        Self { port, _tasks: tasks }
    }
}
