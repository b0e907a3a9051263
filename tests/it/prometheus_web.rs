//! A real Prometheus and its tools at the protected web side: the format of the file is theirs, so they are to accept it.

use crate::prometheus::{Prometheus, promtool, until};
use crate::readme::fenced;
use crate::web::{PASSWORD, Site, TLS, hash};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_scrapes_with_a_certificate_and_a_password() {
    let site = Site::new();
    let own = site.authority.issue("prometheus.example.com");
    let authority = site.folder.write("authority.pem", &site.authority.pem);
    let (certificate, key) = (site.folder.write("own.pem", &own.pem), site.folder.write("own.key", &own.key_pem));
    let clients = "client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: \
                   [prometheus.example.com]}";
    let web = TLS.replace('}', &format!(", {clients}")) + &format!("basic_auth_users: {{monitor: {}}}\n", hash());
    let mut program = site.serve(&web, &[]);
    let address = program.address().await;
    let prometheus = Prometheus::configured(&format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
         scrape_configs: [{{job_name: web, scheme: https, static_configs: [{{targets: ['{address}']}}], \
         tls_config: {{ca_file: '{authority}', cert_file: '{certificate}', key_file: '{key}'}}, \
         basic_auth: {{username: monitor, password: {PASSWORD}}}}}]\n"
    ))
    .await;
    until(async || prometheus.target().await).await;
    program.stop().await;
}

#[test]
fn promtool_accepts_the_example_of_the_manual() {
    let [example] = &fenced("yml")[..] else { panic!("one example") };
    let site = Site::new();
    for (ours, theirs) in [("web.pem", "exporter.pem"), ("web.key", "exporter.key")] {
        std::fs::copy(site.folder.path(ours), site.folder.path(theirs)).expect("a file");
    }
    let file = site.folder.write("web.yaml", example);
    let (code, said) = promtool(&["check", "web-config", &file], std::process::Stdio::null());
    assert_eq!(code, Some(0), "{said}");
}
