//! The token in hand: which answers replace it, and how long it is used.

use super::*;
use crate::api::Listener;
use crate::api::time::Arrival;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::config::Config;

const BEGINNING: u64 = 1_795_435_200; // 2026-11-23T12:00:00Z

fn session(timeout: Duration) -> Session {
    let text = format!(
        "appliances: [{{name: a, url: 'http://localhost:1', username: u, password: p, \
         polling: {{timeout: {}s}}}}]",
        timeout.as_secs()
    );
    let appliance = Config::parse("test", &text).expect("a valid configuration").appliances.remove(0);
    let clock = Clock::lapse(Timestamp::from_secs(BEGINNING), 1);
    let (roots, refusals) = (SystemRoots::default(), LoginFailureLog::in_memory());
    let transport =
        Transport::try_new(&appliance, &roots, clock, Listener::new(|_| {}), refusals.clone()).expect("a transport");
    Session::try_new(Arc::new(transport), &appliance, &roots, refusals).expect("a session")
}

fn header(token: &str) -> Header {
    token_header(&Secret::new(token)).expect("a header")
}

fn life(span: Duration) -> TokenLifetime {
    TokenLifetime { expires: Timestamp::from_secs(BEGINNING) + span, ends: Tick::default() + span, span }
}

#[tokio::test(start_paused = true)]
async fn only_an_answer_to_the_token_in_hand_brings_the_next() {
    let session = session(LEAST_LEFT);
    let at = Timestamp::from_secs(BEGINNING);
    let came = Arrival { at, date: at, tick: Tick::default() };
    let answer = |token: &str| Answer::with_token(Secret::new(token), came);
    let in_hand = || session.at_hand().map(|credential| credential.header);
    let first = session.state().hold(header("first"), Some(life(ASSUMED_LIFE)), Origin::Login);
    session.renewed(&first, &answer("second"));
    assert_eq!(in_hand(), Some(header("second")));
    session.renewed(&first, &answer("late"));
    assert_eq!(in_hand(), Some(header("second")), "the answer to a request with the first token came late");
    let second = session.at_hand().expect("a token");
    session.state().credential = None;
    session.renewed(&second, &answer("of a token that was given up"));
    assert_eq!(in_hand(), None);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_until_too_little_of_it_is_left() {
    let seconds = Duration::from_secs;
    // Its life, the time limit of a request, and what is too little.
    let cases = [(1800, 5, 60), (1800, 60, 60), (1800, 90, 90), (600, 5, 60), (300, 5, 30), (300, 90, 30), (60, 5, 6)];
    for (span, timeout, least) in cases {
        let session = session(seconds(timeout));
        let clock = session.transport.time.clock();
        session.state().hold(header("token"), Some(life(seconds(span))), Origin::Login);
        clock.sleep(seconds(span - least) - Duration::from_millis(1)).await;
        assert!(session.at_hand().is_some(), "{least} s and a moment are left of {span} s");
        clock.sleep(Duration::from_millis(1)).await;
        assert!(session.at_hand().is_none(), "{least} s are left of {span} s");
    }
}
