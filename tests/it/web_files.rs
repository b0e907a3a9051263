//! The files of the web side: what is refused at the start, what a change does later, and what the manual says.

use std::path::Path;
use std::time::Duration;

use asyncos_exporter::config::{WebFile, known_web_keys};
use reqwest::StatusCode;

use crate::golden;
use crate::program::Folder;
use crate::readme::fenced;
use crate::reload::IN_FORCE;
use crate::rig;
use crate::tls_proxy::Identity;
use crate::web::{PASSWORD, SUCCESSFUL, Site, TLS, hash, is_let_in, page, until, until_successful};

/// Puts files where Kubernetes does: in a folder that a link points at, which is swapped.
#[cfg(unix)]
fn publish(folder: &Folder, version: &str, identity: &Identity) {
    let path = |name: &str| folder.path(name);
    std::fs::create_dir(path(version)).expect("a folder");
    folder.write(&format!("{version}/web.pem"), &identity.pem);
    folder.write(&format!("{version}/web.key"), &identity.key_pem);
    std::os::unix::fs::symlink(version, path("swap")).expect("a link");
    std::fs::rename(path("swap"), path("data")).expect("a link");
}

#[tokio::test]
async fn a_certificate_that_is_replaced_is_shown_to_the_next_client() {
    let site = Site::new();
    publish(&site.folder, "first", &site.authority.issue("127.0.0.1"));
    let mut program = site.serve(&TLS.replace("web.pem", "data/web.pem").replace("web.key", "data/web.key"), &[]);
    let url = format!("https://{}/metrics", program.address().await);
    let next = Site::new();
    assert!(is_let_in(&site.client(), &url).await && !is_let_in(&next.client(), &url).await);
    publish(&site.folder, "second", &next.authority.issue("127.0.0.1"));
    until(async || is_let_in(&next.client(), &url).await).await;
    assert!(!is_let_in(&site.client(), &url).await);
    assert_eq!(page(&next.client(), &url).await.value(SUCCESSFUL, &[]), Some(1.0));
    program.stop().await;
}

