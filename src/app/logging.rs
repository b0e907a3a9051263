//! Log lines: one event, one line, on standard error, as logfmt or JSON with the same keys. Knows nothing of what is
//! logged; whatever it is cannot forge a line or a key.

use std::fmt;
use std::io;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::base::clock::Clock;
use fields::{Fields, Value};

mod fields;

/// Amount to log; each level includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Our own bugs.
    Error,
    /// Something went bad.
    Warn,
    /// Start, stop and recovery.
    Info,
    /// Every request.
    Debug,
    /// Everything, the libraries' own events included.
    Trace,
}

impl Level {
    fn ours(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }

    /// The least severe events of libraries that are logged: at debug level they would bury ours.
    fn theirs(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn | Self::Info | Self::Debug => LevelFilter::WARN,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// Format of a line. The keys are `ts`, `level`, `msg`, `target` when a library speaks, then the event's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `ts=… level=info msg="…" key=value`
    Logfmt,
    /// `{"ts":"…","level":"info","msg":"…","key":"value"}`
    Json,
}

/// The start of the targets of our own events, in the library and in the binary.
const OURS: &str = env!("CARGO_PKG_NAME");

/// Logs to standard error from here on, with the time of `clock`, for the whole process. The first call wins.
pub fn install(level: Level, format: Format, clock: Clock) {
    // The only error is that there is a log already.
    let _ = subscriber(level, format, clock, io::stderr).try_init();
}

fn subscriber<W>(level: Level, format: Format, clock: Clock, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().event_format(Line { format, clock }).with_writer(writer);
    let targets = Targets::new().with_target(OURS, level.ours()).with_default(level.theirs());
    tracing_subscriber::registry().with(lines.with_ansi(false).with_filter(targets))
}

/// Writes an event as one line. Spans are not shown: what matters, such as the appliance, is a field of the event.
struct Line {
    format: Format,
    clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);

        let mut line = LineBuilder::new(self.format);
        line.add("ts", &Value::Text(self.clock.wall().to_string()));
        line.add("level", &Value::Text(name(*metadata.level()).to_owned()));
        line.add("msg", &Value::Text(fields.message));
        if !metadata.target().starts_with(OURS) {
            line.add("target", &Value::Text(metadata.target().to_owned()));
        }
        for (key, value) in &fields.others {
            match *key {
                // A key twice in a line is not valid JSON to everyone, and would let a field pass for ours.
                "ts" | "level" | "msg" | "target" => line.add(&format!("field_{key}"), value),
                key => line.add(key, value),
            }
        }
        out.write_str(&line.finish())
    }
}

fn name(level: tracing::Level) -> &'static str {
    match level {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

struct LineBuilder {
    format: Format,
    text: String,
}

impl LineBuilder {
    fn new(format: Format) -> Self {
        Self { format, text: String::new() }
    }

    fn add(&mut self, key: &str, value: &Value) {
        let is_first = self.text.is_empty();
        match self.format {
            Format::Logfmt => {
                if !is_first {
                    self.text.push(' ');
                }
                self.text.extend(key.chars().map(|c| if needs_quotes(c) { '_' } else { c }));
                self.text.push('=');
                match value {
                    Value::Text(text) if text.is_empty() || text.chars().any(needs_quotes) => self.quote(text),
                    Value::Text(text) | Value::Literal(text) => self.text.push_str(text),
                }
            }
            Format::Json => {
                self.text.push(if is_first { '{' } else { ',' });
                self.quote(key);
                self.text.push(':');
                match value {
                    Value::Text(text) => self.quote(text),
                    Value::Literal(text) => self.text.push_str(text),
                }
            }
        }
    }

    /// A string with the escapes of JSON, which are also those that readers of logfmt know.
    fn quote(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                hidden if is_hidden(hidden) => self.text.push_str(&format!("\\u{:04x}", u32::from(hidden))),
                plain => self.text.push(plain),
            }
        }
        self.text.push('"');
    }

    fn finish(mut self) -> String {
        self.text.push_str(match self.format {
            Format::Logfmt => "\n",
            Format::Json => "}\n",
        });
        self.text
    }
}

fn needs_quotes(character: char) -> bool {
    matches!(character, '=' | '"' | '\\') || character.is_whitespace() || is_hidden(character)
}

/// Characters that a terminal or an editor obeys instead of showing: control characters (the escape sequences of C0
/// and C1), line separators, and the marks that turn the direction of writing. All have four hexadecimal digits.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
