//! Whose certificate is believed, and what is said about those that are not.

use asyncos_exporter::api::{Client, Failure, Listener, LoginFailureLog, Query, Reason, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::{Config, Scope};
use asyncos_exporter::sim;
use asyncos_exporter::telemetry::Telemetry;
use rcgen::{BasicConstraints, IsCa};
use ring::digest;
use rustls::CipherSuite;
use rustls::crypto::ring::default_provider;

use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, Program};
use crate::rig::{self, simulate};
use crate::tls_proxy::{Authority, Identity, Proxy, Shown, server, usual};

/// The host of the URLs that need no name.
pub(crate) const ADDRESS: &str = "127.0.0.1";
const CA: IsCa = IsCa::Ca(BasicConstraints::Unconstrained);

pub(crate) fn fingerprint(identity: &Identity) -> String {
    let digest = digest::digest(&digest::SHA256, &identity.certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A client for the server at `url`, trusting what the table `tls` says, which is left out where it is empty.
pub(crate) fn client(url: &str, tls: &str, listener: Listener) -> Client {
    client_on(Clock::system(), url, tls, listener)
}

/// The same on `clock`.
fn client_on(clock: Clock, url: &str, tls: &str, listener: Listener) -> Client {
    let tls = if tls.is_empty() { String::new() } else { format!(", tls: {tls}") };
    let text = format!("appliances: [{{name: esa1, url: '{url}', username: monitor, password: ironport{tls}}}]");
    let config = Config::parse("tls", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Client::try_new(&config.appliances[0], &SystemRoots::default(), clock, listener, LoginFailureLog::in_memory())
        .expect("a client")
}

/// Asks the server at `port` for a report, trusting what the table `tls` says.
pub(crate) async fn ask(port: u16, host: &str, tls: &str) -> Result<(), Failure> {
    fetch(&client(&format!("https://{host}:{port}"), tls, Listener::new(|_| {}))).await
}

pub(crate) async fn fetch(client: &Client) -> Result<(), Failure> {
    let window = Grid::HOURS.containing(client.now() - std::time::Duration::from_secs(3600));
    let group = catalogue::group("mail_system_capacity").expect("in the catalogue").clone().into();
    client.fetch(&Query { scope: Scope::Appliance, group, top: None, search: None, window }).await.map(|_| ())
}

/// What becomes of the question when the appliance shows `identity` under TLS 1.2 and under 1.3, which must agree.
pub(crate) async fn show(identity: &Identity, host: &str, tls: &str) -> Result<(), String> {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let mut outcomes = Vec::new();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = server(identity, default_provider(), &[version]);
        let proxy = Proxy::terminate(config, appliance.address()).await;
        let outcome = ask(proxy.port, host, tls).await;
        outcomes.push(outcome.map_err(|failure| {
            assert_eq!(failure.reason, Reason::Tls, "{failure}");
            failure.in_full()
        }));
    }
    assert_eq!(outcomes[0], outcomes[1], "TLS 1.2 and 1.3");
    let asked = !appliance.requests().is_empty();
    assert_eq!(asked, outcomes[0].is_ok(), "nothing is said to whom is not believed");
    outcomes.remove(0)
}

pub(crate) fn file(folder: &Folder, pem: &str) -> String {
    format!("{{ca_file: '{}'}}", folder.write("ca.pem", pem))
}

/// Holds the whole message: what is wrong, its own way out, and the fingerprint of what was shown, which is `{pin}` in
/// `why` with its key.
pub(crate) fn assert_refused(outcome: Result<(), String>, why: &str, identity: &Identity) {
    let pin = format!("`tls.fingerprint_sha256: {}`", fingerprint(identity));
    assert_eq!(outcome.expect_err("refused"), format!("the certificate {}", why.replace("{pin}", &pin)));
}

/// What is said of one that nobody but the appliance has signed.
pub(crate) const SELF_SIGNED: &str = "is self-signed: if it is the appliance's own, set `tls.ca_file`, or {pin}";
const OTHER_SELF_SIGNED: &str =
    "is self-signed and not in `tls.ca_file`: if it is the appliance's own, set `tls.ca_file`, or {pin}";

#[tokio::test]
async fn a_self_signed_certificate_is_refused_and_the_remedy_named() {
    for is_ca in [IsCa::NoCa, CA] {
        let own = Identity::self_signed(ADDRESS, is_ca);
        assert_refused(show(&own, ADDRESS, "{}").await, SELF_SIGNED, &own);
    }
}

#[tokio::test]
async fn the_remedy_for_a_self_signed_certificate_works() {
    let own = Identity::self_signed(ADDRESS, CA);
    let said = show(&own, ADDRESS, "{}").await.expect_err("refused");
    let (_, rest) = said.split_once("`tls.").expect("a key");
    let (_, rest) = rest.split_once("`tls.").expect("a second key");
    let (advice, _) = rest.split_once('`').expect("its end");
    assert_eq!(show(&own, ADDRESS, &format!("{{{advice}}}")).await, Ok(()), "{advice}");
}

#[tokio::test]
async fn a_certificate_in_the_ca_file_is_trusted_whatever_its_contents() {
    let folder = Folder::new();
    for (name, is_ca) in [(ADDRESS, IsCa::NoCa), (ADDRESS, CA), ("esa1.example.com", CA)] {
        let own = Identity::self_signed(name, is_ca);
        assert_eq!(show(&own, ADDRESS, &file(&folder, &own.pem)).await, Ok(()), "{name}");
    }
    let expired = Authority::new().issue_expired(ADDRESS);
    assert_eq!(show(&expired, ADDRESS, &file(&folder, &expired.pem)).await, Ok(()));
}

#[tokio::test]
async fn a_file_of_several_certificates_counts_whole() {
    let folder = Folder::new();
    let (other, own) = (Identity::self_signed("other", CA), Identity::self_signed(ADDRESS, CA));
    let both = format!("{}{}", other.pem, own.pem);
    assert_eq!(show(&own, ADDRESS, &file(&folder, &both)).await, Ok(()));
    let outcome = show(&own, ADDRESS, &file(&folder, &other.pem)).await;
    assert_refused(outcome, OTHER_SELF_SIGNED, &own);
}

#[tokio::test]
async fn a_certificate_of_the_ca_in_the_file_is_trusted_for_its_name() {
    let folder = Folder::new();
    let authority = Authority::new();
    let tls = file(&folder, &authority.pem);
    assert_eq!(show(&authority.issue(ADDRESS), ADDRESS, &tls).await, Ok(()));
    let other = authority.issue("esa1.example.com");
    let expected = "is valid for `esa1.example.com` and not for `127.0.0.1`: if it is the right appliance, set \
                    `tls.server_name: esa1.example.com`, or {pin}";
    assert_refused(show(&other, ADDRESS, &tls).await, expected, &other);
    let named = tls.replace('}', ", server_name: esa1.example.com}");
    assert_eq!(show(&other, ADDRESS, &named).await, Ok(()));
    let misnamed = tls.replace('}', ", server_name: esa2.example.com}");
    let expected = expected.replace("127.0.0.1", "esa2.example.com");
    assert_refused(show(&other, ADDRESS, &misnamed).await, &expected, &other);
}

#[tokio::test]
async fn an_expired_certificate_of_the_ca_is_refused() {
    let folder = Folder::new();
    let authority = Authority::new();
    let expired = authority.issue_expired(ADDRESS);
    let expected = "has expired (2020-01-01T00:00:00.000Z): renew it on the appliance with the CLI command \
                    `certconfig`, or accept it with {pin}";
    assert_refused(show(&expired, ADDRESS, &file(&folder, &authority.pem)).await, expected, &expired);
}

#[tokio::test]
async fn a_different_ca_of_the_same_name_is_not_trusted() {
    let folder = Folder::new();
    let impostor = Authority::new().issue(ADDRESS);
    let outcome = show(&impostor, ADDRESS, &file(&folder, &Authority::new().pem)).await;
    let expected = "names `ca.example.com` as its issuer, but the trusted certificate of that name did not sign it: if \
                    there is a new one, set `tls.ca_file` to the certificate of that CA, or {pin}";
    assert_refused(outcome, expected, &impostor);
}

#[tokio::test]
async fn a_fingerprint_trusts_one_certificate_and_no_other() {
    let own = Identity::self_signed("esa1.example.com", CA);
    let pin = fingerprint(&own);
    let pairs: Vec<_> = pin.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
    for spelled in [pin.clone(), pairs.join(":")] {
        assert_eq!(show(&own, ADDRESS, &format!("{{fingerprint_sha256: '{spelled}'}}")).await, Ok(()), "{spelled}");
    }
    let renewed = Identity::self_signed("esa1.example.com", CA);
    let outcome = show(&renewed, ADDRESS, &format!("{{fingerprint_sha256: '{pin}'}}")).await;
    let expected = "does not match `tls.fingerprint_sha256`: if the certificate was replaced on purpose, set {pin}";
    assert_refused(outcome, expected, &renewed);
}

#[tokio::test]
async fn disabled_verification_accepts_any_certificate() {
    let expired = Authority::new().issue_expired("esa1.example.com");
    assert_eq!(show(&expired, ADDRESS, "{insecure_skip_verify: true}").await, Ok(()));
}

#[tokio::test]
async fn disabled_verification_is_logged_at_every_start_and_reload_and_shown() {
    let folder = Folder::new();
    let text = |skip: &str| {
        let element = |name: &str, tls: &str| {
            format!("  - {{name: {name}, url: 'https://{ADDRESS}:1', username: monitor, password_env: PATH{tls}}}\n")
        };
        format!("{DEFAULTS}{}{}", element("careless", skip), element("careful", ""))
    };
    let off = text(", tls: {insecure_skip_verify: true}");
    let file = folder.write("config.yaml", &off);
    let shown = |page: &Page| {
        ["careless", "careful"].map(|name| page.value("asyncos_tls_verification_disabled", &[("appliance", name)]))
    };
    for _ in 0..2 {
        let mut program = Program::serve(&file, &[]);
        let address = program.address().await;
        assert_eq!(shown(&rig::page(address).await), [Some(1.0), None]);
        program.signal("HUP");
        program.logs("configuration reloaded").await;
        assert_eq!(shown(&rig::page(address).await), [Some(1.0), None]);
        folder.write("config.yaml", text(""));
        program.signal("HUP");
        rig::until(address, "verification is on", |page| shown(page) == [None, None]).await;
        folder.write("config.yaml", &off);
        let ended = program.stop().await;
        let warning = "tls.insecure_skip_verify: the certificate is not verified: an attacker on the network can read \
        the password";
        assert_eq!(ended.stderr.matches(warning).count(), 2, "at the start and at the first reload: {}", ended.stderr);
    }
}

#[tokio::test]
async fn a_host_name_is_checked_like_an_address() {
    let folder = Folder::new();
    let authority = Authority::new();
    let tls = file(&folder, &authority.pem);
    assert_eq!(show(&authority.issue("localhost"), "localhost", &tls).await, Ok(()));
    let other = authority.issue(ADDRESS);
    let expected = "is valid for `127.0.0.1` and not for `localhost`: if it is the right appliance, set \
                    `tls.server_name: 127.0.0.1`, or {pin}";
    assert_refused(show(&other, "localhost", &tls).await, expected, &other);
}

async fn refusal(proxy: &Proxy) -> String {
    let failure = ask(proxy.port, ADDRESS, "{insecure_skip_verify: true}").await.expect_err("no TLS");
    assert_eq!(failure.reason, Reason::Tls, "{failure}");
    failure.in_full()
}

#[tokio::test]
async fn an_error_about_ciphers_names_the_remedy() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    // The key is one for ECDSA and the ciphers are for RSA: nothing is left to agree on.
    let mut provider = default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
    let own = Identity::self_signed(ADDRESS, CA);
    let config = server(&own, provider, &[&rustls::version::TLS12]);
    let said = refusal(&Proxy::terminate(config, appliance.address()).await).await;
    assert!(
        said.starts_with("the appliance and the exporter have no cipher in common") && said.contains("`sslconfig`"),
        "{said}"
    );
}

#[tokio::test]
async fn an_error_about_an_old_protocol_names_the_remedy() {
    // A fatal alert `protocol_version` (70), as OpenSSL sends it where TLS 1.0 is the newest it may speak.
    let said = refusal(&Proxy::reply(b"\x15\x03\x01\x00\x02\x02\x46").await).await;
    assert!(said.contains("TLS 1.2") && said.contains("`sslconfig`"), "{said}");
}

#[tokio::test]
async fn a_port_without_tls_is_reported_as_such() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let failure = ask(appliance.address().port(), ADDRESS, "{}").await.expect_err("no TLS");
    assert_eq!(failure.reason, Reason::Tls, "{failure}");
    assert!(appliance.requests().is_empty(), "no login in the clear");
}

