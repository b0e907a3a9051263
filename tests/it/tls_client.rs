//! The certificate that is shown to an appliance: which files are taken, which are not and why, and that nothing shows the
//! key.

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::config::{Appliance, Config};
use asyncos_exporter::sim;
use rcgen::IsCa;
use rustls::version::{TLS12, TLS13};

use crate::program::Folder;
use crate::rig::simulate;
use crate::tls::{ADDRESS, ask, fingerprint};
use crate::tls_proxy::{Authority, Identity, Proxy, demanding};

const RSA: &str = "tests/certificates/client_rsa.pem";
const RSA_KEY: &str = "tests/certificates/client_rsa.key";

/// The appliance with the table `tls`, and the warnings about it, or all problems.
fn parsed(tls: &str) -> Result<(Appliance, Vec<String>), String> {
    let text =
        format!("appliances: [{{name: a, url: 'https://a:6443', username: u, password_env: PATH, tls: {{{tls}}}}}]");
    let config = Config::parse("c", &text).map_err(|error| error.to_string())?;
    Ok((config.appliances[0].clone(), config.warnings.iter().map(ToString::to_string).collect()))
}

/// The table for a certificate and its key.
fn pair(certificate: &str, key: &str) -> String {
    format!("cert_file: '{certificate}', key_file: '{key}'")
}

/// `der` as PEM under `label`.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// What is inside of a key in PKCS#8 form: the third element, which is SEC1 for the curve. **Source:** RFC 5958.
fn sec1(pkcs8: &[u8]) -> Vec<u8> {
    // Lengths below 128 take one byte, those above two, and no key of this curve is longer.
    let skip = |bytes: &[u8]| if bytes[1] < 0x80 { 2 } else { 3 };
    let inside = &pkcs8[skip(pkcs8)..];
    let version = 2 + usize::from(inside[1]);
    let algorithm = version + 2 + usize::from(inside[version + 1]);
    let key = &inside[algorithm..];
    let from = skip(key);
    let length = usize::from(key[from - 1]);
    key[from..from + length].to_vec()
}

#[tokio::test]
async fn keys_of_all_three_forms_are_shown() {
    let folder = Folder::new();
    let appliance = simulate(sim::Settings::esa("esa1"), &Clock::system()).await;
    let own = Identity::self_signed(ADDRESS, IsCa::NoCa);
    let authority = Authority::new();
    let ours = authority.issue("exporter.example.com");
    let certificate = folder.write("c.pem", &ours.pem);
    let keys = [ours.key_pem.clone(), pem("EC PRIVATE KEY", &sec1(ours.key().secret_der()))];
    for (position, key) in keys.iter().enumerate() {
        let key = folder.write_secret(&format!("{position}.key"), key);
        let tls = format!("{{fingerprint_sha256: '{}', {}}}", fingerprint(&own), pair(&certificate, &key));
        for version in [&TLS12, &TLS13] {
            let proxy = Proxy::terminate(demanding(&own, &authority, version), appliance.address()).await;
            let outcome = ask(proxy.port, ADDRESS, &tls).await.map_err(|failure| failure.in_full());
            assert_eq!(outcome, Ok(()), "{key} {version:?}");
        }
    }
    let key = folder.write_secret("rsa.key", std::fs::read(RSA_KEY).expect("the key"));
    let (rsa, warnings) = parsed(&pair(RSA, &key)).expect("PKCS#1");
    assert!(rsa.trust.identity.is_some() && warnings.is_empty(), "{warnings:?}");
}