#[tokio::test]
async fn an_invalid_file_keeps_the_previous_settings_and_is_logged_once() {
    let site = Site::new();
    let mut program = site.serve(TLS, &[]);
    let url = format!("https://{}/metrics", program.address().await);
    let client = site.client();
    assert_eq!(page(&client, &url).await.value(SUCCESSFUL, &[]), Some(1.0));
    let other = site.authority.issue("127.0.0.1");
    site.folder.write("web.key", &other.key_pem);
    until_successful(&client, &url, 0.0).await;
    // Longer than the files are left alone: the same fault is not told again.
    let looked = Duration::from_secs(3);
    tokio::time::sleep(looked).await;
    assert_eq!(page(&client, &url).await.value(SUCCESSFUL, &[]), Some(0.0));
    site.show(&other);
    until_successful(&client, &url, 1.0).await;
    site.folder.write("web.yaml", "");
    until_successful(&client, &url, 0.0).await;
    site.folder.write("web.yaml", TLS);
    until_successful(&client, &url, 1.0).await;
    let ended = program.stop().await;
    let count = |part: &str| ended.stderr.matches(part).count();
    assert_eq!(count("keeping the previous TLS settings and users"), 2, "{ended:?}");
    assert_eq!(count("tls_server_config.key_file: the key does not belong to the certificate"), 1, "{ended:?}");
    assert_eq!(
        count(
            "`tls_server_config` cannot be removed while the exporter runs: restart the \
    exporter"
        ),
        1,
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_user_who_is_removed_is_refused_on_a_connection_that_is_kept() {
    let site = Site::new();
    let users = |names: &[&str]| {
        let hash = hash();
        names.iter().fold("basic_auth_users:\n".to_owned(), |text, name| text + &format!("  {name}: {hash}\n"))
    };
    let mut program = site.serve(&users(&["stays", "goes"]), &[]);
    let url = format!("http://{}/metrics", program.address().await);
    let kept = rig::client();
    let status =
        async |name: &str| kept.get(&url).basic_auth(name, Some(PASSWORD)).send().await.expect("an answer").status();
    assert_eq!((status("stays").await, status("goes").await), (StatusCode::OK, StatusCode::OK));
    site.folder.write("web.yaml", users(&["stays"]));
    until(async || status("goes").await == StatusCode::UNAUTHORIZED).await;
    assert_eq!(status("stays").await, StatusCode::OK);
    program.stop().await;
}

#[tokio::test]
async fn a_wrong_file_is_refused_at_the_start_with_all_its_problems() {
    let site = Site::new();
    let said = site.refused("tls_server_config:\n  cert_file: none.pem\n  min_version: TLS11\ncolour: blue\n").await;
    let missing = site.folder.path("none.pem");
    assert_eq!(
        said,
        format!(
            "web.yaml:1: tls_server_config: `key_file` is missing\n\
             web.yaml:2: tls_server_config.cert_file: cannot read `{missing}`: No such file or directory (os error 2)\n\
             web.yaml:3: tls_server_config.min_version: this server speaks TLS 1.2 and 1.3 only: give `TLS12` or \
             `TLS13`\n\
             web.yaml:4: colour: unknown key; expected one of tls_server_config, http_server_config, \
             basic_auth_users, rate_limit\n"
        )
    );
    let other = site.authority.issue("127.0.0.1");
    site.folder.write("other.key", &other.key_pem);
    site.folder.write("clients.pem", "no certificate");
    for (web, expected) in [
        (TLS.replace("web.key", "other.key"), "key_file: the key does not belong to the certificate\n"),
        (TLS.replace("web.key", "web.pem"), "key_file: `web.pem` holds no private key in PEM form\n"),
        (TLS.replace("web.pem", "web.key"), "cert_file: `web.key` holds no certificate in PEM form\n"),
        (TLS.replace("web.pem", "."), "it is not a regular file\n"),
        (
            TLS.replace('}', ", client_ca_file: clients.pem, client_auth_type: RequireAndVerifyClientCert}"),
            "client_ca_file: `clients.pem` holds no certificate in PEM form\n",
        ),
        ("a: b: c\n".to_owned(), "web.yaml:1: not valid YAML: "),
    ] {
        let said = site.refused(&web).await;
        assert!(said.contains(expected) && said.lines().count() == 1, "{web}{said}");
    }
}

#[tokio::test]
async fn errors_in_both_files_are_reported_at_once() {
    let site = Site::new();
    site.folder.write("c.yaml", "appliances: []\n");
    let said = site.refused("colour: blue\n").await;
    assert!(
        said.contains("c.yaml:1: appliances: no appliance is configured") && said.contains("web.yaml:1: colour: "),
        "{said}"
    );
}

#[test]
fn the_corpus_is_refused_with_all_its_problems_or_accepted_with_its_warnings() {
    for (name, is_good) in [("bad", false), ("ok", true)] {
        let file = Path::new("tests/configs/web").join(format!("{name}.yaml"));
        let said = match WebFile::new(file.clone()).read() {
            Ok(web) if is_good => {
                assert!(!format!("{web:?}").contains("$2"), "{web:?}");
                web.warnings.iter().map(|warning| format!("{warning}\n")).collect()
            }
            Err(error) if !is_good => format!("{error}\n"),
            outcome => panic!("{}: {outcome:?}", file.display()),
        };
        assert!(!said.contains("hunter2"), "{said}");
        golden::compare(&file.with_extension(if is_good { "warnings" } else { "problems" }), &said);
    }
}

/// The example of the manual, with its file names.
#[tokio::test]
async fn the_example_in_the_manual_works() {
    let [example] = &fenced("yml")[..] else { panic!("one example") };
    let site = Site::new();
    for (ours, theirs) in [("web.pem", "exporter.pem"), ("web.key", "exporter.key")] {
        std::fs::copy(site.folder.path(ours), site.folder.path(theirs)).expect("a file");
    }
    let mut program = site.serve(example, &[]);
    let url = format!("https://{}/metrics", program.address().await);
    let request = |password: &'static str| site.client().get(&url).basic_auth("prometheus", Some(password)).send();
    assert_eq!(request("wrong").await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    assert_eq!(request("change me").await.expect("an answer").status(), StatusCode::OK);
    let ended = program.stop().await;
    assert!(!ended.stderr.contains("web.yaml"), "without a warning: {ended:?}");
}

#[test]
fn the_manual_names_every_key() {
    let text = std::fs::read_to_string("deploy/CONFIGURATION.md").expect("the manual");
    for (table, keys) in known_web_keys() {
        for key in keys {
            assert!(text.contains(&format!("`{key}`")), "`{key}` of {table}");
        }
    }
}

#[tokio::test]
async fn sighup_reads_the_files_without_a_connection() {
    let site = Site::new();
    let mut program = site.serve(TLS, &[]);
    program.address().await;
    site.show(&site.authority.issue("127.0.0.1"));
    program.signal("HUP");
    program.logs("web configuration reloaded").await;
    program.logs("configuration reloaded").await;
    site.folder.write("web.key", "");
    program.signal("HUP");
    let line = program.logs("web configuration reload failed; keeping the previous TLS settings and users").await;
    assert!(line.contains("key_file: `web.key` holds no private key in PEM form"), "{line}");
    program.stop().await;
}

#[tokio::test]
async fn a_reload_reports_errors_in_either_file_and_in_both() {
    let site = Site::new();
    let (ours, web) = (std::fs::read_to_string(site.folder.path("c.yaml")).expect("a file"), "basic_auth_users:\n");
    let mut program = site.serve(web, &["--web.enable-lifecycle"]);
    let address = program.address().await;
    let client = rig::client();
    let (wrong_file, wrong_web) = (": appliances: no appliance is configured", ": colour: unknown key;");
    for (good_file, good_web) in [(true, true), (true, false), (false, false), (false, true), (true, true)] {
        site.folder.write("c.yaml", if good_file { &ours } else { "appliances: []" });
        site.folder.write("web.yaml", if good_web { web } else { "colour: blue\n" });
        // Asked twice, it tells the same: a look has told of it in between.
        for _ in 0..2 {
            let answer = client.post(format!("http://{address}/-/reload")).send().await.expect("an answer");
            let (status, said) = (answer.status().as_u16(), answer.text().await.expect("a text"));
            assert_eq!(status, if good_file && good_web { 200 } else { 500 }, "{said}");
            assert_eq!((said.contains(wrong_file), said.contains(wrong_web)), (!good_file, !good_web), "{said}");
            assert_eq!(said.lines().count(), if good_file || good_web { 1 } else { 2 }, "{said}");
        }
        let page = page(&client, &format!("http://{address}/metrics")).await;
        let told = [IN_FORCE, SUCCESSFUL].map(|name| page.value(name, &[]) == Some(1.0));
        assert_eq!(told, [good_file, good_web]);
    }
    program.stop().await;
}
