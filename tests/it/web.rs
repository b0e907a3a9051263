//! The web side behind TLS and passwords, over real sockets: who is let in and what is answered.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use crate::exposition::Page;
use crate::program::{Folder, Program};
use crate::rig::{self, PATIENCE};
use crate::tls_proxy::{Authority, Identity};

const FLEET: &str = "appliances: [{name: esa1, url: 'http://127.0.0.1:1', username: monitor, password: ironport}]\n";
pub(crate) const TLS: &str = "tls_server_config: {cert_file: web.pem, key_file: web.key}\n";
pub(crate) const SUCCESSFUL: &str = "asyncos_exporter_web_config_last_reload_successful";
pub(crate) const PASSWORD: &str = "c4n4ry-hunter2";

/// Where the program's files are, and who issued its certificate.
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) authority: Authority,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: Folder::new(), authority: Authority::new() };
        site.folder.write("c.yaml", FLEET);
        site.show(&site.authority.issue("127.0.0.1"));
        site
    }

    /// Makes `identity` the one on disk.
    pub(crate) fn show(&self, identity: &Identity) {
        self.folder.write("web.pem", &identity.pem);
        self.folder.write("web.key", &identity.key_pem);
    }

    pub(crate) fn serve(&self, web: &str, arguments: &[&str]) -> Program {
        let web = format!("--web.config.file={}", self.folder.write("web.yaml", web));
        Program::serve(&self.folder.path("c.yaml"), &[&[web.as_str()], arguments].concat())
    }

    /// What the program says and how it ends when it does not begin.
    pub(crate) async fn refused(&self, web: &str) -> String {
        let file = self.folder.write("web.yaml", web);
        let said = format!("--web.config.file={file}");
        let config = format!("--config.file={}", self.folder.path("c.yaml"));
        let checked = Program::run(&["check", &config, &said]).await;
        let served = Program::run(&[&config, &said, "--web.listen-address=127.0.0.1:0"]).await;
        assert_eq!((checked.code(), served.code()), (Some(78), Some(78)), "{checked:?} {served:?}");
        assert!(checked.stderr.ends_with(&served.stderr), "{checked:?} {served:?}");
        served.stderr.replace(&file, "web.yaml")
    }

    pub(crate) fn client(&self) -> Client {
        self.client_as(None, rustls::ALL_VERSIONS)
    }

    /// A client that believes the authority and shows `identity`; each request of it takes a connection of its own.
    fn client_as(&self, identity: Option<&Identity>, versions: &[&'static SupportedProtocolVersion]) -> Client {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).expect("PEM")).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut tls = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(vec![identity.certificate.clone()], identity.key())
                .expect("a key that fits"),
        };
        // As Prometheus does.
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .expect("a client")
    }
}

pub(crate) fn hash() -> String {
    bcrypt::hash(PASSWORD, 4).expect("a hash")
}

