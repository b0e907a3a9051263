//! Certificates and handshakes that fail: each with words of its own, and its own way out.

use asyncos_exporter::api::Reason;
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim;
use rcgen::{BasicConstraints, IsCa};
use rustls::crypto::ring::default_provider;
use rustls::version::{TLS12, TLS13};

use crate::program::Folder;
use crate::rig::simulate;
use crate::tls::{ADDRESS, SELF_SIGNED, ask, assert_refused, file, fingerprint, show};
use crate::tls_proxy::{Authority, Identity, Proxy, demanding, server};

const CERTIFICATES: &str = "tests/certificates";

#[tokio::test]
async fn an_authority_that_is_not_trusted_is_named() {
    let folder = Folder::new();
    let stranger = Authority::new().issue(ADDRESS);
    let mut other = Identity::self_signed("root.example.com", IsCa::Ca(BasicConstraints::Unconstrained));
    other.pem = file(&folder, &other.pem);
    let expected = "was issued by `ca.example.com`, which is not trusted: if this issuer is correct, set `tls.ca_file` \
    to the certificate of that CA, or {pin}";
    assert_refused(show(&stranger, ADDRESS, &other.pem).await, expected, &stranger);
}

#[tokio::test]
async fn a_certificate_that_is_not_yet_valid_is_reported_with_its_date() {
    let folder = Folder::new();
    let authority = Authority::new();
    let early = authority.issue_from(ADDRESS, 2090);
    let expected = "is not valid yet (2090-01-01T00:00:00.000Z): correct the clock of the appliance or of this \
    machine, or accept it with {pin}";
    assert_refused(show(&early, ADDRESS, &file(&folder, &authority.pem)).await, expected, &early);
}

#[tokio::test]
async fn a_common_name_alone_does_not_match_the_host() {
    let folder = Folder::new();
    let authority = Authority::new();
    let unnamed = authority.issue_without_names("esa1.example.com");
    let expected = "names no host among its alternative names, which alone count, and should name `127.0.0.1`: create \
    a new certificate on the appliance with the CLI command `certconfig`, or accept it with {pin}";
    assert_refused(show(&unnamed, ADDRESS, &file(&folder, &authority.pem)).await, expected, &unnamed);
    let pin = format!("{{fingerprint_sha256: '{}'}}", fingerprint(&unnamed));
    assert_eq!(show(&unnamed, ADDRESS, &pin).await, Ok(()), "the way out works");
}

#[tokio::test]
async fn a_self_signed_certificate_is_reported_before_other_faults() {
    let own = Identity::self_signed("esa1.example.com", IsCa::NoCa);
    assert_refused(show(&own, ADDRESS, "{}").await, SELF_SIGNED, &own);
}

#[tokio::test]
async fn a_sha1_signature_is_reported_as_such() {
    let old = Identity::of_file(&format!("{CERTIFICATES}/sha1.pem"));
    let tls = format!("{{ca_file: {CERTIFICATES}/sha1_authority.pem}}");
    let expected = "is signed with SHA-1, which is no longer secure: create a new certificate on the appliance with \
    the CLI command `certconfig`, or accept it with {pin}";
    assert_refused(show(&old, ADDRESS, &tls).await, expected, &old);
}

#[tokio::test]
async fn a_key_that_rustls_cannot_verify_is_reported_even_when_pinned() {
    for (name, what) in [
        ("version1.pem", "is an X.509 version 1 certificate, which rustls does not support, even if pinned"),
        ("rsa1024.pem", "has an RSA key of 1024 bits; rustls requires at least 2048, even if pinned"),
    ] {
        let name = format!("{CERTIFICATES}/{name}");
        let old = Identity::of_file(&name);
        let pin = fingerprint(&old);
        let expected = format!(
            "the certificate {what}: create a new certificate on the appliance with the CLI command `certconfig` (the \
            SHA-256 of this one is {pin})"
        );
        for tls in ["{}".to_owned(), format!("{{ca_file: {name}}}"), format!("{{fingerprint_sha256: '{pin}'}}")] {
            assert_eq!(show(&old, ADDRESS, &tls).await, Err(expected.clone()), "{tls}");
        }
        assert_eq!(show(&old, ADDRESS, "{insecure_skip_verify: true}").await, Ok(()), "{name}");
    }
}

