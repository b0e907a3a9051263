//! JSON as the appliance writes it: one line, members in the order given, `", "` and `": "` between things, nothing but
//! ASCII (Python's `json.dumps`). **Source:** lengths of recorded SMA answers; the escaping of other characters is
//! inferred.

use std::fmt::{self, Display, Formatter, Write};

use serde_json::Value;

/// A JSON text to be. Unlike [`Value`], an object keeps the order of its members.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Leaf(Value),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Self {
        Self::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    pub(super) fn list<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Self {
        Self::Leaf(value.into())
    }
}

impl Display for Json {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaf(value) => write_value(out, value),
            Self::List(items) => write_list(out, items, |out, item| item.fmt(out)),
            Self::Object(members) => {
                write_members(out, members.iter().map(|(n, v)| (n, v)), |out, value| value.fmt(out))
            }
        }
    }
}

/// Stands for a byte that is no UTF-8; a private character, so that nothing else means it.
pub(super) const NOT_UTF8: char = '\u{f8ff}';

impl Json {
    /// The text as it is sent.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        const ESCAPED: &str = "\\uf8ff";
        let text = self.to_string();
        if text.contains(ESCAPED) {
            let pieces: Vec<_> = text.split(ESCAPED).map(str::as_bytes).collect();
            return pieces.join(&b"\xff"[..]);
        }
        text.into_bytes()
    }
}

/// A string with its quotes.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(out, "\\{character}")?,
                '\n' => out.write_str("\\n")?,
                '\r' => out.write_str("\\r")?,
                '\t' => out.write_str("\\t")?,
                ' '..='~' => out.write_char(character)?,
                other => {
                    let mut units = [0; 2];
                    for unit in other.encode_utf16(&mut units) {
                        write!(out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        out.write_char('"')
    }
}

fn write_value(out: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(flag) => write!(out, "{flag}"),
        Value::Number(number) => write!(out, "{number}"),
        Value::String(text) => Quoted(text).fmt(out),
        Value::Array(items) => write_list(out, items, write_value),
        Value::Object(members) => write_members(out, members.iter(), write_value),
    }
}

fn write_list<T>(
    out: &mut Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    out.write_char('[')?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(out, item)?;
    }
    out.write_char(']')
}

fn write_members<'a, T: 'a>(
    out: &mut Formatter<'_>,
    members: impl Iterator<Item = (&'a String, &'a T)>,
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    out.write_char('{')?;
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write!(out, "{}: ", Quoted(name))?;
        write(out, value)?;
    }
    out.write_char('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_python_writes() {
        let value = Json::object([
            ("b", Json::list([Json::from(1), Json::from(0.25), Json::from(Value::Null)])),
            ("a", serde_json::json!({"key": "unknown \"domain\"", "value": [true]}).into()),
            ("ü\n😀", Json::Object(Vec::new())),
        ]);
        let expected = concat!(
            r#"{"b": [1, 0.25, null], "a": {"key": "unknown \"domain\"", "value": [true]}, "#,
            r#""\u00fc\n\ud83d\ude00": {}}"#
        );
        assert_eq!(value.to_string(), expected);
    }
}
