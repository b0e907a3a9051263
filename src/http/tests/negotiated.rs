//! The negotiated form arrives at the page and is named in the response.

use super::*;

#[tokio::test]
async fn metrics_come_in_the_form_that_was_negotiated_and_say_so() {
    let metrics: Metrics = Arc::new(|scrape| {
        let Scrape { variant, appliances, families } = scrape;
        Box::pin(std::future::ready(match appliances.first() {
            Some(name) if name == "nobody" => {
                Err(Unanswered::UnknownAppliance { name: name.clone(), nearest: vec!["esa1".into()] })
            }
            Some(name) if name == "late" => Err(Unanswered::Stopping),
            _ => Ok(Bytes::from(format!("{variant:?} {appliances:?} {families:?}")).into()),
        }))
    });
    let server = Server::start(Pages { metrics, ..pages() }, NO_LIMIT).await;
    let ask = async |path: &str, headers: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: us\r\nConnection: close\r\n{headers}\r\n");
        exchange(server.connect().await, &request).await
    };
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let cases = [
        ("", "text/plain; version=0.0.4; charset=utf-8", None),
        ("Accept: application/openmetrics-text\r\n", openmetrics, None),
        ("Accept: application/openmetrics-text\r\nAccept-Encoding: gzip\r\n", openmetrics, Some("gzip")),
    ];
    for (headers, content_type, encoding) in cases {
        let answer = ask("/metrics?appliance=a&name[]=b", headers).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some(content_type), "{headers}");
        assert_eq!(answer.header("content-encoding"), encoding, "{headers}");
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(answer.header("content-length"), Some(&*answer.body.len().to_string()));
        assert!(answer.body.ends_with(r#" ["a"] ["b"]"#), "{}", answer.body);
    }
    let answer = ask("/metrics?appliance=nobody", "").await;
    assert_eq!((answer.status, &*answer.body), (400, "no appliance is called `nobody`; did you mean `esa1`?\n"));
    assert_eq!(ask("/metrics?appliance=late", "").await.status, 503);
    server.end().await;
}
