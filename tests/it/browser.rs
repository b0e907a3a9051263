//! The start page in a real browser: what it makes of the page, and that it refuses nothing on it.

use std::process::{Command, Stdio};

use crate::prometheus::{demo, until};

/// What Chromium makes of a page, and what it complains about.
struct Seen {
    document: String,
    complaints: Vec<String>,
}

fn look(url: &str) -> Seen {
    let profile = tempfile::tempdir().expect("a folder");
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("chromium: {error}; tests/run installs what is missing"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    // What a page does wrong goes to the console; the rest is about the machine.
    let complaints = said.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Seen { document: String::from_utf8_lossy(&output.stdout).into_owned(), complaints }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_page_shows_the_fleet_and_nothing_on_it_is_refused() {
    let demo = demo().await;
    let url = demo.url("/");
    let seen = until(async || {
        let seen = look(url.as_str());
        match seen.document.matches("<td data-label=\"Data\"><span>up to <time").count() {
            4 => Ok(seen),
            rows => Err(format!("{rows} appliances have data")),
        }
    })
    .await;
    for name in ["esa1", "esa2", "esa3", "sma1"] {
        assert!(seen.document.contains(&format!("<span class=\"name\">{name}</span>")), "{}", seen.document);
    }
    assert_eq!(seen.complaints, [""; 0]);
}

#[test]
fn a_page_on_which_something_is_refused_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("page.html");
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'\">";
    std::fs::write(&file, format!("<html><head>{policy}<style>p {{ color: red }}</style></head><p>x</p></html>"))
        .expect("a file");
    let seen = look(&format!("file://{}", file.display()));
    assert!(seen.complaints.iter().any(|line| line.contains("Content Security Policy")), "{:?}", seen.complaints);
}
