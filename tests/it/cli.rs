//! The program from outside: its commands, exit codes, log and signals.

use std::collections::BTreeMap;
use std::net::TcpListener as StdListener;
use std::process::{Command, Stdio};

use asyncos_exporter::sim::{self, Fault, On};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::exposition::Page;
use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig::{self, entry, get};

const GOOD: &str = "appliances: [{name: esa1, url: 'http://127.0.0.1:1', username: monitor, password: ironport}]\n";
const BAD: &str = "\
appliances:
  - name: esa1
    url: ftp://esa1.example.com
    username: monitor
    password: ironport
    colour: blue
";

/// A configuration in which no problem is like another, and what is said about it.
fn bad() -> (Folder, String, String) {
    let folder = Folder::new();
    let file = folder.write("bad.yaml", BAD);
    let said = format!(
        "{file}:3: appliances[0].url: must begin with `https://` (or `http://`)\n\
         {file}:6: appliances[0].colour: unknown key; expected one of name, url, product, auth, username, password, \
         password_file, password_env, credential, two_factor, oidc, tls, proxy, polling, counter_groups, \
         device_groups, devices, health, system_status, delivery_status, xml_status, quarantines, inventory, \
         tracking_searches, detections, minimum_release, serial\n"
    );
    (folder, file, said)
}

fn good() -> (Folder, String) {
    let folder = Folder::new();
    let file = folder.write("good.yaml", GOOD);
    (folder, file)
}

