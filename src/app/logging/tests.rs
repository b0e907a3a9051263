//! The lines as they leave the process.

use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tracing::subscriber::with_default;

use super::*;
use crate::base::clock::Timestamp;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The lines that `events` log, on 2026-11-23 at noon; the clock does not move because the runtime is paused.
fn logged(level: Level, format: Format, events: impl FnOnce()) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let _entered = runtime.enter();
    let buffer = Buffer::default();
    let clock = Clock::lapse(Timestamp::from_secs(1_795_435_200), 1);
    with_default(subscriber(level, format, clock, buffer.clone()), events);
    buffer.text()
}

const HOSTILE: [&str; 13] = [
    "",
    "two words",
    "a=b",
    r#"say "no""#,
    r"back\slash",
    "x\nts=0 level=error msg=forged",
    "x\r\n\ty",
    "\u{1b}[2J\u{7}",
    "\u{9b}31m\u{85}\u{7f}",
    "\u{2028}\u{2029}\u{202e}\u{2066}",
    "nul\0",
    "ünïcødé 漢字",
    "\"}\n{\"level\":\"error",
];

#[derive(Debug, thiserror::Error)]
#[error("cannot open `state`")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("disk is gone")]
struct Inner;

#[test]
fn logfmt_has_time_level_message_then_the_fields_in_order() {
    let text = logged(Level::Info, Format::Logfmt, || {
        tracing::info!(appliance = "esa1", windows = 3_u64, ratio = 0.5, done = true, skew = -2, "caught up");
    });
    let expected = "ts=2026-11-23T12:00:00.000Z level=info msg=\"caught up\" \
                    appliance=esa1 windows=3 ratio=0.5 done=true skew=-2\n";
    assert_eq!(text, expected);
}

#[test]
fn json_has_the_same_keys_in_the_same_order() {
    let text = logged(Level::Info, Format::Json, || {
        tracing::warn!(appliance = "esa1", windows = 3_u64, ratio = 0.5, done = true, odd = f64::NAN, "caught up");
    });
    let expected = r#"{"ts":"2026-11-23T12:00:00.000Z","level":"warn","msg":"caught up","appliance":"esa1","windows":3,"ratio":0.5,"done":true,"odd":"NaN"}"#;
    assert_eq!(text, format!("{expected}\n"));
}

#[test]
fn logfmt_quotes_what_would_break_out() {
    let cases = [
        ("plain-value_1.5/ü", "plain-value_1.5/ü"),
        ("", r#""""#),
        ("two words", r#""two words""#),
        ("a=b", r#""a=b""#),
        (r#"say "no""#, r#""say \"no\"""#),
        (r"back\slash", r#""back\\slash""#),
        ("x\nlevel=error", r#""x\nlevel=error""#),
        ("\r\t\0\u{1b}[2J\u{7f}", "\"\\r\\t\\u0000\\u001b[2J\\u007f\""),
        ("\u{9b}\u{2028}\u{202e}", "\"\\u009b\\u2028\\u202e\""),
    ];
    for (value, expected) in cases {
        let text = logged(Level::Info, Format::Logfmt, || tracing::info!(value, "m"));
        assert_eq!(text, format!("ts=2026-11-23T12:00:00.000Z level=info msg=m value={expected}\n"));
    }
}

#[test]
fn hostile_values_stay_one_printable_line_in_both_formats() {
    for value in HOSTILE {
        for format in [Format::Logfmt, Format::Json] {
            let text = logged(Level::Info, format, || tracing::info!(value, shown = %value, "{value}"));
            let line = text.strip_suffix('\n').unwrap();
            assert!(!line.chars().any(is_hidden), "{line:?}");
        }
    }
}

#[test]
fn hostile_values_come_back_whole_from_json() {
    for value in HOSTILE {
        let text = logged(Level::Info, Format::Json, || tracing::info!(value, shown = %value, "{value}"));
        let expected = json!({
            "ts": "2026-11-23T12:00:00.000Z", "level": "info", "msg": value, "value": value, "shown": value,
        });
        assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    }
}

#[test]
fn a_field_cannot_pass_for_one_of_ours() {
    let event = || tracing::info!(level = "error", ts = 0, msg = "x", "odd key = \"1\"" = 1, "real");
    let text = logged(Level::Info, Format::Logfmt, event);
    let expected = "ts=2026-11-23T12:00:00.000Z level=info msg=real \
                    field_level=error field_ts=0 field_msg=x odd_key____1_=1\n";
    assert_eq!(text, expected);
    let text = logged(Level::Info, Format::Json, event);
    assert!(
        text.ends_with(
            r#""msg":"real","field_level":"error","field_ts":0,"field_msg":"x","odd key = \"1\"":1}
"#
        ),
        "{text}"
    );
}

#[test]
fn errors_are_logged_with_their_causes() {
    let error = Outer(Inner);
    let text = logged(Level::Info, Format::Logfmt, || {
        tracing::error!(error = &error as &(dyn Error + 'static), "cannot start");
    });
    assert!(text.ends_with("msg=\"cannot start\" error=\"cannot open `state`: disk is gone\"\n"), "{text}");
}

#[test]
fn the_level_holds_for_us_and_libraries_are_quieter() {
    let events = || {
        tracing::error!("our error");
        tracing::warn!("our warn");
        tracing::info!("our info");
        tracing::debug!("our debug");
        tracing::trace!("our trace");
        tracing::error!(target: "rustls::x", "their error");
        tracing::warn!(target: "rustls::x", "their warn");
        tracing::info!(target: "rustls::x", "their info");
        tracing::trace!(target: "rustls::x", "their trace");
    };
    let cases = [
        (Level::Error, vec!["our error", "their error"]),
        (Level::Warn, vec!["our error", "our warn", "their error", "their warn"]),
        (Level::Info, vec!["our error", "our warn", "our info", "their error", "their warn"]),
        (Level::Debug, vec!["our error", "our warn", "our info", "our debug", "their error", "their warn"]),
    ];
    for (level, expected) in cases {
        assert_eq!(messages(&logged(level, Format::Json, events)), expected, "{level:?}");
    }
    assert_eq!(messages(&logged(Level::Trace, Format::Json, events)).len(), 9);
}

fn messages(text: &str) -> Vec<String> {
    let parsed = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    parsed.map(|line| line["msg"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_library_is_named_by_its_target() {
    let text = logged(Level::Info, Format::Logfmt, || tracing::warn!(target: "rustls::conn", n = 1, "odd"));
    assert_eq!(text, "ts=2026-11-23T12:00:00.000Z level=warn msg=odd target=rustls::conn n=1\n");
}
