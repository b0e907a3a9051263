//! The command that asks one appliance what it offers: what it writes works, and what it asks is little.

use asyncos_exporter::catalogue::{self, Profile};
use asyncos_exporter::config::{Alignment, Anchor, Config, Scope};
use asyncos_exporter::sim::{self, Centralized, Fault, FaultBody, HOUR_ONLY_MESSAGES, On, RequestKind};
use rcgen::IsCa;
use ring::digest;

use crate::program::{Ended, Folder, Program, committed, simulate};
use crate::rig;
use crate::tls_proxy::{Identity, Proxy, usual};

const PASSWORD: &str = "ironport";

/// Groups in the largest profile.
fn full() -> usize {
    catalogue::profile(Profile::Full).count()
}

/// The command at `url` with the password in a file of `folder`.
async fn discover(folder: &Folder, url: &str, password: &str, arguments: &[&str]) -> Ended {
    let file = format!("--password-file={}", folder.write_secret("password", format!("{password}\n")));
    let url = format!("--url={url}");
    Program::run(&[&["discover", "--username=monitor", &url, &file], arguments].concat()).await
}

/// What it prints, which must be a configuration without problems.
async fn found(appliance: &sim::Appliance, arguments: &[&str]) -> (Config, Ended) {
    let folder = Folder::new();
    let ended = discover(&folder, &appliance.url(), PASSWORD, arguments).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD), "{ended:?}");
    assert_eq!(appliance.most_in_flight(), 1, "one request after the other");
    let config = Config::parse("printed", &ended.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ended.stdout));
    assert_eq!(config.warnings, [], "{}", ended.stdout);
    (config, ended)
}

fn logins(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::Login)
}

/// Whatever brought a password.
fn attempts(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.method == "POST" || request.header("Authorization").is_some())
}

