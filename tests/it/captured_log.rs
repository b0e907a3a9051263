//! The log lines of a test and of what runs on its thread. For tests of the library and of the program alike.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// One line.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLine {
    pub(crate) level: &'static str,
    /// The field `appliance`; empty where there is none.
    pub(crate) appliance: String,
    /// The message, and the other fields.
    pub(crate) text: String,
}

/// Lines at info and above, from its making until it is dropped.
pub(crate) struct CapturedLog {
    lines: Arc<Mutex<Vec<LogLine>>>,
    _guard: DefaultGuard,
}

impl CapturedLog {
    /// Captures what this thread logs.
    pub(crate) fn start() -> Self {
        let lines = Arc::<Mutex<Vec<LogLine>>>::default();
        let guard = tracing::subscriber::set_default(Recorder(Arc::clone(&lines)));
        Self { lines, _guard: guard }
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Recorder(Arc<Mutex<Vec<LogLine>>>);

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("asyncos_exporter")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = LogLine { level: event.metadata().level().as_str(), ..LogLine::default() };
        event.record(&mut line);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for LogLine {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A text cannot refuse what is written to it.
        let _ = match field.name() {
            "message" => {
                self.text.insert_str(0, &format!("{value:?}"));
                Ok(())
            }
            name => write!(self.text, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "appliance" => value.clone_into(&mut self.appliance),
            _ => self.record_debug(field, &value),
        }
    }
}