#[tokio::test]
async fn both_versions_together_work() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let folder = Folder::new();
    let own = Identity::self_signed(ADDRESS, CA);
    let proxy = Proxy::terminate(usual(&own), appliance.address()).await;
    assert_eq!(ask(proxy.port, ADDRESS, &file(&folder, &own.pem)).await.map_err(|failure| failure.reason), Ok(()));
}

/// A client whose traffic is counted.
struct Watched {
    client: Client,
    telemetry: Telemetry,
}

impl Watched {
    fn new(url: &str, tls: &str) -> Self {
        Self::on(Clock::system(), url, tls)
    }

    fn on(clock: Clock, url: &str, tls: &str) -> Self {
        let telemetry = Telemetry::try_new().expect("distinct names");
        let (metrics, listener) = telemetry.appliance("esa1").expect("distinct names");
        telemetry.show(metrics);
        Self { client: client_on(clock, url, tls, listener), telemetry }
    }

    /// When the certificate ends, in seconds since 1970 as the page shows it.
    fn expiry(&self) -> Option<String> {
        let families = self.telemetry.shown().iter().flat_map(|metrics| metrics.gather()).collect::<Vec<_>>();
        let expiry = families.iter().find(|family| family.name == "asyncos_tls_certificate_expiry_timestamp_seconds");
        expiry.map(|family| family.lines[0].value.to_string())
    }
}

