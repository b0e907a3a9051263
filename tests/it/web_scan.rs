//! The web side's TLS as those see it who sign it off: OpenSSL's client and nmap's list of what a server accepts.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use crate::program::Program;
use crate::web::{Site, TLS};

/// Every cipher that OpenSSL has, those without encryption and those it holds too weak included.
const ANYTHING: &str = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

/// How OpenSSL's client ends, and what it says.
fn openssl(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new("openssl").arg("s_client").args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("openssl is installed: tests/run does that");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

async fn serve(site: &Site, web: &str) -> (Program, SocketAddr) {
    let mut program = site.serve(web, &[]);
    let address = program.address().await;
    (program, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_gets_in_by_tls_1_2_and_1_3_only_and_with_good_ciphers_only() {
    let site = Site::new();
    let authority = site.folder.write("authority.pem", &site.authority.pem);
    let (program, address) = serve(&site, TLS).await;
    let address = address.to_string();
    let connect = |rest: &[&str]| {
        openssl(&[&["-connect", &address, "-CAfile", &authority, "-verify_return_error"], rest].concat())
    };
    for (version, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let (code, said) = connect(&[version, "-cipher", ANYTHING]);
        assert!(code == Some(0) && said.contains(&format!("New, {name}, Cipher is ")), "{version}: {said}");
        assert!(said.contains("Verify return code: 0 (ok)") || said.contains("Verification: OK"), "{said}");
    }
    for version in ["-tls1", "-tls1_1"] {
        let (code, said) = connect(&[version, "-cipher", ANYTHING]);
        assert!(code == Some(1) && said.contains(":SSL alert number "), "{version}: {said}");
        assert!(said.contains("Cipher is (NONE)"), "{version}: {said}");
    }
    for ciphers in ["kRSA", "AES:!AESGCM:!AESCCM", "kDHE", "3DES", "eNULL", "aNULL", "AESCCM", "aRSA"] {
        let (code, said) = connect(&["-tls1_2", "-cipher", &format!("{ciphers}:@SECLEVEL=0")]);
        let is_refused = said.contains(":SSL alert number 40") || said.contains("no cipher match");
        assert!(code == Some(1) && is_refused, "{ciphers}: {said}");
    }
    program.stop().await;
}

/// The client's certificate as `openssl` sends it; HTTP is asked for, since TLS 1.3 refuses only after the handshake.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_needs_the_certificate_that_is_asked_for() {
    let site = Site::new();
    let own = site.authority.issue("prometheus.example.com");
    let stranger = crate::tls_proxy::Authority::new().issue("prometheus.example.com");
    site.folder.write("clients.pem", &site.authority.pem);
    let file = |name: &str, text: &str| site.folder.write(name, text);
    let own = (file("own.pem", &own.pem), file("own.key", &own.key_pem));
    let stranger = (file("stranger.pem", &stranger.pem), file("stranger.key", &stranger.key_pem));
    let asked = ", client_ca_file: clients.pem, client_auth_type: RequireAndVerifyClientCert}";
    let (program, address) = serve(&site, &TLS.replace('}', asked)).await;
    let address = address.to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        let ask = |identity: Option<&(String, String)>| {
            let shown = identity.map_or(String::new(), |(pem, key)| format!("-cert '{pem}' -key '{key}'"));
            let script = format!(
                "printf 'GET /-/healthy HTTP/1.1\\r\\nHost: us\\r\\nConnection: close\\r\\n\\r\\n' | \
                 openssl s_client -connect {address} {version} -quiet {shown} 2>&1"
            );
            let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let said = ask(Some(&own));
        assert!(said.contains("HTTP/1.1 200 OK") && said.contains("healthy"), "{version}: {said}");
        for identity in [None, Some(&stranger)] {
            let said = ask(identity);
            assert!(!said.contains("HTTP/1.1") && said.contains(":SSL alert number "), "{version}: {said}");
        }
    }
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nmap_grades_every_cipher_with_an_a() {
    let site = Site::new();
    let (program, address) = serve(&site, TLS).await;
    let output = Command::new("nmap")
        .args(["-Pn", "-n", "--script", "ssl-enum-ciphers", "-p", &address.port().to_string(), "127.0.0.1"])
        .stdin(Stdio::null())
        .output()
        .expect("nmap is installed: tests/run does that");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // Lines such as `|       TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (secp256r1) - A`.
    let graded: Vec<_> = said.lines().filter(|line| line.contains(" TLS_")).collect();
    assert!(graded.len() == 6 && graded.iter().all(|line| line.ends_with(" - A")), "{said}");
    assert!(said.contains("least strength: A") && !said.contains("warnings:"), "{said}");
    let versions: Vec<_> = ["SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
        .into_iter()
        .filter(|version| said.contains(&format!("{version}:")))
        .collect();
    assert_eq!(versions, ["TLSv1.2", "TLSv1.3"], "{said}");
    program.stop().await;
}