fn sma() -> sim::Settings {
    sim::Settings::sma("sma1.example.com")
        .with_group("Hosted_Cluster", &["esa1.example.com", "esa2.example.com"])
        .with_web_group("web", &["wsa1.example.com"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_is_accepted_and_polled() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let sma = simulate(sma()).await;
    for appliance in [&esa, &sma] {
        let folder = Folder::new();
        let file = folder.path("config.yaml");
        let ended = discover(&folder, &appliance.url(), PASSWORD, &["--write", &file]).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
        assert_eq!(logins(appliance), 1, "one login");
        let checked = Program::run(&["check", &format!("--config.file={file}")]).await;
        assert_eq!((checked.code(), checked.stderr.as_str()), (Some(0), ""), "{checked:?}");
        let mut program = Program::serve(&file, &[]);
        let address = program.address().await;
        rig::until(address, "windows are had", |page| committed(page, "127.0.0.1") > 0.0).await;
        program.stop().await;
        let again = discover(&folder, &appliance.url(), PASSWORD, &["--write", &file]).await;
        assert_eq!(again.code(), Some(1), "{again:?}");
        assert!(again.stderr.ends_with("already exists and is not overwritten: move it or choose another file\n"));
    }
}

#[tokio::test]
async fn an_esa_needs_little_configuration() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let (config, ended) = found(&esa, &[]).await;
    assert!(ended.stdout.ends_with("    counter_groups: full\n"), "{ended:?}");
    assert_eq!(config.appliances[0].scopes, [Scope::Appliance]);
    for said in [
        "product: Secure Email Gateway (ESA)",
        "release: AsyncOS 16.0.0-050, model C100V",
        "time zone: Etc/UTC",
        "privileges: 7",
        &format!("counter groups: {full} of {full} can be read", full = full()),
        "windows: five minutes are supported",
        "reporting: local to this ESA",
        "health: can be read",
        "quarantines: 5 can be counted: spam, Outbreak, Policy, Unclassified, Virus",
    ] {
        assert!(ended.stderr.lines().any(|line| line == said), "{said}: {ended:?}");
    }
}

#[tokio::test]
async fn an_sma_is_found_with_its_devices() {
    let sma = simulate(sma()).await;
    for auth in ["jwt", "basic"] {
        let (config, ended) = found(&sma, &["--auth", auth]).await;
        let scopes = [
            Scope::Appliance,
            Scope::DeviceGroup("Hosted_Cluster".into()),
            Scope::Device("esa1.example.com".into()),
            Scope::Device("esa2.example.com".into()),
        ];
        assert_eq!(config.appliances[0].scopes, scopes, "{ended:?}");
        assert!(ended.stderr.contains("managed appliances: 3: esa1.example.com, esa2.example.com, wsa1.example.com\n"));
        assert!(ended.stderr.contains("reports about the web: can be read\n"), "{ended:?}");
    }
    let nameless = simulate(sim::Settings::sma("sma2").with_group("europe", &["esa3"])).await;
    let (config, ended) = found(&nameless, &[]).await;
    assert_eq!(config.appliances[0].scopes, [Scope::Appliance, Scope::Device("esa3".into())]);
    assert!(ended.stdout.contains("# device_groups: [Hosted_Cluster]   not available (status 404: Not Found.)\n"));
}

#[tokio::test]
async fn an_appliance_that_answers_only_whole_hours_is_detected() {
    for message in HOUR_ONLY_MESSAGES {
        let esa = simulate(sim::Settings::esa("esa1")).await;
        esa.change(|behaviour| behaviour.hour_only = Some(message.to_owned()));
        let (config, ended) = found(&esa, &[]).await;
        let polling = config.appliances[0].polling;
        assert_eq!((polling.alignment, polling.grid.length().as_secs()), (Alignment::Hour, 3600), "{ended:?}");
        assert!(ended.stdout.contains(message), "{ended:?}");
    }
}

#[tokio::test]
async fn what_the_account_may_not_read_is_left_out_with_the_reason() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| {
        behaviour.forbidden_groups.insert("mail_policy_incoming".into());
        behaviour.absent_groups.insert("mail_mor_summary".into());
        behaviour.forbidden_paths.extend(["quarantine".into(), "health".into()]);
    });
    let (config, ended) = found(&esa, &[]).await;
    assert_eq!(logins(&esa), 1, "a refusal of one report is no reason to log in again");
    assert_eq!(config.appliances[0].groups.len(), full() - 2);
    for said in [
        "# mail_policy_incoming: this account is not allowed to read it (status 401: Unauthorized.)\n",
        "# mail_mor_summary: not available (status 404: Not Found.)\n",
        "    health: false\n",
        "    quarantines: false\n",
    ] {
        assert!(ended.stdout.contains(said), "{said}: {ended:?}");
    }
}

#[tokio::test]
async fn an_account_that_may_read_reports_alone_is_enough() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| {
        behaviour.forbidden_paths.extend(["config".into(), "login/privileges".into()]);
        behaviour.forbidden_groups.insert("reporting_system".into());
    });
    let (config, ended) = found(&esa, &[]).await;
    assert_eq!(config.appliances[0].groups.len(), full(), "{ended:?}");
    assert!(ended.stdout.ends_with("    inventory: false\n"), "{ended:?}");
    let sma = simulate(sma()).await;
    sma.change(|behaviour| {
        behaviour.forbidden_groups = catalogue::groups().map(|group| group.name.to_string()).collect();
    });
    let ended = discover(&Folder::new(), &sma.url(), PASSWORD, &[]).await;
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.ends_with("the account cannot read any report: assign it the role Read-Only Operator\n"));
}