pub(crate) async fn is_let_in(client: &Client, url: &str) -> bool {
    client.get(url).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

pub(crate) async fn page(client: &Client, url: &str) -> Page {
    let text = client.get(url).send().await.expect("an answer").text().await.expect("a page");
    Page::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Waits until `outcome` is so: the files are looked at every few seconds.
pub(crate) async fn until(mut outcome: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !outcome().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the files are read again");
}

/// Waits until the metric says whether the newest reading succeeded.
pub(crate) async fn until_successful(client: &Client, url: &str, wanted: f64) {
    until(async || page(client, url).await.value(SUCCESSFUL, &[]) == Some(wanted)).await;
}

#[tokio::test]
async fn a_scrape_by_tls_brings_the_page() {
    let site = Site::new();
    for (web, old, new) in [
        (TLS.to_owned(), true, true),
        (TLS.replace('}', ", min_version: TLS13}"), false, true),
        (TLS.replace('}', ", max_version: TLS12}"), true, false),
    ] {
        let mut program = site.serve(&web, &[]);
        let address = program.address().await;
        let url = format!("https://{address}/metrics");
        assert_eq!(is_let_in(&site.client_as(None, &[&TLS12]), &url).await, old, "{web}");
        assert_eq!(is_let_in(&site.client_as(None, &[&TLS13]), &url).await, new, "{web}");
        assert_eq!(page(&site.client(), &url).await.value(SUCCESSFUL, &[]), Some(1.0));
        assert!(!is_let_in(&rig::client(), &url).await, "who does not know the authority");
        assert!(!is_let_in(&rig::client(), &format!("http://{address}/metrics")).await, "in clear text");
        program.stop().await;
    }
}

#[tokio::test]
async fn certificates_of_clients_are_asked_for_and_judged_as_configured() {
    let site = Site::new();
    site.folder.write("clients.pem", &site.authority.pem);
    let (known, other) = (site.authority.issue("prometheus.example.com"), site.authority.issue("other.example.com"));
    let ended = site.authority.issue_expired("prometheus.example.com");
    let stranger = Authority::new().issue("prometheus.example.com");
    let own = rcgen::IsCa::NoCa;
    let selfmade = Identity::self_signed("prometheus.example.com", own);
    let clients = [None, Some(&known), Some(&other), Some(&ended), Some(&stranger), Some(&selfmade)];
    let authorities = "client_ca_file: clients.pem, client_auth_type";
    let named = "RequireAndVerifyClientCert, client_allowed_sans: [x, prometheus.example.com]";
    for (asked, let_in) in [
        ("client_auth_type: NoClientCert".to_owned(), [true; 6]),
        ("client_auth_type: RequestClientCert".to_owned(), [true; 6]),
        ("client_auth_type: RequireAnyClientCert".to_owned(), [false, true, true, true, true, true]),
        (format!("{authorities}: VerifyClientCertIfGiven"), [true, true, true, false, false, false]),
        (format!("{authorities}: RequireAndVerifyClientCert"), [false, true, true, false, false, false]),
        (format!("{authorities}: {named}"), [false, true, false, false, false, false]),
    ] {
        let mut program = site.serve(&TLS.replace('}', &format!(", {asked}}}")), &[]);
        let url = format!("https://{}/-/healthy", program.address().await);
        for version in [&TLS12, &TLS13] {
            let mut found = Vec::new();
            for client in clients {
                found.push(is_let_in(&site.client_as(client, &[version]), &url).await);
            }
            assert_eq!(found, let_in, "{asked} {version:?}");
        }
        program.stop().await;
    }
}

#[tokio::test]
async fn a_password_is_required_and_never_logged() {
    let site = Site::new();
    let hash = hash();
    let mut program = site.serve(&format!("{TLS}basic_auth_users: {{monitor: {hash}}}\n"), &["--log.level=trace"]);
    let address = program.address().await;
    let client = site.client();
    for path in ["/metrics", "/", "/-/healthy", "/-/ready", "/-/reload", "/nothing"] {
        let url = format!("https://{address}{path}");
        for (name, password) in
            [("monitor", "wrong"), ("monitor", ""), ("nobody", PASSWORD), ("", PASSWORD), ("monitor", &hash)]
        {
            let answer = client.get(&url).basic_auth(name, Some(password)).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path} {name}");
        }
        let answer = client.get(&url).send().await.expect("an answer");
        assert_eq!(
            (answer.status(), &answer.headers()["www-authenticate"]),
            (StatusCode::UNAUTHORIZED, &"Basic".parse().expect("a header"))
        );
        assert_eq!(answer.text().await.expect("a text"), "unauthorized\n");
        let answer = client.get(&url).basic_auth("monitor", Some(PASSWORD)).send().await.expect("an answer");
        assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    // What is wrong with it later is said without it.
    site.folder.write("web.yaml", format!("{TLS}basic_auth_users: {{monitor: {PASSWORD}}}\n"));
    let url = format!("https://{address}/metrics");
    let failed = format!("{SUCCESSFUL} 0");
    until(async || {
        let answer = client.get(&url).basic_auth("monitor", Some(PASSWORD)).send().await.expect("an answer");
        answer.text().await.expect("a page").contains(&failed)
    })
    .await;
    let ended = program.stop().await;
    let pair = format!("monitor:{PASSWORD}");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &pair);
    for secret in [PASSWORD, &hash, &hash[29..], &encoded] {
        assert!(!ended.stderr.contains(secret) && !ended.stdout.contains(secret), "{ended:?}");
    }
    assert!(ended.stderr.contains("basic_auth_users.monitor: is not a bcrypt hash"), "{ended:?}");
}

#[tokio::test]
async fn users_work_without_tls_and_an_empty_file_protects_nothing() {
    let site = Site::new();
    for (web, status) in [
        (format!("basic_auth_users: {{monitor: {}}}\n", hash()), StatusCode::UNAUTHORIZED),
        (String::new(), StatusCode::OK),
        ("tls_server_config: {}\nbasic_auth_users:\n".to_owned(), StatusCode::OK),
    ] {
        let mut program = site.serve(&web, &[]);
        let address = program.address().await;
        assert_eq!(rig::get(&format!("http://{address}/metrics")).await.status(), status, "{web}");
        program.stop().await;
    }
}

#[tokio::test]
async fn every_answer_carries_the_configured_headers() {
    let site = Site::new();
    let web = format!(
        "http_server_config:\n  headers: {{Strict-Transport-Security: max-age=60, X-Frame-Options: deny, \
         Content-Security-Policy: default-src 'self', X-XSS-Protection: ''}}\n\
         basic_auth_users: {{monitor: {}}}\n",
        hash()
    );
    let mut program = site.serve(&web, &[]);
    let address = program.address().await;
    for (path, password, status) in
        [("/", PASSWORD, 200), ("/metrics", PASSWORD, 200), ("/no", PASSWORD, 404), ("/", "", 401)]
    {
        let request = rig::client().get(format!("http://{address}{path}")).basic_auth("monitor", Some(password));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), status);
        for (name, value) in [
            ("strict-transport-security", "max-age=60"),
            ("x-frame-options", "deny"),
            ("content-security-policy", "default-src 'self'"),
        ] {
            let found: Vec<_> = answer.headers().get_all(name).iter().collect();
            assert_eq!(found, [value], "{path} {name}");
        }
        assert!(!answer.headers().contains_key("x-xss-protection"));
    }
    program.stop().await;
}

#[tokio::test]
async fn a_client_that_is_silent_does_not_hold_up_the_end() {
    let site = Site::new();
    let mut program = site.serve(TLS, &[]);
    let address = program.address().await;
    let _silent = tokio::net::TcpStream::connect(address).await.expect("a connection");
    assert!(is_let_in(&site.client(), &format!("https://{address}/-/healthy")).await);
    let ended = program.stop().await;
    assert!(!ended.stderr.contains("did not finish in time"), "{ended:?}");
}