#[tokio::test]
async fn the_expiry_of_a_certificate_is_exported_whether_it_is_trusted_or_not() {
    let folder = Folder::new();
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let authority = Authority::new();
    let (file, off) = (file(&folder, &authority.pem), "{insecure_skip_verify: true}".to_owned());
    for (tls, year, believed, end) in [
        (&file, 2049, true, "2493072000"),
        (&file, 2050, true, "2524608000"),
        (&file, 2020, false, "1577836800"),
        (&"{}".to_owned(), 2049, false, "2493072000"),
        (&off, 2020, true, "1577836800"),
    ] {
        let identity = authority.issue_until(ADDRESS, year);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let proxy = Proxy::terminate(server(&identity, default_provider(), &[version]), appliance.address()).await;
            let watched = Watched::new(&format!("https://{ADDRESS}:{}", proxy.port), tls);
            assert_eq!(watched.expiry(), None, "before the first handshake");
            assert_eq!(fetch(&watched.client).await.is_ok(), believed, "{tls} {year} {version:?}");
            assert_eq!(watched.expiry().as_deref(), Some(end), "{tls} {year} {version:?}");
            watched.telemetry.remove("esa1");
            assert_eq!(watched.expiry(), None, "after the appliance is gone");
        }
    }
}

#[tokio::test]
async fn another_certificate_is_exported_within_the_hour_despite_resumed_sessions() {
    // An hour takes a second.
    let clock = rig::lapse(3600);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let authority = Authority::new();
    let shown = Shown::new(&authority.issue_until(ADDRESS, 2049));
    let proxy = Proxy::terminate(shown.server(), appliance.address()).await;
    let url = format!("https://{ADDRESS}:{}", proxy.port);
    let watched = Watched::on(clock, &url, "{insecure_skip_verify: true}");
    assert_eq!(fetch(&watched.client).await.map_err(|failure| failure.reason), Ok(()));
    assert_eq!(watched.expiry().as_deref(), Some("2493072000"));
    shown.replace(&authority.issue_expired(ADDRESS));
    while watched.expiry().as_deref() != Some("1577836800") {
        assert_eq!(fetch(&watched.client).await.map_err(|failure| failure.reason), Ok(()));
    }
}

#[tokio::test]
async fn no_certificate_metric_is_exported_without_tls() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let watched = Watched::new(&appliance.url(), "");
    assert_eq!(fetch(&watched.client).await.map_err(|failure| failure.reason), Ok(()));
    assert_eq!(watched.expiry(), None);
}
