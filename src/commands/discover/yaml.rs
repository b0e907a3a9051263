//! Text of others as YAML: names of appliances and their messages go into a configuration, and must not become more of
//! it than a value or a comment. Knows nothing of what is written.

/// Words that YAML does not take for text.
const WORDS: [&str; 8] = ["true", "false", "null", "yes", "no", "on", "off", "y"];

/// `text` as a scalar, in quotes where it could be taken for something else.
pub(super) fn scalar(text: &str) -> String {
    // A colon is one of a table only before a blank or the end.
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | ':');
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    if begins && text.chars().all(plain) && !text.ends_with(':') && !WORDS.contains(&&*text.to_ascii_lowercase()) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if is_printable(letter) => quoted.push(letter),
            _ => quoted.push_str(&format!("\\U{:08X}", u32::from(letter))),
        }
    }
    quoted.push('"');
    quoted
}

/// `text` as the rest of a comment: one line.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|letter| if is_printable(letter) { letter } else { ' ' }).collect()
}

/// Neither a line break of any kind nor what YAML does not take as it stands.
fn is_printable(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;

    #[test]
    fn plain_where_that_is_clear() {
        for text in ["esa1", "/etc/esa1.password", "esa1.example.com", "https://192.0.2.1:6443", "https://a.b/"] {
            assert_eq!(scalar(text), text);
        }
        for (text, quoted) in [
            ("1", r#""1""#),
            ("No", r#""No""#),
            ("a: b", r#""a: b""#),
            ("a #b", r#""a #b""#),
            ("a\"\\\n", r#""a\"\\\U0000000A""#),
            ("a:", r#""a:""#),
            ("", r#""""#),
        ] {
            assert_eq!(scalar(text), quoted);
        }
        assert_eq!(comment("a\nb\u{2028}c\u{85}d: ü"), "a b c d: ü");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_stays_what_it_is(text in "\\PC{1,20}|[a-z:/#\\[{&*!|>%@` .0-9\"'\\\\-]{1,20}") {
            prop_assume!(text.trim() == text);
            let file = format!(
                "# {}\nappliances:\n  - name: {}\n    url: https://esa1\n    username: a\n    password: b\n",
                comment(&text),
                scalar(&text)
            );
            let config = Config::parse("test", &file);
            let name = config.map(|config| config.appliances[0].name.clone()).map_err(|error| error.to_string());
            // The configuration refuses such a value however it is quoted.
            prop_assume!(!name.as_ref().is_err_and(|error| error.contains("is a typographic quote")));
            prop_assert_eq!(name.map_err(|error| format!("{error}\n{file}")), Ok(text));
        }
    }
}
