//! Logins, tokens, Basic credentials and the lock.

use super::*;

#[tokio::test]
async fn credentials_are_checked_before_the_path() {
    let rig = Rig::esa().await;
    let none = rig.get_with("/esa/api/v2.0/nowhere", &[]).await;
    assert_eq!((none.code(), none.message().as_str()), (401, "Unauthorized."));
    assert!(!none.head.to_ascii_lowercase().contains("www-authenticate"));
    let wrong = rig.get_with("/esa/api/v2.0/", &[("Authorization", &basic("guess"))]).await;
    assert_eq!(wrong.message(), "Unauthorized.");
    let wrong = rig.login("guess").await;
    assert_eq!((wrong.code(), wrong.message().as_str()), (401, "Invalid username or passphrase."));
    let incomplete = rig.post_login(r#"{"data": {"userName": "bW9uaXRvcg=="}}"#).await;
    assert_eq!((incomplete.code(), incomplete.message().as_str()), (404, "Unsupported attribute."));
    rig.appliance.change(|behaviour| behaviour.allow_basic = false);
    assert_eq!(rig.get("/esa/api/v2.0/login/privileges").await.code(), 401);
}

#[tokio::test]
async fn a_login_is_answered_as_recorded() {
    let rig = Rig::esa().await;
    let token = rig.token().await;
    let [_, payload, _] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["exp"], NOON + 1800);
    rig.appliance.change(|behaviour| behaviour.two_factor = true);
    let response = rig.login("ironport").await;
    let token = response.json()["data"]["jwtToken"].as_str().unwrap().to_owned();
    let body = format!(
        "{}{}",
        r#"{"data": {"userName": "monitor", "is2FactorRedirectRequired": "true", "role": "Administrator", "#,
        format_args!(r#""email": [], "jwtToken": "{token}"}}}}"#)
    );
    assert_eq!(response.body, body);
    assert_eq!(rig.with_token(&token, "one").await.message(), "Unauthorized.");
    assert_eq!(rig.get("/esa/api/v2.0/login/privileges").await.code(), 401);
}

#[tokio::test]
async fn a_refused_token_is_answered_with_the_reason() {
    let rig = Rig::esa().await;
    let token = rig.token().await;
    assert_eq!(rig.with_token(&token, "one").await.code(), 200);
    assert_eq!(rig.with_token(&token, "two").await.message(), "InvalidTokenError.");
    assert_eq!(rig.with_token("x.y.z", "one").await.message(), "InvalidTokenError.");
    rig.appliance.change(|behaviour| behaviour.bind_token = false);
    assert_eq!(rig.with_token(&token, "two").await.code(), 200);
    rig.clock.set(NOON + 1799);
    assert_eq!(rig.with_token(&token, "one").await.code(), 200);
    rig.clock.set(NOON + 1800);
    assert_eq!(rig.with_token(&token, "one").await.message(), "ExpiredSignatureError.");
    let token = rig.token().await;
    rig.appliance.revoke_tokens();
    assert_eq!(rig.with_token(&token, "one").await.message(), "InvalidTokenError.");
    rig.appliance.change(|behaviour| behaviour.token_is_opaque = true);
    let token = rig.token().await;
    assert!(!token.contains('.'));
    assert_eq!(rig.with_token(&token, "one").await.code(), 200);
}

#[tokio::test]
async fn answers_carry_a_fresh_token_in_the_last_five_minutes() {
    let rig = Rig::esa().await;
    let token = rig.token().await;
    rig.clock.set(NOON + 1500);
    assert_eq!(rig.with_token(&token, "one").await.header("jwtToken"), None);
    rig.clock.set(NOON + 1501);
    let response = rig.with_token(&token, "one").await;
    let fresh = response.header("jwtToken").unwrap();
    rig.clock.set(NOON + 1800);
    assert_eq!(rig.with_token(fresh, "one").await.code(), 200);
    rig.appliance.change(|behaviour| behaviour.refresh = false);
    rig.clock.set(NOON + 1501 + 1799);
    assert_eq!(rig.with_token(fresh, "one").await.header("jwtToken"), None);
}

#[tokio::test]
async fn a_locked_account_refuses_good_credentials() {
    let rig = Rig::esa().await;
    rig.appliance.change(|behaviour| behaviour.lockout_after = Some(2));
    let token = rig.token().await;
    rig.login("guess").await;
    assert_eq!(rig.login("ironport").await.code(), 200, "a good login resets the count");
    rig.login("guess").await;
    rig.get_with("/esa/api/v2.0/", &[("Authorization", &basic("guess"))]).await;
    assert_eq!(rig.login("ironport").await.message(), "Unauthorized.");
    assert_eq!(rig.with_token(&token, "one").await.message(), "Unauthorized.");
    rig.appliance.unlock();
    assert_eq!(rig.login("ironport").await.code(), 200);
    rig.appliance.set_passphrase("changed");
    assert_eq!(rig.login("ironport").await.message(), "Invalid username or passphrase.");
    assert_eq!(rig.login("changed").await.code(), 200);
}
