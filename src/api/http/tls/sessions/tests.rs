//! Handshakes in memory, on a clock that is paused between them.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, ServerConnection};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Connection, HandshakeKind, ServerConfig, SupportedProtocolVersion};

use super::super::{Modern, SystemRoots, client};
use super::*;
use crate::api::Listener;
use crate::config::Config;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// A connection's longest time.
const TIMEOUT: Duration = Duration::from_secs(30);
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

const FULL: Result<HandshakeKind, &str> = Ok(HandshakeKind::Full);
const RESUMED: Result<HandshakeKind, &str> = Ok(HandshakeKind::Resumed);

/// A server with a certificate of its own until `year`.
struct Server {
    config: ServerConfig,
    pin: String,
}

impl Server {
    fn until(year: i32, version: &'static SupportedProtocolVersion) -> Self {
        let mut params = CertificateParams::new(vec!["esa1".to_owned()]).expect("a name");
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        let digest = ring::digest::digest(&ring::digest::SHA256, &certificate);
        let pin = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .expect("a version")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a key");
        Self { config, pin }
    }

    /// A client on `clock` that trusts it.
    fn client(&self, clock: &Clock) -> Modern {
        let tls = format!("{{fingerprint_sha256: {}}}", self.pin);
        let text = format!("appliances: [{{name: e, url: 'https://esa1', username: m, password: p, tls: {tls}}}]");
        let config = Config::parse("tls", &text).expect("a configuration");
        let (trust, listener) = (&config.appliances[0].trust, Listener::new(|_| {}));
        client(trust, &SystemRoots::default(), listener, Some((clock, TIMEOUT))).expect("a client")
    }
}

/// Passes on what `from` has to say.
fn pass(from: &mut Connection, to: &mut Connection) -> Result<(), rustls::Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).expect("memory");
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).expect("memory");
        to.process_new_packets()?;
    }
    Ok(())
}

/// The kind of a handshake, with what is sent after it.
fn shake(client: &ClientConfig, server: &ServerConfig) -> Result<HandshakeKind, &'static str> {
    let name = ServerName::try_from("esa1").expect("a name");
    let mut client: Connection = ClientConnection::new(Arc::new(client.clone()), name).expect("a client").into();
    let mut server: Connection = ServerConnection::new(Arc::new(server.clone())).expect("a server").into();
    for _ in 0..4 {
        pass(&mut client, &mut server).map_err(|_| "refused by the server")?;
        pass(&mut server, &mut client).map_err(|_| "refused by the client")?;
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    assert_eq!(client.handshake_kind(), server.handshake_kind());
    client.handshake_kind().ok_or("no handshake")
}