#[tokio::test]
async fn an_esa_with_centralized_reporting_is_detected() {
    for how in [Centralized::Zeros, Centralized::Empty, Centralized::NotFound] {
        let esa = simulate(sim::Settings::esa("esa1")).await;
        esa.change(|behaviour| behaviour.centralized = how);
        let (config, ended) = found(&esa, &[]).await;
        let groups: Vec<&str> = config.appliances[0].groups.iter().map(|choice| &*choice.group.name).collect();
        assert_eq!(groups, ["mail_system_capacity"], "{how:?}: {ended:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let folder = Folder::new();
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let sma = simulate(sma()).await;
    for appliance in [&esa, &sma] {
        appliance.set_passphrase("changed");
        let ended = discover(&folder, &appliance.url(), PASSWORD, &[]).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(
            ended.stderr.contains("passphrase.; the account is refused: correct `--username` or the password;"),
            "{ended:?}"
        );
        assert_eq!(logins(appliance), 1);
        assert!(attempts(appliance) <= 2 && appliance.requests().len() <= 2, "{:?}", appliance.requests());
        let before = attempts(appliance);
        let ended = discover(&folder, &appliance.url(), PASSWORD, &["--auth=basic"]).await;
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        assert_eq!(attempts(appliance) - before, 1, "with Basic the first refusal is the last word");
    }
}

#[tokio::test]
async fn an_appliance_that_refuses_every_login_gets_two_requests() {
    let folder = Folder::new();
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.change(|behaviour| behaviour.lockout_after = Some(0));
    let ended = discover(&folder, &esa.url(), PASSWORD, &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!((attempts(&esa), esa.requests().len()), (2, 2));
}

#[tokio::test]
async fn a_failing_appliance_gets_no_further_requests() {
    let folder = Folder::new();
    let esa = simulate(sim::Settings::esa("esa1")).await;
    // The one that passes is about reporting itself.
    for (code, asked, advice) in [
        (503, 1 + 3, "check its system status if this continues\n"),
        (429, 1 + 1, "look for other clients of its API\n"),
    ] {
        esa.clear_faults();
        let reports = || esa.count(|request| matches!(request.kind, RequestKind::Report { .. }));
        let before = reports();
        let busy = Fault::Status { code, body: FaultBody::Html, retry_after: None };
        esa.inject(busy, On::reports().after(1));
        let ended = discover(&folder, &esa.url(), PASSWORD, &[]).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.ends_with(advice), "{ended:?}");
        assert_eq!(reports() - before, asked, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_is_no_appliance_is_reported_as_such() {
    let folder = Folder::new();
    let proxy = Proxy::reply(b"HTTP/1.0 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>").await;
    let ended = discover(&folder, &format!("http://127.0.0.1:{}", proxy.port), PASSWORD, &[]).await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    let said = "status 404 with HTML instead of JSON; this may be the port of the web interface, or another server: \
    check that it is the port of the API (default 6443)\n";
    assert!(ended.stderr.ends_with(said), "{ended:?}");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_and_can_be_pinned() {
    let folder = Folder::new();
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let own = Identity::self_signed("127.0.0.1", IsCa::NoCa);
    let proxy = Proxy::terminate(usual(&own), esa.address()).await;
    let url = format!("https://127.0.0.1:{}", proxy.port);
    let ended = discover(&folder, &url, PASSWORD, &[]).await;
    assert_eq!((ended.code(), esa.requests().len()), (Some(1), 0), "{ended:?}");
    let digest = digest::digest(&digest::SHA256, &own.certificate);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(ended.stderr.contains(&format!("`--fingerprint-sha256 {digest}`")), "{ended:?}");
    let ended = discover(&folder, &url, PASSWORD, &["--fingerprint-sha256", &digest]).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let config = Config::parse("printed", &ended.stdout).expect("a configuration");
    assert!(matches!(config.appliances[0].trust.anchor, Anchor::Fingerprint(_)), "{ended:?}");
}

#[tokio::test]
async fn contradictory_flags_are_usage_errors() {
    let whole = ["--url=https://esa1", "--username=monitor", "--password-env=PATH"];
    let cases: [(&[&str], &str); 6] = [
        (&whole[1..], "--url <URL>"),
        (&whole[..2], "--password-file <FILE>|--password-env <VARIABLE>"),
        (&["--url=https://esa1", "--username=monitor", "--password=ironport"], "--password"),
        (
            &["--url=https://esa1", "--username=monitor", "--password-env=NOT_SET_HERE"],
            "--password-env: the environment",
        ),
        (&["--url=esa1.example.com", "--username=monitor", "--password-env=PATH"], "--url: expected a URL"),
        (&["--url=https://esa1/esa", "--username=monitor", "--password-env=PATH"], "--url: must not have a path"),
    ];
    for (arguments, said) in cases {
        let ended = Program::run(&[&["discover"], arguments].concat()).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{arguments:?}: {ended:?}");
    }
}
