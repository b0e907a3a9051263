//! Recorded answers in place of simulated ones. A request is recognized by its method, its path and its parameters; of
//! several answers, the one for the same window is sent, else the newest for a window as long, else the newest.

use std::cmp::Reverse;

use crate::sim::answer::Answer;
use crate::sim::recorded::RecordedAnswer;
use crate::sim::request::{Request, RequestKind, decode};
use crate::sim::settings::Product;

/// The parameters of a window.
const DATES: [&str; 2] = ["startDate", "endDate"];

/// Recorded answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Replay(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    request: Request,
    answer: RecordedAnswer,
}

impl Replay {
    /// The answers of an appliance.
    pub(super) fn new(product: Product, answers: &[RecordedAnswer]) -> Self {
        let request = |answer: &RecordedAnswer| {
            Request::new(product, &answer.method, &answer.target, Vec::new(), std::time::UNIX_EPOCH)
        };
        Self(answers.iter().map(|answer| Entry { request: request(answer), answer: answer.clone() }).collect())
    }

    /// Whether `request` is a login that succeeds: unless one was recorded that did not.
    pub(super) fn accepts(&self, request: &Request) -> bool {
        let is_success = |answer: &RecordedAnswer| (200..300).contains(&answer.status);
        matches!(request.kind, RequestKind::Login | RequestKind::SecondFactor)
            && self.answer(request).is_none_or(is_success)
    }

    /// The answer to `request`; none where nothing like it was recorded.
    pub(super) fn answer(&self, request: &Request) -> Option<&RecordedAnswer> {
        let wanted = parameters(request);
        let is_alike = |entry: &&Entry| {
            entry.request.method == request.method
                && decode(&entry.request.path) == decode(&request.path)
                && parameters(&entry.request) == wanted
        };
        let length = |window: Option<(u64, u64)>| window.map(|(start, end)| end.saturating_sub(start));
        let rank = |entry: &&Entry| {
            let window = entry.request.window;
            let is_same = window == request.window;
            let is_as_long = length(window) == length(request.window);
            (is_same, is_as_long, window.map(|(_, end)| end))
        };
        // Of equals the first, which a client saw first.
        let found = self.0.iter().filter(is_alike).min_by_key(|entry| Reverse(rank(entry)));
        found.map(|entry| &entry.answer)
    }
}

/// `recorded` as it is sent again.
pub(super) fn answer(recorded: &RecordedAnswer) -> Answer {
    Answer::recorded(recorded.status, &recorded.headers, &recorded.body)
}

/// The parameters other than those of the window, in a fixed order.
fn parameters(request: &Request) -> Vec<(&str, &str)> {
    let pairs = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut pairs: Vec<_> = pairs.filter(|(name, _)| !DATES.contains(name)).collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn request(method: &str, target: &str) -> Request {
        Request::new(Product::Esa, method, target, Vec::new(), UNIX_EPOCH)
    }

    fn replay(answers: &[(&str, u16)]) -> Replay {
        let answer = |(request, status): &(&str, u16)| {
            let (method, target) = request.split_once(' ').expect("a method");
            let (method, target) = (method.to_owned(), target.to_owned());
            RecordedAnswer { method, target, status: *status, headers: Vec::new(), body: String::new() }
        };
        Replay::new(Product::Esa, &answers.iter().map(answer).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_window_is_preferred_to_the_newest_one_of_its_length() {
        let path = "/esa/api/v2.0/reporting/x";
        let window = |from: &str, to: &str| {
            format!("{path}?startDate=2026-11-23T{from}:00.000Z&endDate=2026-11-23T{to}:00.000Z")
        };
        let [first, second, hour] = [window("10:00", "10:05"), window("10:05", "10:10"), window("09:00", "10:00")];
        let recorded = [first, second, hour].map(|target| format!("GET {target}"));
        let replay = replay(&[(&recorded[0], 1), (&recorded[1], 2), (&recorded[2], 3)]);
        let status = |from, to| replay.answer(&request("GET", &window(from, to))).map(|answer| answer.status);
        assert_eq!(status("10:00", "10:05"), Some(1));
        assert_eq!(status("11:00", "11:05"), Some(2));
        assert_eq!(status("11:00", "12:00"), Some(3));
        assert_eq!(status("11:00", "13:00"), Some(2));
        assert_eq!(replay.answer(&request("GET", &format!("{path}?top=5"))), None);
    }

    #[test]
    fn order_and_spelling_of_parameters_do_not_matter() {
        let replay = replay(&[("GET /x%20y?a=b+c&d=e", 1), ("GET /x y?a=1", 2), ("POST /x%20y?d=e&a=b+c", 3)]);
        let status = |method, target| replay.answer(&request(method, target)).map(|answer| answer.status);
        assert_eq!(status("GET", "/x%20y?d=e&a=b%20c"), Some(1));
        assert_eq!(status("POST", "/x%20y?d=e&a=b%20c"), Some(3));
        assert_eq!(status("GET", "/x%20y"), None);
    }

    #[test]
    fn a_login_succeeds_unless_the_recorded_one_did_not() {
        let login = request("POST", "/esa/api/v2.0/login");
        assert!(replay(&[]).accepts(&login));
        assert!(replay(&[("POST /esa/api/v2.0/login", 200)]).accepts(&login));
        assert!(!replay(&[("POST /esa/api/v2.0/login", 401)]).accepts(&login));
        assert!(!replay(&[]).accepts(&request("GET", "/esa/api/v2.0/health")));
    }
}