#[tokio::test(start_paused = true)]
async fn a_session_is_resumed_for_an_hour_and_then_checked_in_full() {
    for version in VERSIONS {
        let server = Server::until(2049, version);
        let client = server.client(&Clock::system());
        for _ in 0..3 {
            assert_eq!(shake(&client.config, &server.config), FULL, "{version:?}");
            for _ in 0..59 {
                tokio::time::advance(MINUTE).await;
                assert_eq!(shake(&client.config, &server.config), RESUMED, "{version:?}");
            }
            tokio::time::advance(MINUTE - SECOND).await;
            assert_eq!(shake(&client.config, &server.config), RESUMED, "the last second, {version:?}");
            tokio::time::advance(SECOND).await;
            assert_eq!(shake(&client.config, &server.config), FULL, "after an hour, {version:?}");
            // A connection that began before may still bring a session that is an hour old.
            tokio::time::advance(TIMEOUT - SECOND).await;
            assert_eq!(shake(&client.config, &server.config), FULL, "{version:?}");
            assert_eq!(shake(&client.config, &server.config), FULL, "{version:?}");
            tokio::time::advance(SECOND).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_session_outlives_the_certificate() {
    // Twenty minutes before 2031 begins.
    let origin = Timestamp::from_secs(1_924_992_000 - 20 * 60);
    for version in VERSIONS {
        let server = Server::until(2031, version);
        let client = server.client(&Clock::lapse(origin, 1));
        assert_eq!(shake(&client.config, &server.config), FULL);
        tokio::time::advance(20 * MINUTE - SECOND).await;
        assert_eq!(shake(&client.config, &server.config), RESUMED);
        // It is pinned, so that it is still trusted.
        for _ in 0..3 {
            tokio::time::advance(TIMEOUT).await;
            assert_eq!(shake(&client.config, &server.config), FULL);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_check_ends_all_sessions() {
    for version in VERSIONS {
        let (server, other) = (Server::until(2049, version), Server::until(2049, version));
        let client = server.client(&Clock::system());
        assert_eq!(shake(&client.config, &server.config), FULL);
        assert_eq!(shake(&client.config, &server.config), RESUMED);
        assert_eq!(shake(&client.config, &other.config), Err("refused by the client"));
        assert_eq!(shake(&client.config, &server.config), FULL);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaced_certificate_is_refused_within_the_hour() {
    for version in VERSIONS {
        let (mut server, other) = (Server::until(2049, version), Server::until(2049, version));
        let client = server.client(&Clock::system());
        assert_eq!(shake(&client.config, &server.config), FULL);
        // It remembers the sessions of the certificate that it had.
        server.config.cert_resolver = Arc::clone(&other.config.cert_resolver);
        for _ in 0..59 {
            tokio::time::advance(MINUTE).await;
            assert_eq!(shake(&client.config, &server.config), RESUMED);
        }
        tokio::time::advance(MINUTE).await;
        assert_eq!(shake(&client.config, &server.config), Err("refused by the client"));
    }
}

#[tokio::test(start_paused = true)]
async fn another_configuration_resumes_nothing() {
    for version in VERSIONS {
        let server = Server::until(2049, version);
        let (clock, before) = (Clock::system(), server.client(&Clock::system()));
        assert_eq!(shake(&before.config, &server.config), FULL);
        let after = server.client(&clock);
        assert_eq!(shake(&after.config, &server.config), FULL);
        // Nor would it with the same sessions: they belong to the verifier that has checked their certificate.
        let mut mixed = after.config.clone();
        mixed.resumption = Resumption::store(before.sessions.clone().expect("sessions") as Arc<dyn ClientSessionStore>);
        assert_eq!(shake(&mixed, &server.config), FULL);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_without_sessions_works() {
    for version in VERSIONS {
        let mut server = Server::until(2049, version);
        server.config.session_storage = Arc::new(NoServerSessionStorage {});
        server.config.send_tls13_tickets = 0;
        let client = server.client(&Clock::system());
        for _ in 0..3 {
            assert_eq!(shake(&client.config, &server.config), FULL);
        }
    }
}

/// A server that forgets its sessions, as after a restart, continues with a full handshake.
#[tokio::test(start_paused = true)]
async fn a_server_that_has_forgotten_a_session_works() {
    for version in VERSIONS {
        let mut server = Server::until(2049, version);
        let client = server.client(&Clock::system());
        assert_eq!(shake(&client.config, &server.config), FULL);
        server.config.session_storage = rustls::server::ServerSessionMemoryCache::new(256);
        assert_eq!(shake(&client.config, &server.config), FULL);
        assert_eq!(shake(&client.config, &server.config), RESUMED);
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_at_which_a_server_hangs_up_are_given_up() {
    let server = Server::until(2049, &TLS13);
    let client = server.client(&Clock::system());
    let sessions = client.sessions.as_ref().expect("sessions");
    let hang_up = || {
        sessions.begin();
        let name = ServerName::try_from("esa1").expect("a name");
        drop(ClientConnection::new(Arc::new(client.config.clone()), name).expect("a client"));
        sessions.broke();
    };
    let request = || {
        sessions.begin();
        let kind = shake(&client.config, &server.config);
        sessions.answered();
        kind
    };
    // An answer in between begins a new count.
    for broken in [MOST_BROKEN - 1, MOST_BROKEN] {
        for _ in 0..broken {
            tokio::time::advance(TIMEOUT).await;
            assert_eq!(request(), FULL);
            hang_up();
        }
        tokio::time::advance(TIMEOUT).await;
        assert_eq!(request(), FULL);
        assert_eq!(request(), if broken < MOST_BROKEN { RESUMED } else { FULL });
        sessions.forget();
    }
    tokio::time::advance(24 * 60 * MINUTE).await;
    assert_eq!([request(), request()], [FULL, FULL]);
    // Connections that break before they come to TLS say nothing about sessions.
    let other = server.client(&Clock::system());
    for _ in 0..9 {
        let sessions = other.sessions.as_ref().expect("sessions");
        sessions.begin();
        sessions.broke();
    }
    assert_eq!([(); 2].map(|()| shake(&other.config, &server.config)), [FULL, RESUMED]);
}

#[tokio::test(start_paused = true)]
async fn few_tickets_are_kept_and_each_is_used_once() {
    let server = Server::until(2049, &TLS13);
    let client = server.client(&Clock::system());
    let sessions = client.sessions.as_ref().expect("sessions");
    let tickets = || sessions.lock().cache.tickets.len();
    for _ in 0..9 {
        shake(&client.config, &server.config).expect("a handshake");
        assert_eq!(tickets(), MOST_TICKETS, "the server sends two");
    }
    let name = ServerName::try_from("esa1").expect("a name");
    drop(ClientConnection::new(Arc::new(client.config.clone()), name).expect("a client"));
    assert_eq!(tickets(), MOST_TICKETS - 1);
    // Another server gets none of them.
    let other = ServerName::try_from("esa2").expect("a name");
    assert!(sessions.take_tls13_ticket(&other).is_none());
    assert_eq!(tickets(), 0);
}