#[tokio::test]
async fn check_reports_a_good_configuration_in_words() {
    let (_folder, file) = good();
    let config = format!("--config.file={file}");
    for arguments in [["check", &config], ["--config.check", &config]] {
        let ended = Program::run(&arguments).await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert_eq!(
            ended.stdout,
            format!(
                "{file}: 1 appliance(s), no problem\n\
             no appliance was contacted: add --connect to test connection, login and access\n"
            )
        );
        assert!(ended.stderr.starts_with(&format!("warning: {file}:1: appliances[0].password: ")), "{ended:?}");
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_all_its_problems() {
    let (_folder, file, said) = bad();
    let config = format!("--config.file={file}");
    let commands: [&[&str]; 4] = [&["check"], &["--config.check"], &["serve"], &[]];
    for command in commands {
        let ended = Program::run(&[command, &[&config]].concat()).await;
        assert_eq!(ended.code(), Some(78), "{command:?}: {ended:?}");
        assert_eq!((ended.stdout.as_str(), &ended.stderr), ("", &said), "{command:?}");
    }
}

#[tokio::test]
async fn a_missing_configuration_is_refused() {
    let file = Folder::new().path("none.yaml");
    let config = format!("--config.file={file}");
    for command in ["check", "serve"] {
        let ended = Program::run(&[command, &config]).await;
        assert_eq!(ended.code(), Some(78), "{ended:?}");
        let said = format!(
            "{file}: cannot read the file: No such file or directory (os error 2)\n\
             hint: to try the exporter without a configuration, run `asyncos_exporter demo`\n\
             hint: to write a configuration for an appliance, run `asyncos_exporter discover --url https://HOST:6443 \
             --username NAME --password-file FILE --write {file}`\n\
             hint: config.example.yaml describes every key; packages have it in /usr/share/doc/asyncos-exporter/examples\n"
        );
        assert_eq!((ended.stdout.as_str(), ended.stderr), ("", said));
    }
}

#[tokio::test]
async fn check_touches_neither_the_port_nor_the_appliance() {
    let taken = StdListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    taken.set_nonblocking(true).expect("a socket");
    let folder = Folder::new();
    let file = folder.write("config.yaml", GOOD.replace("127.0.0.1:1", &address.to_string()));
    let arguments = ["--config.check", &format!("--config.file={file}"), &format!("--web.listen-address={address}")];
    let ended = Program::run(&arguments).await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let knock = taken.accept().expect_err("nobody comes");
    assert_eq!(knock.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn an_address_in_use_is_reported_and_ends_the_daemon() {
    let taken = StdListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let (_folder, file) = good();
    let ended = Program::run(&[&format!("--config.file={file}"), &format!("--web.listen-address={address}")]).await;
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let last = logfmt(ended.stderr.lines().last().expect("a log"));
    assert_eq!((last["level"].as_str(), last["msg"].as_str()), ("error", "fatal error, exiting"));
    assert_eq!(last["error"], format!("cannot listen on `{address}`: Address already in use (os error 98)"));
}

#[tokio::test]
async fn an_address_in_use_ends_the_demo_too() {
    let taken = StdListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let ended = Program::run(&["demo", &format!("--web.listen-address={address}")]).await;
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let last = ended.stderr.lines().last().expect("an error");
    assert_eq!(last, format!("cannot listen on `{address}`: Address already in use (os error 98)"));
    let ended = Program::run(&["simulate", &format!("--listen={address}")]).await;
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
}

#[tokio::test]
async fn an_unusable_state_directory_is_reported_and_ends_the_daemon() {
    let (folder, file) = good();
    let (below, state) = (folder.path("good.yaml/state"), folder.path("good.yaml"));
    // Permissions bind no root, but nobody makes a file in /proc.
    let cases = [
        (below.as_str(), format!("cannot use the directory `{below}`: Not a directory (os error 20)")),
        (&state, format!("cannot use the directory `{state}`: File exists (os error 17)")),
        ("/proc", "cannot open `/proc/state.redb`: I/O error: No such file or directory (os error 2)".into()),
    ];
    for (path, said) in cases {
        let storage = format!("--storage.path={path}");
        let ended = Program::run(&[&format!("--config.file={file}"), &storage, "--web.listen-address=:0"]).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{path}: {ended:?}");
        let last = logfmt(ended.stderr.lines().last().expect("a log"));
        assert_eq!((last["level"].as_str(), last["msg"].as_str()), ("error", "fatal error, exiting"), "{path}");
        assert_eq!(last["error"], format!("--storage.path: {said}"));
    }
}

#[tokio::test]
async fn usage_errors_exit_with_status_2() {
    let cases: [&[&str]; 8] = [
        &["--nonsense"],
        &["nonsense"],
        &["serve", "check"],
        &["check", "--web.listen-address=:0"],
        &["--web.max-requests=many"],
        &["--web.telemetry-path=metrics"],
        &["--log.level=loud"],
        &["simulate", "--listen=nowhere"],
    ];
    for arguments in cases {
        let ended = Program::run(arguments).await;
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn misspelt_flags_and_commands_are_suggested() {
    for (arguments, expected) in [
        (&["--web.listen-adress=:0"][..], "--web.listen-address"),
        (&["chek"], "check"),
        (&["--log.level=inof"], "info"),
        (&["--web.telemetry-path=/sd"], "is the path of another page"),
    ] {
        let ended = Program::run(arguments).await;
        assert_eq!(ended.code(), Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn version_and_help_go_to_standard_output() {
    let ended = Program::run(&["--version"]).await;
    let revision = asyncos_exporter::telemetry::REVISION.map(|revision| format!(" (revision {revision})"));
    let version = format!("asyncos_exporter {}{}\n", env!("CARGO_PKG_VERSION"), revision.unwrap_or_default());
    assert_eq!((ended.code(), ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), version.as_str(), ""));
    for arguments in [&["--help"][..], &["serve", "--help"], &["check", "--help"], &["demo", "--help"]] {
        let ended = Program::run(arguments).await;
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.contains("Usage: asyncos_exporter"), "{arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn every_page_answers_at_the_address_in_the_log() {
    let (_folder, file) = good();
    let mut program = Program::serve(&file, &["--web.telemetry-path=/m"]);
    let address = program.address().await;
    assert_ne!(address.port(), 0);
    for (path, part) in [("/-/healthy", "healthy\n"), ("/-/ready", "ready\n"), ("/", "href=\"/m\"")] {
        let answer = get(&format!("http://{address}{path}")).await;
        assert_eq!(answer.status(), 200, "{path}");
        let text = answer.text().await.expect("a page");
        assert!(text.contains(part), "{path}: {text}");
    }
    let page = get(&format!("http://{address}/m")).await.text().await.expect("a page");
    let page = Page::parse(&page).unwrap_or_else(|error| panic!("{error}\n{page}"));
    assert!(page.value("asyncos_up", &[("appliance", "esa1")]).is_some());
    assert_eq!(get(&format!("http://{address}/metrics")).await.status(), 404);
    program.stop().await;
}

/// The pairs of a line of `key=value`, as strictly as we write them.
#[tokio::test]
async fn behind_a_proxy_links_and_targets_have_its_path() {
    let (_folder, file) = good();
    let flags = ["--web.external-url=https://monitoring.example.com/mail", "--web.disable-exporter-metrics"];
    let mut program = Program::serve(&file, &flags);
    let address = program.address().await;
    let page = get(&format!("http://{address}/mail/")).await.text().await.expect("a page");
    assert!(page.contains("href=\"/mail/metrics\"") && page.contains("href=\"/mail/config\""), "{page}");
    let targets = get(&format!("http://{address}/mail/sd")).await.text().await.expect("a page");
    assert!(targets.contains("\"/mail/probe\"") && targets.contains(&address.to_string()), "{targets}");
    let metrics = get(&format!("http://{address}/mail/metrics")).await.text().await.expect("a page");
    assert!(metrics.contains("\nasyncos_exporter_build_info{") && !metrics.contains("process_"), "{metrics}");
    assert!(!metrics.contains("asyncos_exporter_http_connections"), "{metrics}");
    assert_eq!(get(&format!("http://{address}/metrics")).await.status(), 404);
    program.stop().await;
}

fn logfmt(line: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').unwrap_or_else(|| panic!("no key in {line}"));
        assert!(!key.is_empty() && !key.contains([' ', '"']), "the key `{key}` in {line}");
        let (value, after) = match after.starts_with('"') {
            true => {
                let mut values = serde_json::Deserializer::from_str(after).into_iter::<String>();
                let value = values.next().expect("a value").unwrap_or_else(|error| panic!("{error} in {line}"));
                (value, &after[values.byte_offset()..])
            }
            false => {
                let (value, after) = after.split_at(after.find(' ').unwrap_or(after.len()));
                assert!(!value.is_empty() && !value.contains(['"', '=']), "the value of `{key}` in {line}");
                (value.to_owned(), after)
            }
        };
        assert!(pairs.insert(key.to_owned(), value).is_none(), "`{key}` comes twice in {line}");
        rest = if after.is_empty() { after } else { after.strip_prefix(' ').expect("a blank between pairs") };
    }
    pairs
}

type ReadLine = fn(&str) -> BTreeMap<String, String>;

fn json(line: &str) -> BTreeMap<String, String> {
    let object: serde_json::Map<_, _> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    object.into_iter().map(|(key, value)| (key, text(value))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_log_can_be_read_by_machines() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    let faulty = simulate(sim::Settings::esa("esa2")).await;
    faulty.inject(Fault::Garbage, On::every());
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{DEFAULTS}{}{}", entry("esa1", &esa, ""), entry("esa2", &faulty, "")));
    let formats: [(&str, ReadLine); 2] = [("logfmt", logfmt), ("json", json)];
    for (format, read) in formats {
        let mut program = Program::serve(&file, &["--log.level=trace", &format!("--log.format={format}")]);
        let address = program.address().await;
        rig::until(address, "windows are had", |page| committed(page, "esa1") >= HISTORY).await;
        let accepted = program.logs("reports available").await;
        assert!(accepted.contains("login accepted, AsyncOS ") && accepted.contains("esa1"), "{accepted}");
        let failed = program.logs("API requests failed").await;
        assert!(failed.contains("may expect TLS: use `https://`"), "what to do: {failed}");
        let ended = program.stop().await;
        assert_eq!(ended.stdout, "", "{format}");
        for line in ended.stderr.lines() {
            let pairs = read(line);
            assert!(pairs["ts"].ends_with('Z') && humantime::parse_rfc3339(&pairs["ts"]).is_ok(), "{line}");
            let levels = ["error", "warn", "info", "debug", "trace"];
            assert!(levels.contains(&pairs["level"].as_str()) && pairs.contains_key("msg"), "{line}");
        }
        let said = |message: &str| ended.stderr.lines().any(|line| read(line)["msg"] == message);
        assert!(
            [
                "starting",
                "listening",
                "signal received, shutting \
        down",
                "stopped"
            ]
            .into_iter()
            .all(said),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn closed_standard_streams_are_no_error() {
    let (_folder, file) = good();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut check = Command::new(env!("CARGO_BIN_EXE_asyncos_exporter"));
    check.args(["check", &format!("--config.file={file}")]).stdin(Stdio::null());
    let ended = check.stdout(writer.try_clone().expect("a pipe")).stderr(writer).status().expect("it starts");
    assert_eq!(ended.code(), Some(0), "{ended}");
}

#[tokio::test]
async fn a_log_that_nobody_reads_any_more_does_not_end_the_daemon() {
    let (_folder, file) = good();
    let arguments = [&format!("--config.file={file}"), "--web.listen-address=127.0.0.1:0", "--log.level=trace"];
    let mut program = Program::start_heard_until(&arguments, "listening");
    let address = program.address().await;
    for _ in 0..3 {
        assert_eq!(get(&format!("http://{address}/metrics")).await.status(), 200);
    }
    program.signal("TERM");
    assert_eq!(program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_signal_ends_the_daemon_in_order() {
    let (_folder, file) = good();
    for signal in ["TERM", "INT"] {
        let mut program = Program::serve(&file, &[]);
        program.address().await;
        program.signal(signal);
        let ended = program.ended().await;
        assert_eq!(ended.code(), Some(0), "{signal}: {ended:?}");
        assert!(ended.stderr.trim_end().ends_with("msg=stopped"), "{signal}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_appliance_does_not_keep_the_daemon_from_ending() {
    let esa = simulate(sim::Settings::esa("esa1")).await;
    esa.inject(Fault::Hang, On::every());
    let folder = Folder::new();
    let file = folder.write("c.yaml", format!("{}{}", DEFAULTS.replace("5s", "10m"), entry("esa1", &esa, "")));
    let mut program = Program::serve(&file, &[]);
    program.address().await;
    esa.wait_for(|requests| !requests.is_empty()).await;
    program.stop().await;
}

/// A request that never comes to its end: the daemon has its first bytes and waits for the rest.
async fn hang(address: std::net::SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: esa").await.expect("half a request");
    // Connections are taken in turn: when these are answered, the one before them is attended to.
    for _ in 0..3 {
        assert_eq!(get(&format!("http://{address}/-/healthy")).await.status(), 200);
    }
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_never_complete_does_not_keep_the_daemon_from_ending() {
    let (_folder, file) = good();
    let mut program = Program::serve(&file, &[]);
    let _stream = hang(program.address().await).await;
    let ended = program.stop().await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("closing connections that did not finish in time"), "it is closed: {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_daemon_at_once() {
    let (_folder, file) = good();
    for second in ["TERM", "INT"] {
        let mut program = Program::serve(&file, &[]);
        let _stream = hang(program.address().await).await;
        program.signal("TERM");
        program.logs("signal received, shutting down").await;
        program.signal(second);
        let ended = program.ended().await;
        assert_eq!(ended.code(), Some(1), "{second}: {ended:?}");
        assert!(
            ended.stderr.trim_end().ends_with("msg=\"second signal received, exiting immediately\""),
            "{second}: \
        {ended:?}"
        );
    }
}