#[test]
fn half_an_identity_or_a_wrong_one_is_none() {
    let folder = Folder::new();
    let ours = Authority::new().issue("exporter.example.com");
    let (certificate, key) = (folder.write("c.pem", &ours.pem), folder.write_secret("c.key", &ours.key_pem));
    let other = folder.write_secret("other.key", &Authority::new().issue("exporter.example.com").key_pem);
    let broken = folder.write_secret("broken.key", pem("PRIVATE KEY", b"not DER"));
    let encrypted = folder.write_secret("encrypted.key", pem("ENCRYPTED PRIVATE KEY", b"any"));
    let header = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n";
    let traditional = folder.write_secret("traditional.key", header);
    let needs = "holds an encrypted private key, and the exporter cannot ask for its password: decrypt it with \
                 `openssl pkey`";
    for (tls, expected) in [
        (
            format!("cert_file: '{certificate}'"),
            "cert_file: `key_file` is missing: the key of this certificate".to_owned(),
        ),
        (format!("key_file: '{key}'"), "key_file: `cert_file` is missing: the certificate of this key".to_owned()),
        (pair(&certificate, &other), "key_file: the key does not belong to the certificate".to_owned()),
        (pair(&certificate, &certificate), format!("key_file: `{certificate}` holds no private key in PEM form")),
        (pair(&key, &key), format!("cert_file: `{key}` holds no certificate in PEM form")),
        (pair(&certificate, &encrypted), format!("key_file: `{encrypted}` {needs}")),
        (pair(&certificate, &traditional), format!("key_file: `{traditional}` {needs}")),
        (
            pair(&certificate, "none.key"),
            "key_file: cannot read `none.key`: No such file or directory (os error 2)".to_owned(),
        ),
    ] {
        assert_eq!(parsed(&tls).expect_err(&tls), format!("c:1: appliances[0].tls.{expected}"));
    }
    let said = parsed(&pair(&certificate, &broken)).expect_err("no DER");
    assert!(said.starts_with(&format!("c:1: appliances[0].tls.key_file: `{broken}` cannot be used: ")), "{said}");
}

#[test]
fn old_versions_are_refused_as_on_the_web_side() {
    for version in ["TLS10", "TLS11"] {
        let expected =
            "c:1: appliances[0].tls.min_version: this client speaks TLS 1.2 and 1.3 only: give `TLS12` or `TLS13`";
        assert_eq!(parsed(&format!("min_version: {version}")).expect_err(version), expected);
    }
    let expected = "c:1: appliances[0].tls.min_version: expected one of `TLS12`, `TLS13`, found the number `1.2`";
    assert_eq!(parsed("min_version: 1.2").expect_err("a number"), expected);
}

#[test]
fn a_key_that_everybody_may_read_is_warned_about() {
    let folder = Folder::new();
    let ours = Authority::new().issue("exporter.example.com");
    let (certificate, key) = (folder.write("c.pem", &ours.pem), folder.write("c.key", &ours.key_pem));
    for (mode, said) in [(0o600, false), (0o640, false), (0o644, true)] {
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("a mode");
        let (_, warnings) = parsed(&pair(&certificate, &key)).expect("accepted");
        let expected = format!("c:1: appliances[0].tls.key_file: `{key}` is world-readable: chmod o-r `{key}`");
        assert_eq!(warnings, if said { vec![expected] } else { Vec::new() }, "{mode:o}");
    }
}

#[test]
fn another_certificate_is_another_configuration_and_nothing_shows_the_key() {
    let folder = Folder::new();
    let (first, second) =
        (Authority::new().issue("exporter.example.com"), Authority::new().issue("exporter.example.com"));
    let (certificate, key) = (folder.write("c.pem", &first.pem), folder.write_secret("c.key", &first.key_pem));
    let tls = pair(&certificate, &key);
    let (before, _) = parsed(&tls).expect("accepted");
    assert_eq!(parsed(&tls).expect("accepted").0, before, "the same files");
    folder.write("c.pem", &second.pem);
    folder.write("c.key", &second.key_pem);
    let (after, _) = parsed(&tls).expect("accepted");
    assert_ne!(after, before, "or a reload would go on with the old one");
    let shown = format!("{after:?}");
    let body: String = second.key_pem.lines().filter(|line| !line.starts_with("--")).collect();
    assert!(shown.contains("Identity(1 certificates, <secret>)") && !shown.contains(&body[..20]), "{shown}");
    // Nor as bytes, which is how a vector is shown.
    let bytes = second.key().secret_der()[30..40].iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert!(!shown.contains(&bytes), "{shown}");
}
