//! Answers and what their status means.

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    let at = Timestamp::from_secs(0);
    let arrival = Arrival { at, date: at, tick: Tick::default() };
    Answer::bare(status, body, arrival)
}

#[test]
fn only_answers_in_a_form_of_the_api_tell_its_time() {
    let error = r#"{"error": {"message": "Unauthorized.", "code": "401", "explanation": "…"}}"#;
    for (status, body) in
        [(200, r#"{"data": {}}"#), (201, "{}"), (401, error), (403, error), (404, error), (500, error)]
    {
        assert!(answer(status, body).is_the_apis_own(), "{status} {body}");
    }
    for (status, body) in [
        (200, "<html>"),
        (200, ""),
        (200, "5"),
        (200, r#"{"data": "#),
        (302, error),
        (404, "<html>"),
        (503, ""),
        (503, "<html>"),
        (503, r#"{"status": "unavailable"}"#),
    ] {
        assert!(!answer(status, body).is_the_apis_own(), "{status} {body}");
    }
}

#[test]
fn the_status_decides_and_404_needs_a_message() {
    let error = r#"{"error": {"message": "Not Found.", "code": "404", "explanation": "…"}}"#;
    let reason = |status, body| answer(status, body).checked().map_err(|failure| failure.reason).err();
    assert_eq!(reason(200, "<html>"), None);
    assert_eq!(reason(302, ""), Some(Reason::Redirect));
    assert_eq!(reason(400, error), Some(Reason::Declined));
    assert_eq!(reason(401, ""), Some(Reason::Unauthorized));
    assert_eq!(reason(403, ""), Some(Reason::NotAllowed));
    assert_eq!(reason(404, error), Some(Reason::Declined));
    assert_eq!(reason(404, "<html>"), Some(Reason::NotJson));
    assert_eq!([410, 413, 501].map(|status| reason(status, "<html>")), [Some(Reason::Declined); 3]);
    assert_eq!(reason(418, ""), Some(Reason::Status));
    assert_eq!(reason(429, ""), Some(Reason::Throttled));
    assert_eq!(reason(502, "<html>"), Some(Reason::Unavailable));
    let checked = |answer: Answer| answer.checked().unwrap_err();
    let problem_text = |answer: Answer| checked(answer).to_string();
    assert_eq!(problem_text(answer(404, error)), "status 404: Not Found.");
    assert_eq!(problem_text(answer(503, "")), "status 503: no message");
    let page = "\u{feff} <!DOCTYPE HTML PUBLIC>";
    for (status, cause) in
        [401, 403, 404, 501].map(|status| (status, Cause::NotTheApi)).into_iter().chain([(500, Cause::Unknown)])
    {
        let failure = checked(answer(status, page));
        assert_eq!(failure.to_string(), format!("status {status} with HTML instead of JSON"));
        assert_eq!(failure.cause, cause);
    }
    let to = |status, body| Answer { target: Some("esa1/login".into()), ..answer(status, body) };
    assert_eq!(problem_text(to(302, page)), "status 302 to esa1/login");
    assert_eq!(checked(to(302, page)).cause, Cause::NotTheApi);
    assert_eq!(problem_text(answer(302, "")), "status 302: no message");
    assert_eq!(problem_text(to(404, error)), "status 404: Not Found.", "it points nowhere");
    // A server of TLS answers so to a request without it.
    for body in [page, "Client sent an HTTP request to an HTTPS server."] {
        assert_eq!(checked(Answer { is_plain: true, ..answer(400, body) }).cause, Cause::ExpectsTls);
        assert_ne!(checked(answer(400, body)).cause, Cause::ExpectsTls);
    }
    assert_eq!(checked(Answer { is_plain: true, ..answer(400, error) }).cause, Cause::Unknown, "the API's own");
    // Elsewhere HTML is no surprise.
    assert_eq!(problem_text(Answer { is_of_the_api: false, ..to(302, page) }), "status 302 to esa1/login");
    assert_eq!(problem_text(Answer { is_of_the_api: false, ..answer(404, page) }), "status 404: no message");
}

#[test]
fn a_mark_at_the_beginning_is_passed_over() {
    assert_eq!(answer(200, "\u{feff}{}").body(), "{}");
}
