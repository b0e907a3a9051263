//! Collects the fields of an event as text. Knows nothing of how a line looks.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::field::{Field, Visit};

/// One value of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Value {
    /// Any text.
    Text(String),
    /// A number or a truth value in the spelling of JSON.
    Literal(String),
}

/// The fields of an event in their order.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// Empty when the event has none.
    pub(super) message: String,
    pub(super) others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn text(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.others.push((field.name(), Value::Text(text)));
        }
    }

    fn literal(&mut self, field: &Field, value: impl fmt::Display) {
        if field.name() == "message" {
            self.message = value.to_string();
        } else {
            self.others.push((field.name(), Value::Literal(value.to_string())));
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // An implementation that gives up halfway leaves what it wrote: better than a lost line.
        let _ = write!(text, "{value:?}");
        self.text(field, text);
    }

    /// The whole chain: an error's own text is its level only.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = String::new();
        let mut next = Some(value);
        while let Some(error) = next {
            let separator = if text.is_empty() { "" } else { ": " };
            let _ = write!(text, "{separator}{error}");
            next = error.source();
        }
        self.text(field, text);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.literal(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.literal(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.literal(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.literal(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.literal(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows no infinity and no NaN.
        if value.is_finite() {
            self.literal(field, value);
        } else {
            self.text(field, value.to_string());
        }
    }
}
