//! Concurrent requests, the rate limit, and latency.

use super::*;

#[tokio::test]
async fn concurrent_requests_are_counted_and_limited() {
    let rig = Rig::esa().await;
    rig.appliance.inject(Fault::Hang, On::every().times(2));
    let mut hanging = Vec::new();
    for count in 1..=2 {
        let mut stream = TcpStream::connect(rig.appliance.address()).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        hanging.push(stream);
        rig.appliance.wait_for(|log| log.len() == count).await;
    }
    assert_eq!(rig.appliance.most_in_flight(), 2);
    rig.get("/esa/api/v2.0/health").await;
    assert_eq!(rig.appliance.most_in_flight(), 3);
    rig.appliance.change(|behaviour| behaviour.busy_beyond = Some(2));
    assert_eq!(rig.get("/esa/api/v2.0/health").await.code(), 503);
    rig.appliance.stop().await;
}

#[tokio::test]
async fn requests_beyond_the_rate_limit_are_503() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| behaviour.rate_limit = Some(2));
    let ask = || rig.get("/esa/api/v2.0/health");
    assert_eq!((ask().await.code(), ask().await.code()), (200, 200));
    let response = ask().await;
    assert!(response.head.starts_with("HTTP/1.0 503 Service Unavailable\r\n"), "{}", response.head);
    assert_eq!((response.header("Content-Type"), response.header("Retry-After")), (Some("text/html"), None));
    assert_eq!(rig.login("ironport").await.code(), 503);
    rig.clock.set(NOON + 60);
    assert_eq!(ask().await.code(), 200);
}

#[tokio::test]
async fn longer_windows_take_longer() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| behaviour.latency_per_hour = Duration::from_secs(6));
    let minute = "startDate=2026-11-23T11:00Z&endDate=2026-11-23T11:01Z&device_type=esa";
    let before = tokio::time::Instant::now();
    assert_eq!(rig.report(&format!("mail_mar_summary?{minute}")).await.code(), 200);
    assert!(before.elapsed() >= Duration::from_millis(100));
}
