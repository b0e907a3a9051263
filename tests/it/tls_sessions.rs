//! TLS sessions that are resumed, with real connections. How long they live is tested beside their code.

use asyncos_exporter::api::Listener;
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim;
use rcgen::IsCa;
use rustls::HandshakeKind::{Full, Resumed};
use rustls::crypto::ring::default_provider;
use rustls::server::NoServerSessionStorage;

use crate::program::{self, DEFAULTS, Folder, HISTORY, Program, committed};
use crate::rig;
use crate::tls::{ADDRESS, client, fetch, file, fingerprint};
use crate::tls_proxy::{Identity, Proxy, server, usual};

#[tokio::test]
async fn one_handshake_of_many_is_full() {
    let folder = Folder::new();
    let appliance = rig::simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let proxy = Proxy::terminate(server(&own, default_provider(), &[version]), appliance.address()).await;
        let url = format!("https://{ADDRESS}:{}", proxy.port);
        for tls in [file(&folder, &own.pem), format!("{{fingerprint_sha256: {}}}", fingerprint(&own))] {
            let client = client(&url, &tls, Listener::new(|_| {}));
            for _ in 0..5 {
                assert_eq!(fetch(&client).await.map_err(|failure| failure.to_string()), Ok(()), "{tls} {version:?}");
            }
            // Another login is a client of its own: the one before has left nothing.
            let kinds = proxy.take_handshakes();
            assert!(kinds.len() >= 6, "a login and five reports: {kinds:?}");
            assert_eq!(kinds[0], Full, "{tls} {version:?}");
            assert!(kinds[1..].iter().all(|kind| *kind == Resumed), "{tls} {version:?}: {kinds:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_resumes_nothing_is_polled_as_before() {
    let folder = Folder::new();
    let appliance = rig::simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut config = server(&own, default_provider(), &[version]);
        config.session_storage = std::sync::Arc::new(NoServerSessionStorage {});
        let proxy = Proxy::terminate(config, appliance.address()).await;
        let client =
            client(&format!("https://{ADDRESS}:{}", proxy.port), &file(&folder, &own.pem), Listener::new(|_| {}));
        for _ in 0..3 {
            assert_eq!(fetch(&client).await.map_err(|failure| failure.to_string()), Ok(()), "{version:?}");
        }
        assert!(proxy.take_handshakes().iter().all(|kind| *kind == Full), "{version:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_that_changes_the_trust_begins_with_a_full_handshake() {
    let folder = Folder::new();
    let appliance = program::simulate(sim::Settings::esa("esa1")).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    let proxy = Proxy::terminate(usual(&own), appliance.address()).await;
    let configuration = |tls: &str, health: bool| {
        let rest = format!("health: {health}, quarantines: false, inventory: false, tls: {tls}");
        let url = format!("https://{ADDRESS}:{}", proxy.port);
        format!("{DEFAULTS}  - {{name: esa1, url: '{url}', username: monitor, password: ironport, {rest}}}\n")
    };
    let by_file = file(&folder, &own.pem);
    let config = folder.write("c.yaml", configuration(&by_file, false));
    let mut program = Program::serve(&config, &[]);
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    let kinds = proxy.take_handshakes();
    assert_eq!(kinds.iter().filter(|kind| **kind == Full).count(), 1, "{kinds:?}");
    assert!(kinds.len() > 3, "{kinds:?}");
    // The same certificate, trusted for another reason; the health is requested at once.
    let by_pin = format!("{{fingerprint_sha256: {}}}", fingerprint(&own));
    folder.write("c.yaml", configuration(&by_pin, true));
    program.signal("HUP");
    program.logs("configuration reloaded").await;
    rig::until(address, "it is polled again", |page| {
        page.value("asyncos_health_cpu_load_ratio", &[("appliance", "esa1")]).is_some()
    })
    .await;
    let kinds = proxy.take_handshakes();
    assert_eq!(kinds.iter().filter(|kind| **kind == Full).count(), 1, "{kinds:?}");
    program.stop().await;
}
