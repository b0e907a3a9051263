//! Appliances with ciphers, versions and certificates of the last decade, played by `openssl s_server`: what a build with
//! rustls alone says of them, and that OpenSSL reaches them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use asyncos_exporter::api::{Client, Failure, Listener, LoginFailureLog, Query, Reason, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::{Config, Scope};

use crate::program::Folder;

/// Ciphers of TLS 1.2 that rustls does not speak.
const OLD_CIPHERS: [(&str, &str); 3] = [
    ("RSA key exchange", "AES128-GCM-SHA256"),
    ("CBC only", "ECDHE-RSA-AES128-SHA256"),
    ("DHE only", "DHE-RSA-AES128-GCM-SHA256"),
];
const CIPHERS: &str = "the appliance and the exporter have no cipher in common (rustls supports ECDHE with AES-GCM or \
ChaCha20 only): add such ciphers to its HTTPS cipher list with the CLI command `sslconfig`; if that is not \
                       possible, ";
#[cfg(not(feature = "legacy-tls"))]
const LAST_RESORT: &str = "build this program with the cargo feature `legacy-tls` and set `tls.legacy: true`";
#[cfg(feature = "legacy-tls")]
const LAST_RESORT: &str = "set `tls.legacy: true`";

/// A server that answers every GET with a page; killed when dropped.
struct Server {
    child: Child,
    port: u16,
    folder: Folder,
}

impl Server {
    /// With a certificate for 127.0.0.1, made by `openssl req` with `make`, that is shown as `serve` says.
    fn start(make: &[&str], serve: &[&str]) -> Self {
        let folder = Folder::new();
        let (certificate, key) = (folder.path("c.pem"), folder.path("c.key"));
        let files = ["-keyout", &key, "-out", &certificate];
        let usual = ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=esa1.example.com"];
        openssl(&[&usual[..], &files, make].concat());
        Self::show(folder, serve)
    }

