//! The key `legacy`: what a build without the feature says of it, and what OpenSSL is not trusted to keep.

use asyncos_exporter::config::Config;

fn problems(tls: &str) -> String {
    let text = format!("appliances: [{{name: a, url: 'https://a', username: u, password_env: PATH, tls: {{{tls}}}}}]");
    Config::parse("c", &text).map_or_else(|error| error.to_string(), |_| String::new())
}

#[cfg(not(feature = "legacy-tls"))]
#[test]
fn a_build_without_the_feature_names_it() {
    let expected = "c:1: appliances[0].tls.legacy: this program was built without the cargo feature `legacy-tls`: build \
                    it with `cargo build --release --features legacy-tls`";
    assert_eq!(problems("legacy: true"), expected);
    assert_eq!(problems("legacy: false"), "");
}

#[cfg(feature = "legacy-tls")]
#[test]
fn settings_that_openssl_does_not_support_are_refused() {
    let pin = format!("legacy: true, fingerprint_sha256: '{}'", "00".repeat(32));
    let rsa = "tests/certificates/client_rsa";
    for (tls, expected) in [
        ("legacy: true", ""),
        ("legacy: true, insecure_skip_verify: true", ""),
        ("legacy: true, ca_file: tests/certificates/client_rsa.pem", ""),
        (&pin, "does not support `fingerprint_sha256`: use the certificate itself as `ca_file`"),
        ("legacy: true, server_name: b", "does not support `server_name`: use the name in the certificate in the URL"),
        ("legacy: true, min_version: TLS13", "does not support `min_version`: remove `min_version`, or `legacy`"),
        (
            &format!("legacy: true, cert_file: {rsa}.pem, key_file: {rsa}.key"),
            "does not support client certificates: remove `cert_file` and `key_file`, or `legacy`",
        ),
    ] {
        let place = if expected.is_empty() { "" } else { "c:1: appliances[0].tls.legacy: " };
        assert_eq!(problems(tls), format!("{place}{expected}"), "{tls}");
    }
}
