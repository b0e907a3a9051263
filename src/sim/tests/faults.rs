//! Every fault, as the client sees it.

use serde_json::json;

use super::*;

async fn ask(rig: &Rig) -> Response {
    rig.report(&format!("mail_mor_summary?{WINDOW}&device_type=esa")).await
}

async fn raw(rig: &Rig) -> std::io::Result<String> {
    let credentials = basic("ironport");
    let target = format!("/esa/api/v2.0/reporting/mail_mor_summary?{WINDOW}&device_type=esa");
    let bytes = rig.bytes(&format!("GET {target} HTTP/1.1\r\nAuthorization: {credentials}\r\n\r\n")).await?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// The answer to a report request under one fault.
async fn under(fault: Fault) -> Response {
    let rig = Rig::esa().await;
    rig.appliance.inject(fault, On::group("mail_mor_summary"));
    ask(&rig).await
}

#[tokio::test]
async fn a_status_fault_sends_each_kind_of_body() {
    let json = FaultBody::Json("Try later.".to_owned());
    let response = under(Fault::Status { code: 503, body: json, retry_after: Some("7".to_owned()) }).await;
    assert!(response.head.starts_with("HTTP/1.0 503 Try later\r\n"));
    assert_eq!(response.header("Retry-After"), Some("7"));
    assert_eq!(response.message(), "Try later.");
    let response = under(Fault::Status { code: 502, body: FaultBody::Html, retry_after: None }).await;
    assert!(response.head.starts_with("HTTP/1.0 502 Bad Gateway\r\n"));
    assert_eq!(response.header("Content-Type"), Some("text/html"));
    assert!(response.body.contains("<p>Error code 502.\n"));
    let response = under(Fault::Status { code: 500, body: FaultBody::Empty, retry_after: None }).await;
    assert_eq!((response.code(), response.header("Content-Length"), response.body.as_str()), (500, Some("0"), ""));
    let response = under(Fault::Unauthorized("ExpiredSignatureError.".to_owned())).await;
    assert_eq!((response.code(), response.message().as_str()), (401, "ExpiredSignatureError."));
    let response = under(Fault::Redirect("http://elsewhere/".to_owned())).await;
    assert_eq!((response.code(), response.header("Location")), (302, Some("http://elsewhere/")));
}

#[tokio::test]
async fn body_faults_replace_the_report() {
    assert_eq!(under(Fault::EmptyObject).await.body, "{}");
    assert_eq!(under(Fault::RawBody("[1".to_owned())).await.body, "[1");
    let response = under(Fault::GarbageBody).await;
    assert_eq!((response.code(), response.header("Content-type")), (200, Some("application/json")));
    assert!(serde_json::from_str::<Value>(&response.body).is_err());
    let response = under(Fault::Huge(100_000)).await;
    assert_eq!((response.header("Content-Length"), response.body.len()), (Some("100000"), 100_000));
    assert!(response.json().is_string());
}

#[tokio::test]
async fn report_faults_change_the_result_set() {
    assert_eq!(under(Fault::EmptyResultSet).await.json()["data"]["resultSet"], json!([]));
    assert_eq!(under(Fault::NullResultSet).await.json()["data"]["resultSet"], json!(null));
    let rig = Rig::esa().await;
    let name = "msgs_deleted".to_owned();
    rig.appliance.inject(Fault::DropCounters(vec!["msgs_forwarded".to_owned()]), On::reports());
    rig.appliance.inject(Fault::SetCounter(name, json!({"key": "k", "value": -5})), On::reports());
    rig.appliance.inject(Fault::SetCounter("no_such".to_owned(), json!(1)), On::reports());
    rig.appliance.inject(Fault::ExtraCounter("new".to_owned(), json!("N/A")), On::reports());
    let truth = rig.appliance.truth(&Scope::Whole, "mail_mor_summary", "msgs_forwarded_deleted", NOON - 3600, NOON);
    let rows = ask(&rig).await.json()["data"]["resultSet"].clone();
    let kept = truth.unwrap() as u64;
    let expected =
        json!([{"msgs_deleted": {"key": "k", "value": -5}}, {"msgs_forwarded_deleted": kept}, {"new": "N/A"}]);
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn wire_faults_break_the_answer_on_its_way() {
    let rig = Rig::esa().await;
    let whole = raw(&rig).await.unwrap();
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    let spoil = |fault| {
        rig.appliance.clear_faults();
        rig.appliance.inject(fault, On::every());
        raw(&rig)
    };
    let half = &body[..body.len() / 2];
    assert_eq!(spoil(Fault::Truncate).await.unwrap(), format!("{head}\r\n\r\n{half}"));
    let length = format!("Content-Length: {}\r\n", body.len());
    assert_eq!(spoil(Fault::NoContentLength).await.unwrap(), whole.replace(&length, ""));
    let with_cr = whole.replace("Connection:", "X-Comment: one\rtwo\r\nConnection:");
    assert_eq!(spoil(Fault::BareCr).await.unwrap(), with_cr);
    assert_eq!(spoil(Fault::DripHeaders(Duration::ZERO)).await.unwrap(), whole);
    assert_eq!(spoil(Fault::Slow(Duration::from_millis(1))).await.unwrap(), whole);
    assert_eq!(spoil(Fault::Garbage).await.unwrap(), "220 mail.example.com ESMTP\r\n");
    assert_eq!(spoil(Fault::CloseEarly).await.unwrap(), "");
    assert_eq!(spoil(Fault::Reset).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let statuses: Vec<_> = rig.appliance.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 0, 0, 0]);
    assert!(rig.appliance.requests().iter().all(|request| request.in_flight == 1));
}

#[tokio::test]
async fn a_hung_request_counts_until_the_client_leaves() {
    let rig = Rig::esa().await;
    rig.appliance.inject(Fault::Hang, On::every().times(1));
    let mut stream = TcpStream::connect(rig.appliance.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    rig.appliance.wait_for(|log| log.len() == 1).await;
    ask(&rig).await;
    let in_flight: Vec<_> = rig.appliance.requests().iter().map(|request| request.in_flight).collect();
    assert_eq!(in_flight, [1, 2]);
    rig.appliance.stop().await;
}

#[tokio::test]
async fn tokens_can_be_revoked_as_a_request_arrives() {
    let rig = Rig::esa().await;
    let token = rig.token().await;
    rig.appliance.inject(Fault::Revoke, On::every().after(1).times(1));
    assert_eq!(rig.with_token(&token, "one").await.code(), 200);
    assert_eq!(rig.with_token(&token, "one").await.message(), "InvalidTokenError.");
    let token = rig.token().await;
    assert_eq!(rig.with_token(&token, "one").await.code(), 200);
}
