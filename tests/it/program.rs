//! Runs the real program: what it says, what it serves, what signals do to it and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim;
use tempfile::TempDir;

use crate::exposition::Page;
use crate::rig::{self, PATIENCE};

/// Three windows of history are due at once, so nobody waits for a minute to end.
pub(crate) const DEFAULTS: &str =
    "defaults: {window: 1m, settle: 1s, timeout: 5s, start: 3m}\ncounter_groups: minimal\nappliances:\n";
/// Windows of [`DEFAULTS`] that one appliance has at once: three of each of the three groups.
pub(crate) const HISTORY: f64 = 9.0;

/// A simulated appliance on the machine's time, which the program lives by.
pub(crate) async fn simulate(settings: sim::Settings) -> sim::Appliance {
    rig::simulate(settings, &Clock::system()).await
}

/// How many windows of `appliance` are counted.
pub(crate) fn committed(page: &Page, appliance: &str) -> f64 {
    page.matching("asyncos_windows_committed_total", &[("appliance", appliance)]).iter().map(|(_, count)| count).sum()
}

/// A folder for configurations that is gone when the test is over.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes `name`, in place of what it was before, and says where it is.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.path(name);
        std::fs::write(&file, text).expect("a file");
        file
    }

    /// As [`Folder::write`], for nobody else to read.
    pub(crate) fn write_secret(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let file = self.write(name, text);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
        file
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

/// What a program that has ended has said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// The exit code; none after a signal killed it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

/// A running program; killed when the test does not wait for its end.
pub(crate) struct Program {
    child: Child,
    stdout: Heard,
    stderr: Heard,
}

impl Program {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn(arguments, environment, None)
    }

    /// Closes the pipe of standard error once `part` was said.
    pub(crate) fn start_heard_until(arguments: &[&str], part: &'static str) -> Self {
        Self::spawn(arguments, &[], Some(part))
    }

    fn spawn(arguments: &[&str], environment: &[(&str, &str)], last: Option<&'static str>) -> Self {
        Self::adopt(Command::new(env!("CARGO_BIN_EXE_asyncos_exporter")).args(arguments), environment, last)
    }

    fn adopt(command: &mut Command, environment: &[(&str, &str)], last: Option<&'static str>) -> Self {
        let mut child = command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = Heard::of(child.stdout.take().expect("piped"), None);
        let stderr = Heard::of(child.stderr.take().expect("piped"), last);
        Self { child, stdout, stderr }
    }

    /// The daemon with the configuration in `file` on a free port.
    pub(crate) fn serve(file: &str, arguments: &[&str]) -> Self {
        let config = format!("--config.file={file}");
        Self::start(&[&["serve", &config, "--web.listen-address=127.0.0.1:0"], arguments].concat())
    }

    /// As [`Program::serve`], for a limit of file sizes to make writes fail like a full disk: the signal that comes with
    /// it is ignored.
    pub(crate) fn serve_deaf_to_file_limits(file: &str, arguments: &[&str]) -> Self {
        let script = r#"trap "" XFSZ; exec "$0" "$@""#;
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_asyncos_exporter"), "serve", "--web.listen-address=127.0.0.1:0"]);
        Self::adopt(shell.arg(format!("--config.file={file}")).args(arguments), &[], None)
    }

    /// As [`Program::serve`], with this umask.
    pub(crate) fn serve_under_umask(umask: &str, file: &str, arguments: &[&str]) -> Self {
        let script = format!(r#"umask {umask}; exec "$0" "$@""#);
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            &script,
            env!("CARGO_BIN_EXE_asyncos_exporter"),
            "serve",
            "--web.listen-address=127.0.0.1:0",
        ]);
        Self::adopt(shell.arg(format!("--config.file={file}")).args(arguments), &[], None)
    }

    /// The daemon on two sockets that it is handed as systemd does it: from number 3 on, as the environment says.
    pub(crate) fn serve_handed(file: &str, first: OwnedFd, second: OwnedFd) -> Self {
        let script = r#"LISTEN_PID=$$ LISTEN_FDS=2 exec "$0" "$@" 3<&0 4<&1 </dev/null >/dev/null"#;
        let mut child = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_asyncos_exporter"), "serve", "--web.systemd-socket"])
            .arg(format!("--config.file={file}"))
            .stdin(first)
            .stdout(second)
            .stderr(Stdio::piped())
            .spawn()
            .expect("a shell");
        let stderr = Heard::of(child.stderr.take().expect("piped"), None);
        Self { child, stdout: Heard::of(std::io::empty(), None), stderr }
    }

    /// The daemon as [`Program::serve`] has it, run by `wrapper`, which takes the program and its arguments.
    #[cfg(feature = "external-tests")]
    pub(crate) fn serve_within(wrapper: &[&str], file: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).args([env!("CARGO_BIN_EXE_asyncos_exporter"), "serve"]);
        command.args([&format!("--config.file={file}"), "--web.listen-address=127.0.0.1:0"]);
        Self::adopt(command.args(arguments), &[], None)
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line on standard error that contains `part`.
    pub(crate) async fn logs(&mut self, part: &str) -> String {
        self.hears(part, |program| &program.stderr).await
    }

    /// Waits until `times` lines on standard error contain `part`.
    pub(crate) async fn logs_often(&self, part: &str, times: usize) {
        let wait = async {
            while self.stderr.so_far().lines().filter(|line| line.contains(part)).count() < times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let heard = tokio::time::timeout(PATIENCE, wait).await;
        assert!(heard.is_ok(), "`{part}` was not said {times} times\n{}", self.stderr.so_far());
    }

    /// The first line on standard output that contains `part`.
    pub(crate) async fn says(&mut self, part: &str) -> String {
        self.hears(part, |program| &program.stdout).await
    }

    /// Where the daemon listens, by its log, once it does.
    pub(crate) async fn address(&mut self) -> SocketAddr {
        let line = self.logs("listening").await;
        let after = |key: &str| line.split_once(key).map(|(_, rest)| rest);
        let rest = after("address=").or_else(|| after("\"address\":\"")).expect("an address");
        let end = rest.find(['"', ' ']).unwrap_or(rest.len());
        rest[..end].parse().expect("an address")
    }

    /// Sends the signal of this name. By the shell, whose `kill` needs no package.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(sent.success(), "{kill}");
    }

    /// Waits for the end of the program and for its last word.
    pub(crate) async fn ended(mut self) -> Ended {
        let wait = async {
            loop {
                if let Some(status) = self.child.try_wait().expect("our child") {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(status) => Ended { status, stdout: self.stdout.all(), stderr: self.stderr.all() },
            Err(_) => panic!("the program does not end\n{}", self.stderr.so_far()),
        }
    }

    /// Runs the program to its end.
    pub(crate) async fn run(arguments: &[&str]) -> Ended {
        Self::start(arguments).ended().await
    }

    /// Ends a daemon as its supervisor does.
    pub(crate) async fn stop(self) -> Ended {
        self.signal("TERM");
        let ended = self.ended().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        ended
    }

    async fn hears(&mut self, part: &str, stream: impl Fn(&Self) -> &Heard) -> String {
        let wait = async {
            loop {
                // Asked before the last look, or a word between the two would be missed.
                let is_over = self.child.try_wait().expect("our child").is_some();
                let said = stream(self).so_far();
                if let Some(line) = said.lines().find(|line| line.contains(part)) {
                    return Some(line.to_owned());
                }
                if is_over && stream(self).is_over() {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(Some(line)) => line,
            Ok(None) | Err(_) => panic!("`{part}` was not said\n{}{}", self.stdout.so_far(), self.stderr.so_far()),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came through a pipe so far.
struct Heard {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Heard {
    /// Listens to `pipe` until its end, or to the line that contains `last`.
    fn of(pipe: impl Read + Send + 'static, last: Option<&'static str>) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = String::new();
            // Whole lines, so that nobody sees half of one.
            while pipe.read_line(&mut line).expect("text") > 0 {
                heard.lock().expect("nobody panics with it").push_str(&line);
                if last.is_some_and(|last| line.contains(last)) {
                    return;
                }
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        self.text.lock().expect("nobody panics with it").clone()
    }

    fn is_over(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Everything, once the other end is closed.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the pipe is read");
        }
        self.so_far()
    }
}