/// What is said of an appliance that wants client certificates of `authority`, by the version of TLS.
async fn demanded(authority: &Authority, tls: &str) -> [Result<(), String>; 2] {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    let pin = format!("{{fingerprint_sha256: '{}'{tls}}}", fingerprint(&own));
    let mut outcomes = Vec::new();
    for version in [&TLS12, &TLS13] {
        let proxy = Proxy::terminate(demanding(&own, authority, version), appliance.address()).await;
        outcomes.push(ask(proxy.port, ADDRESS, &pin).await.map_err(|failure| {
            assert_eq!(failure.reason, Reason::Tls, "{failure}");
            failure.in_full()
        }));
    }
    outcomes.try_into().expect("two versions")
}

#[tokio::test]
async fn an_appliance_that_wants_a_client_certificate_says_so() {
    let folder = Folder::new();
    let authority = Authority::new();
    let wanted = "set `tls.cert_file` and `tls.key_file`";
    let [old, new] = demanded(&authority, "").await;
    // rustls' servers say it in the same way in both versions; OpenSSL's say `HandshakeFailure` under TLS 1.2.
    let expected = format!("the appliance requires a client certificate (CertificateRequired): {wanted}");
    assert_eq!([old, new], [Err(expected.clone()), Err(expected)]);
    let shown = |identity: &Identity| {
        let (certificate, key) =
            (folder.write("c.pem", &identity.pem), folder.write_secret("c.key", &identity.key_pem));
        format!(", cert_file: '{certificate}', key_file: '{key}'")
    };
    let stranger = Authority::new().issue("exporter.example.com");
    for outcome in demanded(&authority, &shown(&stranger)).await {
        let said = outcome.expect_err("refused");
        let begins = said.starts_with("the appliance rejected the certificate in `tls.cert_file` (");
        assert!(begins && said.ends_with("): use one issued by a CA that the appliance trusts"), "{said}");
    }
    let own = authority.issue("exporter.example.com");
    assert_eq!(demanded(&authority, &shown(&own)).await, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn the_minimum_version_is_enforced_and_reported() {
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    for (version, least, expected) in [
        (&TLS12, "TLS12", Ok(())),
        (&TLS13, "TLS12", Ok(())),
        (&TLS13, "TLS13", Ok(())),
        (
            &TLS12,
            "TLS13",
            Err("the appliance does not support TLS 1.3: set `tls.min_version` to TLS12, or enable TLS 1.3 with the \
                CLI command `sslconfig`"
                .to_owned()),
        ),
    ] {
        let proxy = Proxy::terminate(server(&own, default_provider(), &[version]), appliance.address()).await;
        let tls = format!("{{insecure_skip_verify: true, min_version: {least}}}");
        let outcome = ask(proxy.port, ADDRESS, &tls).await.map_err(|failure| failure.in_full());
        assert_eq!(outcome, expected, "{version:?} {least}");
    }
}

#[tokio::test]
async fn an_appliance_that_hangs_up_after_asking_for_a_certificate_is_suspected_to_want_one() {
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    let proxy = Proxy::cut_off(demanding(&own, &Authority::new(), &TLS12)).await;
    let said = ask(proxy.port, ADDRESS, "{insecure_skip_verify: true}").await.expect_err("no TLS").in_full();
    let wanted = "; the appliance requested a client certificate: set `tls.cert_file` and `tls.key_file`";
    assert!(said.ends_with(wanted), "{said}");
    let said = ask(Proxy::reply(b"").await.port, ADDRESS, "{}").await.expect_err("no TLS").in_full();
    assert!(!said.contains("client certificate"), "nobody has asked: {said}");
}

#[tokio::test]
async fn a_port_without_tls_is_reported_with_the_remedy() {
    let said = ask(Proxy::reply(b"HTTP/1.0 400 Bad Request\r\n\r\n").await.port, ADDRESS, "{}").await;
    let expected =
        "the server on this port does not speak TLS: check that this is the HTTPS port of the API (default 6443)";
    assert_eq!(said.expect_err("no TLS").in_full(), expected);
}
