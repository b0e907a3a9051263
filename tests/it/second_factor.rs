//! Accounts with a second factor against the simulated appliance, which takes every passcode once and only in its own
//! half minute.

use std::time::Duration;

use asyncos_exporter::api::Reason;
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::sim::{self, RequestKind};

use crate::program::Folder;
use crate::rig::{BEGINNING, lapse, simulate};
use crate::session::{CAPACITY, client, fetch, logins, refused};

const SECRET: &[u8] = b"12345678901234567890";
/// The same as accounts are given it.
const SPELLED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const WITH_SECRET: &str = "two_factor: {totp_secret: GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ}";

async fn appliance(clock: &Clock) -> sim::Appliance {
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.two_factor = true;
    settings.behaviour.totp_secret = Some(SECRET.to_vec());
    simulate(settings, clock).await
}

fn second_steps(appliance: &sim::Appliance) -> usize {
    appliance.count(|request| request.kind == RequestKind::SecondFactor)
}

#[tokio::test]
async fn a_passcode_is_sent_on_request_and_never_twice() {
    // Slow enough for a loaded machine to answer within the three seconds that a passcode has left at least.
    let clock = lapse(5);
    for when in ["asked", "always"] {
        let appliance = appliance(&clock).await;
        let rest = format!("two_factor: {{totp_secret: '{}', when: {when}}}", SPELLED.to_lowercase());
        let client = client(&appliance, &rest, &clock);
        for login in 1..=3 {
            assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{when}");
            assert_eq!((logins(&appliance), second_steps(&appliance)), (login, login), "{when}");
            appliance.revoke_tokens();
        }
        assert_eq!(refused(&appliance), 2, "{when}: the revoked tokens and nothing else");
    }
}

#[tokio::test]
async fn passcodes_go_by_the_appliances_clock() {
    for offset in [-7200, 95] {
        let clock = lapse(1);
        let appliance = appliance(&clock).await;
        appliance.change(|behaviour| behaviour.clock_offset_secs = offset);
        let client = client(&appliance, WITH_SECRET, &clock);
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{offset}");
        assert_eq!(refused(&appliance), 0, "{offset}");
    }
}

#[tokio::test]
async fn an_account_without_a_second_factor_sends_no_passcode() {
    let clock = lapse(1);
    let appliance = simulate(sim::Settings::esa("esa1"), &clock).await;
    let client = client(&appliance, WITH_SECRET, &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    assert_eq!((logins(&appliance), second_steps(&appliance)), (1, 0));
}

/// An hour of requests to an appliance with this secret, or without a second step: three logins with a passcode each.
async fn assert_three_attempts(secret: Option<Vec<u8>>) {
    let clock = lapse(600);
    let appliance = appliance(&clock).await;
    appliance.change(|behaviour| behaviour.totp_secret = secret);
    let client = client(&appliance, WITH_SECRET, &clock);
    assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::LoginRefused));
    for _ in 0..360 {
        assert!(fetch(&client, CAPACITY).await.is_err());
        clock.sleep(Duration::from_secs(10)).await;
    }
    assert_eq!((logins(&appliance), second_steps(&appliance)), (3, 3));
}

#[tokio::test]
async fn wrong_passcodes_are_given_three_times_and_never_again() {
    assert_three_attempts(Some(b"another".to_vec())).await;
}

#[tokio::test]
async fn a_missing_second_step_is_tried_three_times_and_never_again() {
    assert_three_attempts(None).await;
}

#[tokio::test]
async fn a_program_can_provide_the_passcode() {
    let folder = Folder::new();
    let clock = lapse(1);
    let appliance = appliance(&clock).await;
    let file = folder.path("passcode");
    let rest = format!("two_factor: {{command: [sh, -c, 'cat \"$0\"', '{file}']}}");
    let client = client(&appliance, &rest, &clock);
    for _ in 0..5 {
        assert_eq!(fetch(&client, CAPACITY).await, Err(Reason::Passcode), "a program that fails burns nothing");
    }
    assert_eq!((second_steps(&appliance), refused(&appliance)), (0, 0));
    // The time lapse has begun with a half minute, which is not over yet.
    folder.write("passcode", format!("{}\n", sim::passcode(SECRET, BEGINNING)));
    assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
    assert_eq!(second_steps(&appliance), 1);
}