    fn show(folder: Folder, serve: &[&str]) -> Self {
        let (certificate, key) = (folder.path("c.pem"), folder.path("c.key"));
        let usual = ["s_server", "-www", "-accept", "127.0.0.1:0", "-cert", &certificate, "-key", &key];
        let mut child = Command::new("openssl")
            .args([&usual[..], serve].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let line = stdout.lines().map_while(Result::ok).find(|line| line.starts_with("ACCEPT "));
        let port = line.and_then(|line| line.rsplit(':').next()?.parse().ok()).expect("it listens");
        Self { child, port, folder }
    }

    fn of_rsa(serve: &[&str]) -> Self {
        Self::start(&["-newkey", "rsa:2048", "-addext", "subjectAltName=IP:127.0.0.1"], serve)
    }

    fn certificate(&self) -> String {
        self.folder.path("c.pem")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn openssl(arguments: &[&str]) {
    let done = Command::new("openssl").args(arguments).output().expect("openssl");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// What comes of a question to the server: with Basic, since it answers a GET with its page and no POST.
async fn asked(server: &Server, host: &str, tls: &str, listener: Listener) -> Failure {
    let url = format!("https://{host}:{}", server.port);
    let text = format!(
        "appliances: [{{name: a, url: '{url}', auth: basic, username: u, password: p, tls: {tls}, polling: {{timeout: 10s}}}}]"
    );
    let config = Config::parse("c", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let (clock, roots) = (Clock::system(), SystemRoots::default());
    let client = Client::try_new(&config.appliances[0], &roots, clock, listener, LoginFailureLog::in_memory());
    let client = client.expect("a client");
    let window = Grid::HOURS.containing(client.now() - std::time::Duration::from_secs(3600));
    let group = catalogue::group("mail_system_capacity").expect("in the catalogue").clone().into();
    let query = Query { scope: Scope::Appliance, group, top: None, search: None, window };
    client.fetch(&query).await.expect_err("its page is no report")
}

async fn said(server: &Server, tls: &str) -> String {
    let failure = asked(server, "127.0.0.1", tls, Listener::new(|_| {})).await;
    assert_eq!(failure.reason, Reason::Tls, "{failure}");
    failure.in_full()
}

#[tokio::test]
async fn errors_about_old_ciphers_name_both_remedies() {
    for (what, cipher) in OLD_CIPHERS {
        let server = Server::of_rsa(&["-tls1_2", "-cipher", cipher]);
        let told = said(&server, &format!("{{ca_file: '{}'}}", server.certificate())).await;
        assert_eq!(told, format!("{CIPHERS}{LAST_RESORT}"), "{what}");
    }
}

#[tokio::test]
async fn errors_about_old_versions_name_the_remedy() {
    let server = Server::of_rsa(&["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"]);
    let expected = "the appliance supports neither TLS 1.2 nor 1.3: enable TLS 1.2 with the CLI command `sslconfig`";
    assert_eq!(said(&server, "{insecure_skip_verify: true}").await, expected);
}

#[tokio::test]
async fn a_required_client_certificate_is_reported_in_both_versions() {
    let authority = "tests/certificates/sha1_authority.pem";
    for (version, alert) in [("-tls1_2", "HandshakeFailure"), ("-tls1_3", "CertificateRequired")] {
        let server = Server::of_rsa(&[version, "-Verify", "1", "-verify_return_error", "-CAfile", authority]);
        let expected =
            format!("the appliance requires a client certificate ({alert}): set `tls.cert_file` and `tls.key_file`");
        assert_eq!(said(&server, &format!("{{ca_file: '{}'}}", server.certificate())).await, expected);
    }
}

#[tokio::test]
async fn short_keys_and_x509_version_1_are_reported_even_when_pinned() {
    let weak = ["-cipher", "DEFAULT@SECLEVEL=0"];
    let short = Server::start(&["-newkey", "rsa:1024"], &weak);
    let folder = Folder::new();
    let (key, request, certificate) = (folder.path("c.key"), folder.path("c.csr"), folder.path("c.pem"));
    let subject = ["-subj", "/CN=esa1.example.com", "-nodes", "-newkey", "rsa:2048"];
    openssl(&[&["req", "-keyout", &key, "-out", &request][..], &subject].concat());
    openssl(&["x509", "-req", "-in", &request, "-signkey", &key, "-days", "30", "-out", &certificate]);
    let first = Server::show(folder, &weak);
    for (server, what) in [
        (&short, "the certificate has an RSA key of 1024 bits; rustls requires at least 2048, even if pinned: "),
        (&first, "the certificate is an X.509 version 1 certificate, which rustls does not support, even if pinned: "),
    ] {
        let told = said(server, &format!("{{ca_file: '{}'}}", server.certificate())).await;
        assert!(told.starts_with(what) && told.contains("`certconfig`"), "{told}");
    }
}

#[cfg(feature = "legacy-tls")]
mod legacy {
    use std::sync::{Arc, Mutex};

    use asyncos_exporter::api::Event;

    use super::*;

    #[tokio::test]
    async fn openssl_reaches_what_rustls_does_not() {
        for (what, cipher) in OLD_CIPHERS {
            let server = Server::of_rsa(&["-tls1_2", "-cipher", cipher]);
            for trust in [format!("ca_file: '{}'", server.certificate()), "insecure_skip_verify: true".to_owned()] {
                let ends = Arc::new(Mutex::new(Vec::new()));
                let heard = Arc::clone(&ends);
                let listener = Listener::new(move |event| {
                    if let Event::CertificateExpires(end) = event {
                        heard.lock().expect("no panic").push(end.is_some());
                    }
                });
                let failure = asked(&server, "127.0.0.1", &format!("{{legacy: true, {trust}}}"), listener).await;
                // The page of the server came, which is no report.
                assert_eq!(failure.reason, Reason::NotJson, "{what}: {failure}");
                assert_eq!(*ends.lock().expect("no panic"), [true, true], "two answers, two certificates");
            }
        }
    }

    #[tokio::test]
    async fn openssl_trusts_no_more_than_configured() {
        let (server, other) = (Server::of_rsa(&["-tls1_2"]), Server::of_rsa(&["-tls1_2"]));
        for trust in [String::new(), format!(", ca_file: '{}'", other.certificate())] {
            let told = said(&server, &format!("{{legacy: true{trust}}}")).await;
            assert!(told.starts_with("OpenSSL does not accept the certificate"), "{told}");
            assert!(told.contains("self-signed") && told.contains("set `tls.ca_file`"), "{told}");
        }
        let tls = format!("{{legacy: true, ca_file: '{}'}}", server.certificate());
        let failure = asked(&server, "localhost", &tls, Listener::new(|_| {})).await;
        assert_eq!(failure.reason, Reason::Tls, "{failure}");
        assert!(failure.to_string().contains("mismatch"), "{failure}");
    }
}
