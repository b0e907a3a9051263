//! What the daemon takes to read an answer of the largest size, as the kernel saw it: the highest memory of the whole
//! process from the first byte to the page.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::exposition::Page;
use crate::program::{Folder, Program};
use crate::rig::until;

/// The largest body that is read.
const LARGEST: usize = 8 << 20;
/// What may be taken beyond an idle daemon: a fifth of the memory that the deployments give.
const MOST: u64 = 100 << 20;

/// A large answer to some requests.
struct Case {
    name: &'static str,
    /// What the appliance is asked for, in the configuration.
    asked: &'static str,
    /// A part of the paths that are answered so; all others get a small answer.
    path: &'static str,
    outcome: Outcome,
    status: u16,
    body: Vec<u8>,
}

/// What becomes of the answer.
#[derive(Clone, Copy)]
enum Outcome {
    /// The group, or what is asked as one, has it.
    Had(&'static str),
    /// It is refused.
    Refused,
}
use Outcome::{Had, Refused};

const POLICIES: &str = "mail_policy_incoming";
const SMALL: &str = r#"{"meta": {"totalCount": 1}, "data": {"resultSet": {"msgs_deleted": 0}}}"#;
const NO_MESSAGES: &str = r#"{"meta": {"totalCount": 0}, "data": []}"#;
const ROWS: (&str, &str) = (r#"{"data": {"resultSet": {"recipients_matched": ["#, "]}}}");
const COUNTERS: (&str, &str) = (r#"{"data": {"resultSet": {"#, "}}}");

impl Case {
    fn report(name: &'static str, outcome: Outcome, body: impl Into<Vec<u8>>) -> Self {
        let asked = "counter_groups: [mail_policy_incoming]";
        Self { name, asked, path: "reporting/", outcome, status: 200, body: body.into() }
    }

    fn of(asked: &'static str, path: &'static str, outcome: Outcome, body: impl Into<Vec<u8>>) -> Self {
        Self { name: path, asked, path, outcome, status: 200, body: body.into() }
    }
}

/// As many elements as there is room for, or this many, in a body that begins and ends like this.
fn filled((head, tail): (&str, &str), most: usize, element: impl Fn(usize) -> String) -> String {
    let mut body = head.to_owned();
    for number in 0..most {
        let next = element(number);
        if body.len() + next.len() + 1 + tail.len() > LARGEST {
            break;
        }
        if number > 0 {
            body.push(',');
        }
        body += &next;
    }
    body + tail
}

fn same(ends: (&str, &str), element: &str) -> String {
    filled(ends, usize::MAX, |_| element.to_owned())
}

/// Bodies that are worst for one part or another of what reads them.
fn cases() -> Vec<Case> {
    let row = |number: usize| format!(r#"{{"{number:024}": 1}}"#);
    let entry = |number: usize| format!(r#""{number:024}": 1"#);
    let pair = |number: usize| format!(r#"{{"key": "{number:024}", "value": 1}}"#);
    let list = (r#"{"data": {"quarantines": ["#, "]}}");
    let map = (r#"{"data": {"resultSet": {"recipients_matched": {"#, "}}}}");
    let value = (r#"{"data": {"resultSet": {"recipients_matched": [{"a": ["#, "]}]}}}");
    let strange = [ROWS.0.as_bytes(), br#"{"a": ""#, &vec![0xff; LARGEST - 100], br#""}]}}}"#].concat();
    let deep = format!(r#"{{"data": {{"resultSet": {{"a": [{{"b": {}"#, "[".repeat(LARGEST - 100));
    let meta = (r#"{"meta": {"totalCount": ["#, r#"]}, "data": {"resultSet": {}}}"#);
    let error = same((r#"{"error": {"message": ["#, "]}}"), r#"{"a":1}"#);
    let appliance = |number: usize| format!(r#"{{"{number}":{{"a":1}}}}"#);
    let messages = same((r#"{"meta": {"totalCount": 1}, "data": ["#, "]}"), r#"{"a":{}}"#);
    let login = same((r#"{"data": {"is2FactorRedirectRequired": ["#, "]}}"), "0");
    vec![
        Case::report("tiny rows", Refused, same(ROWS, r#"{"a":1}"#)),
        Case::report("as many rows as are read", Had(POLICIES), filled(ROWS, 240_000, row)),
        Case::report("a bare word at the end", Had(POLICIES), filled((ROWS.0, ",{\"x\": NaN}]}}}"), 230_000, row)),
        Case::report("pairs and one row", Had(POLICIES), filled((ROWS.0, ",{\"x\": 1}]}}}"), 120_000, pair)),
        Case::report("a map of rows", Had(POLICIES), filled(map, 240_000, entry)),
        Case::report("tiny counters", Refused, filled(COUNTERS, usize::MAX, |number| format!(r#""{number:x}":1"#))),
        Case::report("as many counters as are read", Had(POLICIES), filled(COUNTERS, 240_000, entry)),
        Case::report("one long key", Had(POLICIES), same(ROWS, &format!(r#"{{"{}": 1}}"#, "k".repeat(LARGEST - 100)))),
        Case::report("a structure as a value", Had(POLICIES), same(value, r#"{"b":[[0]]}"#)),
        Case::report("deep nesting", Refused, deep),
        Case::report("bytes that are no UTF-8", Had(POLICIES), strange),
        Case::report("a list for a count", Had(POLICIES), same(meta, "0")),
        Case { status: 404, ..Case::report("an error", Refused, error) },
        Case { status: 500, ..Case::report("a page of the web", Refused, "<p>".repeat(LARGEST / 3)) },
        Case::of("health: true", "health", Refused, same((r#"{"data": {"percentage_cpu_load": ["#, "]}}"), "0")),
        Case::of(
            "product: sma, inventory: true",
            "config/appliances",
            Had("managed_appliances"),
            filled((r#"{"data": {"appliances": ["#, "]}}"), usize::MAX, appliance),
        ),
        Case::of("inventory: true", "login/privileges", Had("privileges"), same((r#"{"data": ["#, "]}"), r#""a""#)),
        Case::of(
            "quarantines: true",
            "config/quarantines",
            Had("quarantines"),
            filled(list, usize::MAX, |number| format!(r#""{number:x}""#)),
        ),
        Case::of("quarantines: [spam]", "quarantine/messages", Had("quarantines"), messages),
        Case::of("auth: jwt", "login", Refused, login),
        Case::of("xml_status: true", "xml/status", Refused, "<a/>".repeat(LARGEST / 4)),
    ]
}

/// Answers requests for `path` with `large`, and all others with a small body.
async fn serve(listener: TcpListener, path: &'static str, large: Arc<Vec<u8>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let large = Arc::clone(&large);
        connections.spawn(async move { respond(stream, path, &large).await });
    }
}

async fn respond(mut stream: TcpStream, path: &str, large: &[u8]) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let first = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    let small = answer(200, if first.contains("quarantine/messages") { NO_MESSAGES } else { SMALL }.as_bytes());
    stream.write_all(if first.contains(path) { large } else { &small }).await?;
    stream.shutdown().await
}

fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.0 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

impl Outcome {
    fn is_on(self, page: &Page) -> bool {
        match self {
            Had(group) => page.every("asyncos_group_success", &[("group", group)], |success| success == 1.0),
            Refused => {
                let failures = ["asyncos_api_request_failures_total", "asyncos_login_failures_total"];
                // With a reason, and shown as 0 at first.
                let has_reason =
                    |name: &&str| page.matching(name, &[]).iter().any(|(labels, _)| labels.contains_key("reason"));
                failures.iter().any(has_reason)
            }
        }
    }
}

/// The highest memory of the process so far, in bytes.
fn highest(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the highest");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// The highest memory of a daemon that has read `case`.
async fn taken(case: &Case) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let appliance: SocketAddr = listener.local_addr().expect("bound");
    let mut server = JoinSet::new();
    server.spawn(serve(listener, case.path, Arc::new(answer(case.status, &case.body))));
    let folder = Folder::new();
    let password = folder.write_secret("password", "secret");
    let mut asked = case.asked.to_owned();
    let usual = [
        ("auth", "basic"),
        ("health", "false"),
        ("quarantines", "false"),
        ("inventory", "false"),
        ("counter_groups", "[mail_mor_summary]"),
    ];
    for (key, value) in usual.into_iter().filter(|(key, _)| !case.asked.contains(&format!("{key}:"))) {
        asked += &format!(", {key}: {value}");
    }
    let config = format!(
        "defaults: {{window: 1m, settle: 1s, timeout: 60s, start: 1m}}\nappliances:\n  - {{name: a, \
         url: 'http://{appliance}', username: u, password_file: '{password}', {asked}}}\n"
    );
    let mut daemon = Program::serve(&folder.write("config.yaml", config), &[]);
    let address = daemon.address().await;
    until(address, case.name, |page| case.outcome.is_on(page)).await;
    let highest = highest(daemon.id());
    daemon.stop().await;
    highest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_answer_takes_little_more_than_its_size() {
    let idle = taken(&Case::of("health: false", "nowhere", Had("mail_mor_summary"), "")).await;
    let mut more = Vec::new();
    let mut cases = cases().into_iter().peekable();
    while cases.peek().is_some() {
        let mut few = JoinSet::new();
        for case in cases.by_ref().take(4) {
            assert!(case.body.len() <= LARGEST, "{}", case.name);
            few.spawn(async move { (taken(&case).await.saturating_sub(idle), case.name) });
        }
        more.extend(few.join_all().await);
    }
    assert!(more.iter().all(|(bytes, _)| *bytes <= MOST), "bytes beyond the {idle} of an idle one: {more:#?}");
}
