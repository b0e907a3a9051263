//! Reads of a query what the checks want to know: its selectors, the functions they stand in, and its lists of labels.
//! Whether a query is one, Prometheus decides.

/// A selector of series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    /// Label, operator, value.
    pub(super) matchers: Vec<(String, String, String)>,
    /// What stands in brackets behind it.
    pub(super) range: Option<String>,
    /// The function or aggregation it is an argument of.
    pub(super) function: Option<String>,
}

/// What was read of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) selectors: Vec<Selector>,
    /// The labels that aggregations and matchings name.
    pub(super) labels: Vec<String>,
    pub(super) functions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(String),
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':' | '.' | '$')
}

fn tokens(query: &str) -> Vec<Token> {
    let letters: Vec<char> = query.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < letters.len() {
        let letter = letters[at];
        if letter.is_whitespace() {
            at += 1;
        } else if letter == '"' || letter == '\'' {
            let mut text = String::new();
            at += 1;
            while letters.get(at).is_some_and(|next| *next != letter) {
                text.push(letters[at]);
                at += 1;
            }
            assert!(at < letters.len(), "a text without an end in {query}");
            at += 1;
            tokens.push(Token::Text(text));
        } else if is_word(letter) {
            let end = letters[at..].iter().position(|letter| !is_word(*letter)).map_or(letters.len(), |end| at + end);
            tokens.push(Token::Word(letters[at..end].iter().collect()));
            at = end;
        } else {
            let two: String = letters[at..].iter().take(2).collect();
            let sign =
                if ["=~", "!~", "!=", "==", ">=", "<="].contains(&two.as_str()) { two } else { letter.to_string() };
            at += sign.len();
            tokens.push(Token::Sign(sign));
        }
    }
    tokens
}

/// Words that bring a list of labels along.
const LISTS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
const OPERATORS: [&str; 6] = ["and", "or", "unless", "offset", "bool", "atan2"];

/// Reads `query`.
///
/// # Panics
/// When its parentheses do not match.
pub(super) fn read(query: &str) -> Read {
    let tokens = tokens(query);
    let sign = |at: usize, wanted: &str| tokens.get(at) == Some(&Token::Sign(wanted.to_owned()));
    let (mut read, mut stack, mut at) = (Read::default(), Vec::<Option<String>>::new(), 0);
    while at < tokens.len() {
        match &tokens[at] {
            Token::Word(word) if LISTS.contains(&word.as_str()) => {
                assert!(sign(at + 1, "("), "no list after `{word}` in {query}");
                at += 2;
                while !sign(at, ")") {
                    if let Some(Token::Word(label)) = tokens.get(at) {
                        read.labels.push(label.clone());
                    }
                    assert!(at < tokens.len(), "a list without an end in {query}");
                    at += 1;
                }
                at += 1;
            }
            Token::Word(word) if OPERATORS.contains(&word.as_str()) => {
                // What follows `offset` is a duration.
                at += if word == "offset" { 2 } else { 1 };
            }
            Token::Word(word) if word.starts_with(|first: char| first.is_ascii_digit() || first == '$') => at += 1,
            Token::Word(word) => {
                // `sum by (x) (…)`: the list may stand between the name and the parenthesis.
                let is_list = matches!(tokens.get(at + 1), Some(Token::Word(next)) if LISTS.contains(&next.as_str()));
                if sign(at + 1, "(") {
                    read.functions.push(word.clone());
                    stack.push(Some(word.clone()));
                    at += 2;
                } else if is_list {
                    let close = (at..tokens.len()).find(|at| sign(*at, ")")).expect("the list's end");
                    for token in &tokens[at + 2..close] {
                        if let Token::Word(label) = token {
                            read.labels.push(label.clone());
                        }
                    }
                    assert!(sign(close + 1, "("), "nothing to aggregate in {query}");
                    read.functions.push(word.clone());
                    stack.push(Some(word.clone()));
                    at = close + 2;
                } else {
                    let (selector, next) = selector(&tokens, word.clone(), at + 1, query);
                    read.selectors.push(Selector { function: stack.last().cloned().flatten(), ..selector });
                    at = next;
                }
            }
            Token::Sign(opened) if opened == "{" => {
                let (selector, next) = selector(&tokens, String::new(), at, query);
                read.selectors.push(selector);
                at = next;
            }
            Token::Sign(opened) if opened == "(" => {
                // A pair of parentheses changes nothing for what is in it.
                stack.push(stack.last().cloned().flatten());
                at += 1;
            }
            Token::Sign(closed) if closed == ")" => {
                assert!(stack.pop().is_some(), "a parenthesis too many in {query}");
                at += 1;
            }
            Token::Sign(_) | Token::Text(_) => at += 1,
        }
    }
    assert!(stack.is_empty(), "a parenthesis is missing in {query}");
    read
}

/// What stands at `at`, behind the name of a metric if there is one.
fn selector(tokens: &[Token], metric: String, at: usize, query: &str) -> (Selector, usize) {
    let (mut selector, mut at) = (Selector { metric, ..Selector::default() }, at);
    let is = |at: usize, wanted: &str| tokens.get(at) == Some(&Token::Sign(wanted.to_owned()));
    if is(at, "{") {
        at += 1;
        while !is(at, "}") {
            let [Token::Word(label), Token::Sign(operator), Token::Text(value)] = &tokens[at..at + 3] else {
                panic!("no matcher in {query}");
            };
            selector.matchers.push((label.clone(), operator.clone(), value.clone()));
            at += 3;
            at += usize::from(is(at, ","));
        }
        at += 1;
    }
    if is(at, "[") {
        let Some(Token::Word(range)) = tokens.get(at + 1) else { panic!("no range in {query}") };
        selector.range = Some(range.clone());
        at += 3;
    }
    (selector, at)
}

#[test]
fn selectors_are_found_with_their_functions_and_lists() {
    let found = read(
        "sum by (a) (rate(x_total{job=~\"$job\",b!=\"\"}[$__rate_interval] offset 1w)) / on (a, c) group_left () \
         (count(up) > 0) or 0 * topk($k, appliance:y:z)",
    );
    let parts: Vec<_> = found
        .selectors
        .iter()
        .map(|one| (one.metric.as_str(), one.matchers.len(), one.range.as_deref(), one.function.as_deref()))
        .collect();
    assert_eq!(
        parts,
        [
            ("x_total", 2, Some("$__rate_interval"), Some("rate")),
            ("up", 0, None, Some("count")),
            ("appliance:y:z", 0, None, Some("topk")),
        ]
    );
    assert_eq!(found.labels, ["a", "a", "c"]);
    assert_eq!(found.functions, ["sum", "rate", "count", "topk"]);
}

#[test]
#[should_panic(expected = "a parenthesis is missing")]
fn a_parenthesis_that_is_missing_is_seen() {
    read("sum(rate(x[5m])");
}
