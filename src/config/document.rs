//! The YAML document: bytes to text and text to values, with hints about mistakes that YAML reports in its own terms or
//! accepts as something else. Knows no key, and no message quotes a value, which may be a secret.

use serde_yaml::Value;

use super::problem::ConfigError;

/// Quotes that word processors and messengers put in place of `"` and `'`. YAML takes them for part of the text.
const TYPOGRAPHIC_QUOTES: [char; 9] = ['“', '”', '„', '‟', '‘', '’', '‚', '«', '»'];

/// The text of `bytes`, without a byte order mark.
///
/// # Errors
/// When it is not UTF-8, with the encoding that it probably has.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    let wide = match bytes[..] {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // Without a mark, the first character of a configuration still is ASCII.
        [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..] => Some("UTF-16"),
        _ => None,
    };
    if let Some(encoding) = wide {
        return Err(format!("the text is not UTF-8 but {encoding}: save it as UTF-8"));
    }
    match String::from_utf8(bytes) {
        // Editors of Windows begin a file with this, and YAML would take it for a document of its own.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(ToOwned::to_owned).unwrap_or(text)),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
            Err(format!("the text is not UTF-8 in line {line}, probably Latin-1 or Windows-1252: save it as UTF-8"))
        }
    }
}

/// The values of `text`, with merge keys (`<<`) applied; `file` is its name in messages.
///
/// # Errors
/// When it is not YAML.
pub(super) fn parse(file: &str, text: &str) -> Result<Value, ConfigError> {
    let mut document: Value = serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let hint = line.and_then(|line| hint(text, line)).map(|hint| format!("; {hint}")).unwrap_or_default();
        ConfigError::not_yaml(file, line, &format!("{error}{hint}"))
    })?;
    document.apply_merge().map_err(|error| {
        let line = text.lines().position(|line| line.contains("<<:")).map(|position| position + 1);
        ConfigError::not_yaml(file, line, &format!("merge key `<<`: {error}"))
    })?;
    Ok(document)
}

/// The probable mistake that ends in `line`, counted from 1: YAML often notices it a line late.
fn hint(text: &str, line: usize) -> Option<String> {
    let candidates = [Some(line), line.checked_sub(1)].into_iter().flatten();
    candidates.into_iter().find_map(|number| {
        let line = text.lines().nth(number.checked_sub(1)?)?;
        mistake(line).map(|mistake| format!("line {number}: {mistake}"))
    })
}

fn mistake(line: &str) -> Option<String> {
    let content = line.trim_start();
    let indentation = &line[..line.len() - content.len()];
    if indentation.contains('\t') {
        return Some("indented with a tab: use spaces".into());
    }
    if !indentation.is_ascii() {
        return Some("indented with a space that is not ASCII, such as a no-break space: use plain spaces".into());
    }
    let content = content.split(" #").next().unwrap_or_default();
    if let Some(mistake) = content.chars().find_map(|letter| typographic_quote(letter.encode_utf8(&mut [0; 4]))) {
        return Some(mistake);
    }
    let entry = content.trim_start_matches("- ").trim_start();
    if let Some(mistake) = missing_space(entry) {
        return Some(mistake);
    }
    let (_, value) = entry.split_once(": ")?;
    let first = value.trim_start().chars().next().filter(|first| matches!(first, '@' | '`' | '%'))?;
    Some(format!("a value that begins with `{first}` needs quotes"))
}

/// A complaint about `text` if it begins with a quote that YAML does not know.
pub(super) fn typographic_quote(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| TYPOGRAPHIC_QUOTES.contains(first))?;
    Some(format!("`{quote}` is a typographic quote: use `\"` or `'`"))
}

/// A complaint about `text` if it looks like a key and a value without the space between them. Names the key only.
pub(super) fn missing_space(text: &str) -> Option<String> {
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_unspaced = !value.is_empty() && !value.starts_with([' ', '\t']) && !value.starts_with("//");
    (is_key && is_unspaced).then(|| format!("`{key}:` needs a space after the colon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_named() {
        let utf_16: Vec<u8> = "appliances: []".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = "the text is not UTF-8 but UTF-16: save it as UTF-8";
        let latin = "the text is not UTF-8 in line 2, probably Latin-1 or Windows-1252: save it as UTF-8";
        for (bytes, expected) in [
            (b"a: b".to_vec(), Ok("a: b")),
            (b"\xef\xbb\xbfa: b".to_vec(), Ok("a: b")),
            (Vec::new(), Ok("")),
            (b"\0".to_vec(), Ok("\0")),
            (utf_16.clone(), Err(wide)),
            ([b"\xff\xfe".to_vec(), utf_16].concat(), Err(wide)),
            (b"\xfe\xff\0a".to_vec(), Err(wide)),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), Err("the text is not UTF-8 but UTF-32: save it as UTF-8")),
            (b"# x\nname: b\xfccher\n".to_vec(), Err(latin)),
        ] {
            assert_eq!(decode(bytes.clone()), expected.map(str::to_owned).map_err(str::to_owned), "{bytes:x?}");
        }
    }

    #[test]
    fn mistakes_are_explained_by_line() {
        for (text, expected) in [
            ("a:\n  - b: 1\n\tc: 2\n", "line 3: indented with a tab: use spaces"),
            ("a:\n- name:esa1\n  url: x\n", "line 2: `name:` needs a space after the colon"),
            ("a: “x: y”\n", "line 1: `“` is a typographic quote: use `\"` or `'`"),
            ("a: @x\n", "line 1: a value that begins with `@` needs quotes"),
        ] {
            let said = parse("c", text).expect_err(text).to_string();
            assert!(said.contains("not valid YAML: ") && said.ends_with(expected), "{said}");
        }
        let said = parse("c", "a: [1, 2\nb: 3\n").expect_err("no list").to_string();
        assert!(!said.contains("; line"), "no guess without a sign: {said}");
    }

    #[test]
    fn merge_keys_are_applied_and_refused_by_name() {
        let merged = parse("c", "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\n").expect("valid");
        assert_eq!(merged["y"], serde_yaml::from_str::<Value>("{a: 1, b: 3}").expect("valid"));
        let said = parse("c", "x: 1\ny: {<<: 2}\n").expect_err("no table").to_string();
        assert!(said.starts_with("c:2: not valid YAML: merge key `<<`: expected a mapping"), "{said}");
    }

    #[test]
    fn only_a_key_lacks_a_space() {
        assert!(missing_space("name:esa1").is_some());
        for text in ["name: esa1", "https://esa1", "name:", "Name:x", "a b:c", ":x", "-:"] {
            assert_eq!(missing_space(text), None, "{text}");
        }
    }
}
