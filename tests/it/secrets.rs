//! No password and no token leaves the program but to the appliance: everything it says is searched for them.

use std::collections::BTreeSet;

use asyncos_exporter::api::{Client, Listener, LoginFailureLog, Query, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::base::window::Grid;
use asyncos_exporter::catalogue;
use asyncos_exporter::config::{Config, Scope};
use asyncos_exporter::sim::{self, Fault, FaultBody, On};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::program::{DEFAULTS, Ended, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, get};

const USERNAME: &str = "canary-monitor";
const PASSWORD: &str = "c4n4ry:P4ss/phrase+";
const VARIABLE: &str = "CANARY_PASSWORD";
/// Secrets beside the password: of passcodes, and of a client of an identity provider.
const TOTP_SECRET: &str = "CANARYCANARYCANARYCANARY";
const CLIENT_SECRET: &str = "c4n4ry-cl1ent/s3cret+";
const PROXY_PASSWORD: &str = "c4n4ry-pr0xy/s3cret+";

/// Everything that must not be found anywhere, as it is and as it travels.
fn passwords() -> BTreeSet<String> {
    let pair = format!("{USERNAME}:{PASSWORD}");
    let escaped = PASSWORD.replace(':', "%3A").replace('/', "%2F").replace('+', "%2B");
    let in_base64 = [PASSWORD, &pair].map(|text| STANDARD.encode(text));
    let for_urls = [PASSWORD, &pair].map(|text| URL_SAFE_NO_PAD.encode(text));
    let client = [CLIENT_SECRET.to_owned(), CLIENT_SECRET.replace('/', "%2F").replace('+', "%2B")];
    let at_proxy = STANDARD.encode(format!("{USERNAME}:{PROXY_PASSWORD}"));
    let others = client.into_iter().chain([TOTP_SECRET.to_owned(), PROXY_PASSWORD.to_owned(), at_proxy]);
    [PASSWORD.to_owned(), escaped].into_iter().chain(in_base64).chain(for_urls).chain(others).collect()
}

/// The tokens that `appliance` was shown, and the part of each that proves it.
fn tokens(appliance: &sim::Appliance) -> BTreeSet<String> {
    let requests = appliance.requests();
    let shown = requests.iter().filter_map(|request| request.header("jwtToken"));
    shown.flat_map(|token| [token, token.rsplit('.').next().expect("a part")]).map(str::to_owned).collect()
}

/// The bytes of a text in Base32. **Source:** RFC 4648 section 6.
fn base32(text: &str) -> Vec<u8> {
    let letters = text.bytes().map(|letter| if letter >= b'A' { letter - b'A' } else { letter - b'2' + 26 });
    let bits: Vec<u8> = letters.flat_map(|value| (0..5).rev().map(move |bit| value >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
}

fn assert_clean(what: &str, text: &str, secrets: &BTreeSet<String>) {
    for secret in secrets {
        let line = text.lines().find(|line| line.contains(secret.as_str()));
        assert!(line.is_none(), "{what} tells `{secret}`: {line:?}");
    }
}

fn settings() -> sim::Settings {
    sim::Settings { username: USERNAME.into(), passphrase: PASSWORD.into(), ..sim::Settings::esa("esa1") }
}

/// An appliance of the fleet, and what its entry says beyond name, URL and user.
struct Member {
    name: &'static str,
    appliance: sim::Appliance,
    rest: String,
}

/// A member's name, where its password comes from, and its faults.
type Case<'a> = (&'static str, &'a str, Vec<(Fault, On)>);

/// One appliance for every way in which a secret could get lost.
async fn fleet(folder: &Folder) -> Vec<Member> {
    let file = folder.write("password", format!("{PASSWORD}\n"));
    let from_file = format!("password_file: '{file}'");
    // That page takes the password each time.
    let with_status_page = format!("{from_file}, xml_status: true");
    let from_variable = format!("password_env: {VARIABLE}");
    let in_place = format!("password: '{PASSWORD}'");
    let totp = folder.write("totp", format!("{TOTP_SECRET}\n"));
    let with_passcodes = format!("{from_file}, two_factor: {{totp_secret_file: '{totp}'}}");
    let secret = folder.write("client", format!("{CLIENT_SECRET}\n"));
    // Its place is filled in below: who answers there refuses everything it does not know.
    let client = format!("oidc: {{token_url: 'URL/token', client_id: canary, client_secret_file: '{secret}'}}");
    let at_proxy = folder.write("proxy", format!("{PROXY_PASSWORD}\n"));
    // Who answers there takes the request for one of its own.
    let proxied = |scheme: &str| {
        let proxy = format!("proxy: {{url: 'URL', username: {USERNAME}, password_file: '{at_proxy}'}}");
        format!("{from_file}, {proxy}, xml_status: {{url: '{scheme}://status.invalid'}}")
    };
    let (through_proxy, through_tunnel) = (proxied("http"), proxied("https"));
    let json = |message: &str| FaultBody::Json(message.into());
    let redirect = || Fault::Redirect("http://localhost:1/".into());
    let login = |fault| vec![(fault, On::login())];
    let report = |fault| vec![(fault, On::reports())];
    let half_a_token = r#"{"data": {"userName": "x", "jwtToken": "eyJhbGciOiJI"#;
    let cases: Vec<Case> = vec![
        ("jwt", &with_status_page, vec![]),
        ("basic", &from_variable, vec![]),
        ("renewed", &in_place, vec![]),
        ("opaque", &from_file, vec![]),
        ("wrong", &from_file, vec![]),
        ("wrong_basic", &in_place, vec![]),
        ("two_factor", &from_variable, vec![]),
        ("passcode", &with_passcodes, vec![]),
        ("wrong_passcode", &with_passcodes, vec![]),
        ("wrong_client", &client, vec![]),
        ("login_proxied", &through_proxy, vec![]),
        ("login_tunnelled", &through_tunnel, vec![]),
        ("garbage", &in_place, report(Fault::Garbage)),
        ("garbage_body", &from_file, report(Fault::GarbageBody)),
        ("revoked", &from_file, report(Fault::Unauthorized("InvalidTokenError.".into()))),
        ("refused", &from_file, report(Fault::Unauthorized("Unauthorized.".into()))),
        ("reset", &from_file, report(Fault::Reset)),
        ("truncated", &from_file, report(Fault::Truncate)),
        ("redirected", &from_file, report(redirect())),
        ("declined", &from_file, report(Fault::Status { code: 404, body: json("Not Found."), retry_after: None })),
        ("login_garbage", &from_file, login(Fault::Garbage)),
        ("login_truncated", &from_file, login(Fault::Truncate)),
        ("login_cut", &from_file, login(Fault::RawBody(half_a_token.into()))),
        ("login_redirected", &from_file, login(redirect())),
        ("login_reset", &from_file, login(Fault::Reset)),
        ("bare_cr", &from_file, vec![(Fault::BareCr, On::every())]),
    ];
    let mut fleet = Vec::new();
    for (name, password, faults) in cases {
        let mut settings = settings();
        settings.behaviour.two_factor = name == "two_factor" || name.ends_with("passcode");
        settings.behaviour.totp_secret = match name {
            "passcode" => Some(base32(TOTP_SECRET)),
            "wrong_passcode" => Some(b"another".to_vec()),
            _ => None,
        };
        settings.behaviour.token_is_opaque = name == "opaque";
        if name == "renewed" {
            // Under five minutes to live: every answer brings the next token.
            settings.behaviour.token_life = std::time::Duration::from_secs(200);
        }
        let appliance = simulate(settings).await;
        if name == "wrong" || name == "wrong_basic" {
            appliance.set_passphrase("another");
        }
        faults.into_iter().for_each(|(fault, on)| appliance.inject(fault, on));
        let auth = match name {
            "basic" | "wrong_basic" => "basic",
            "wrong_client" => "oidc",
            _ => "jwt",
        };
        let user = if auth == "oidc" { String::new() } else { format!("username: {USERNAME}, ") };
        let rest = format!("{user}auth: {auth}, {}", password.replace("URL", &appliance.url()));
        fleet.push(Member { name, appliance, rest });
    }
    fleet
}

fn configuration(fleet: &[Member]) -> String {
    let entries = fleet
        .iter()
        .map(|Member { name, appliance, rest }| format!("  - {{name: {name}, url: '{}', {rest}}}\n", appliance.url()));
    entries.fold(DEFAULTS.to_owned(), |text, entry| text + &entry)
}

/// Runs the daemon on the fleet until each appliance was met, and brings everything it has said.
async fn talk(format: &str, folder: &Folder, fleet: &[Member]) -> Vec<(String, String)> {
    let good = configuration(fleet);
    let file = folder.write("c.yaml", &good);
    let arguments = [
        &format!("--config.file={file}"),
        "--web.listen-address=127.0.0.1:0",
        "--web.enable-lifecycle",
        "--log.level=trace",
        &format!("--log.format={format}"),
        &format!("--storage.path={}", folder.path("state")),
    ];
    let mut program = Program::start_with(&arguments, &[(VARIABLE, PASSWORD)]);
    let address = program.address().await;
    let healthy = ["jwt", "basic", "renewed", "opaque", "passcode"];
    rig::until(address, "every appliance was met", |page| {
        fleet.iter().all(|Member { name, .. }| {
            let failures = page.matching("asyncos_api_request_failures_total", &[("appliance", name)]);
            // Its first failures are shown as 0 at first.
            let failed = failures.iter().any(|(labels, _)| labels.contains_key("reason"));
            if healthy.contains(name) { committed(page, name) >= HISTORY } else { failed }
        })
    })
    .await;
    let url = |path: &str| format!("http://{address}{path}");
    let mut said = Vec::new();
    folder.write("c.yaml", good.replace("name: jwt,", "name: jwt, colour: blue,"));
    for path in ["/-/reload", "/-/nonsense"] {
        let answer = rig::client().post(url(path)).send().await.expect("an answer");
        said.push((path.to_owned(), answer.text().await.expect("a text")));
    }
    let views = ["/", "/config", "/api/v1/status", "/sd", "/api/v1/explain", "/api/v1/explain?metric=asyncos_up"];
    let probes = ["/metrics", "/probe", "/probe?target=jwt", "/probe?target=nobody"];
    for path in views.into_iter().chain(probes).chain(["/-/healthy", "/-/ready", "/-/reload", "/-/quit"]) {
        let answer = get(&url(path)).await;
        let headers = format!("{:?}", answer.headers());
        said.push((path.to_owned(), headers + &answer.text().await.expect("a text")));
    }
    let Ended { stdout, stderr, .. } = program.stop().await;
    let is_detailed = stderr.contains("level=trace") || stderr.contains("\"level\":\"trace\"");
    assert!(is_detailed && stderr.contains("login failed"), "the log shows the failure");
    said.extend([("stdout".to_owned(), stdout), ("stderr".to_owned(), stderr)]);
    for file in std::fs::read_dir(folder.path("state")).expect("the state") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("the state");
        assert!(!bytes.is_empty());
        said.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_line_or_page_contains_a_secret() {
    for format in ["logfmt", "json"] {
        let folder = Folder::new();
        let fleet = fleet(&folder).await;
        let said = talk(format, &folder, &fleet).await;
        let mut secrets = passwords();
        for Member { name, appliance, .. } in &fleet {
            let shown = tokens(appliance);
            // The first step of a login has been good where only the second was refused.
            let has_none = *name != "wrong_passcode"
                && ["basic", "wrong", "login", "bare", "two_factor"].iter().any(|part| name.contains(part));
            assert_eq!(shown.is_empty(), has_none, "{name}");
            secrets.extend(shown);
        }
        assert!(secrets.len() > 20, "there is something to look for: {}", secrets.len());
        for (what, text) in said {
            assert_clean(&format!("{format}: {what}"), &text, &secrets);
        }
    }
}

#[tokio::test]
async fn no_configuration_error_contains_a_password() {
    let head = format!("appliances:\n  - name: esa1\n    username: {USERNAME}\n    url: https://esa1.example.com\n");
    let folder = Folder::new();
    let long = folder.write("long", PASSWORD.repeat(500));
    let binary = folder.write("binary", [PASSWORD.as_bytes(), b"\xff"].concat());
    let wrong = [
        format!("{head}    password: ['{PASSWORD}']\n"),
        format!("{head}    password: {{key: '{PASSWORD}'}}\n"),
        format!("{head}    password: !{PASSWORD} x\n"),
        format!("{head}    password: !secret '{PASSWORD}'\n"),
        format!("{head}    password: *{PASSWORD}\n"),
        format!("{head}    password: &{PASSWORD}\n    colour: blue\n"),
        format!("{head}    password: @{PASSWORD}\n"),
        format!("{head}    password: %{PASSWORD}\n"),
        format!("{head}    password: x: {PASSWORD}\n"),
        format!("{head}    password: \"{PASSWORD}\n"),
        format!("{head}    password: \"\\{PASSWORD}\"\n"),
        format!("{head}    password: '{PASSWORD}'\n    password: '{PASSWORD}'\n"),
        format!("{head}    password: '{PASSWORD}'\n    colour: blue\n"),
        format!("{head}    password: '{PASSWORD}'\n    password_file: /nonexistent\n"),
        format!("{head}    passphrase: '{PASSWORD}'\n"),
        format!("{head}    password: '{PASSWORD}'\n   name: [\n"),
        format!("{head}    password:\n    - '{PASSWORD}'\n  - '{PASSWORD}'\n"),
        format!("{head}    password_file: '{long}'\n"),
        format!("{head}    password_file: '{binary}'\n"),
        format!("{}    password_file: '{long}'\n", head.replace("esa1.example", &format!("u:{PASSWORD}@esa1.example"))),
        format!("{}    password_file: '{long}'\n", head.replace("https://esa1", &format!("https://[u:{PASSWORD}@esa"))),
    ];
    for text in wrong {
        let file = folder.write("c.yaml", &text);
        for command in ["check", "serve"] {
            let config = format!("--config.file={file}");
            let arguments = match command {
                "check" => vec![command, &config],
                _ => vec![command, &config, "--log.level=trace", "--web.listen-address=127.0.0.1:0"],
            };
            let ended = Program::run(&arguments).await;
            assert_eq!(ended.code(), Some(78), "{text}\n{ended:?}");
            assert_clean(&text.replace(PASSWORD, "…"), &format!("{}{}", ended.stdout, ended.stderr), &passwords());
        }
    }
}

#[tokio::test]
async fn a_password_that_is_no_valid_header_is_not_printed() {
    let folder = Folder::new();
    let appliance = simulate(settings()).await;
    for auth in ["basic", "jwt"] {
        let file = folder.write("password", format!("{PASSWORD}\nsecond line\n"));
        let text = format!(
            "{DEFAULTS}  - {{name: esa1, url: '{}', username: {USERNAME}, auth: {auth}, password_file: '{file}'}}\n",
            appliance.url()
        );
        let mut program = Program::serve(&folder.write("c.yaml", text), &["--log.level=trace"]);
        let address = program.address().await;
        program.logs("login failed").await;
        let page = get(&format!("http://{address}/metrics")).await.text().await.expect("a page");
        let ended = program.stop().await;
        assert_clean(auth, &format!("{page}{}{}", ended.stdout, ended.stderr), &passwords());
    }
}

#[tokio::test]
async fn nothing_in_memory_shows_a_secret_to_debug() {
    let appliance = simulate(settings()).await;
    let with_second = format!("jwt, two_factor: {{totp_secret: {TOTP_SECRET}}}");
    for auth in ["jwt", "basic", &with_second] {
        let text = format!(
            "appliances: [{{name: esa1, url: '{}', username: {USERNAME}, password: '{PASSWORD}', auth: {auth}}}]",
            appliance.url()
        );
        let config = Config::parse("secrets", &text).unwrap_or_else(|error| panic!("{error}"));
        let client = Client::try_new(
            &config.appliances[0],
            &SystemRoots::default(),
            Clock::system(),
            Listener::new(|_| {}),
            LoginFailureLog::in_memory(),
        )
        .expect("a client");
        let mut said = format!("{config:?} {config:#?} {client:?}");
        let window = Grid::HOURS.containing(client.now() - std::time::Duration::from_secs(3600));
        let group = catalogue::group("mail_system_capacity").expect("in the catalogue").clone().into();
        let query = Query { scope: Scope::Appliance, group, top: None, search: None, window };
        let reply = client.fetch(&query).await.expect("a report");
        said += &format!("{reply:?} {client:?} {client:#?}");
        appliance.set_passphrase("another");
        appliance.revoke_tokens();
        let failure = client.fetch(&query).await.expect_err("refused");
        said += &format!("{failure:?} {failure} {client:?}");
        appliance.set_passphrase(PASSWORD);
        let secrets = passwords().into_iter().chain(tokens(&appliance)).collect();
        assert_clean(auth, &said, &secrets);
    }
    assert!(!tokens(&appliance).is_empty());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_in_memory_gets_into_a_core_dump() {
    let folder = Folder::new();
    let text = format!("{DEFAULTS}  - {{name: a, url: 'http://127.0.0.1:1', username: u, password: '{PASSWORD}'}}\n");
    let mut program = Program::serve(&folder.write("c.yaml", text), &[]);
    program.address().await;
    let process = program.id();
    let allow = std::process::Command::new("prlimit").args([&format!("--pid={process}"), "--core=unlimited"]).status();
    assert!(allow.expect("prlimit of util-linux").success());
    program.signal("ABRT");
    let ended = program.ended().await;
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&ended.status), "{ended:?}");
}
