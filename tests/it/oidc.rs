//! Tokens of a real identity provider: `oidc-provider`, behind TLS, and an appliance that checks their signatures.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asyncos_exporter::api::{Client, Event, Listener, LoginFailureLog, Reason, SystemRoots};
use asyncos_exporter::base::clock::Clock;
use asyncos_exporter::config::Config;
use asyncos_exporter::sim::{self, BearerCheck};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

use crate::program::{DEFAULTS, Folder, HISTORY, Program, committed, simulate};
use crate::rig;
use crate::session::{CAPACITY, fetch, refused};
use crate::tls_proxy::Identity;

const SECRET: &str = "s3 cret:of/the&client+";
const LONG: u32 = 3600;

/// The provider as a process; ended with the test.
struct IdentityProvider {
    child: Child,
    port: u16,
    folder: Arc<Folder>,
    /// Statuses with which the token endpoint has answered.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl IdentityProvider {
    fn start(life: u32) -> Self {
        let folder = Folder::new();
        let identity = Identity::self_signed("127.0.0.1", rcgen::IsCa::NoCa);
        folder.write("idp.pem", &identity.pem);
        folder.write("idp.key", &identity.key_pem);
        Self::start_at(0, life, Arc::new(folder))
    }

    fn start_at(port: u16, life: u32, folder: Arc<Folder>) -> Self {
        let modules = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/oidc");
        let mut child = Command::new("node")
            .args(["tests/oidc/provider.mjs", modules, &folder.path("idp.pem"), &folder.path("idp.key")])
            .args([port.to_string(), life.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node; tests/run installs what is missing");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("address=")?.parse().ok());
        let port = port.expect("the provider listens; tests/run installs it");
        let answers = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&answers);
        std::thread::spawn(move || {
            for status in lines.filter_map(|line| line.strip_prefix("token ")?.parse().ok()) {
                heard.lock().expect("nobody panics with it").push(status);
            }
        });
        Self { child, port, folder, answers }
    }

    /// Another one at the same place, with other keys.
    fn restarted(mut self, life: u32) -> Self {
        self.end();
        let (port, folder) = (self.port, Arc::clone(&self.folder));
        drop(self);
        Self::start_at(port, life, folder)
    }

    fn end(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The keys that it signs with, by their ids.
    async fn keys(&self) -> HashMap<String, Vec<u8>> {
        let pem = std::fs::read(self.folder.path("idp.pem")).expect("its certificate");
        let answer = rig::client_trusting(&pem).get(format!("https://127.0.0.1:{}/jwks", self.port)).send().await;
        let text = answer.expect("an answer").text().await.expect("a text");
        let jwks: Value = serde_json::from_str(&text).expect("keys");
        let part = |key: &Value, name: &str| {
            URL_SAFE_NO_PAD.decode(key[name].as_str().expect("a number")).expect("a number in Base64")
        };
        let keys = jwks["keys"].as_array().expect("keys").iter();
        keys.map(|key| {
            let point = [vec![4], part(key, "x"), part(key, "y")].concat();
            (key["kid"].as_str().expect("an id").to_owned(), point)
        })
        .collect()
    }

    /// What the configuration of an appliance says to use it, with `rest` of its own.
    fn entry(&self, rest: &str) -> String {
        let (port, ca) = (self.port, self.folder.path("idp.pem"));
        format!(
            "auth: oidc, oidc: {{issuer: 'https://127.0.0.1:{port}', client_id: exporter, scope: read, \
             parameters: {{resource: 'urn:asyncos'}}, tls: {{ca_file: '{ca}'}}, {rest}}}"
        )
    }

    fn answers(&self) -> Vec<u16> {
        self.answers.lock().expect("nobody panics with it").clone()
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether a token of `keys` is good at `now`.
fn is_good(token: &str, keys: &HashMap<String, Vec<u8>>, now: u64) -> Option<()> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let (head, claims) = (json(head)?, json(claims)?);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, keys.get(head["kid"].as_str()?)?);
    key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    (claims["aud"] == "urn:asyncos" && claims["exp"].as_u64()? > now).then_some(())
}

/// An appliance that was told of the provider, and the keys that it knows.
async fn appliance(provider: &IdentityProvider) -> (sim::Appliance, Arc<Mutex<HashMap<String, Vec<u8>>>>) {
    let keys = Arc::new(Mutex::new(provider.keys().await));
    let known = Arc::clone(&keys);
    let mut settings = sim::Settings::esa("esa1");
    settings.behaviour.allow_basic = false;
    settings.behaviour.bearer = Some(BearerCheck::new(move |token, now| {
        is_good(token, &known.lock().expect("nobody panics with it"), now).is_some()
    }));
    (simulate(settings).await, keys)
}

fn client(appliance: &sim::Appliance, entry: &str, refusals: &LoginFailureLog, clock: &Clock) -> Client {
    let rest = "health: false, quarantines: false, inventory: false";
    let text = format!("appliances: [{{name: esa1, url: '{}', {rest}, {entry}}}]", appliance.url());
    let config = Config::parse("oidc", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let listener = Listener::new(|_: Event<'_>| {});
    Client::try_new(&config.appliances[0], &SystemRoots::default(), clock.clone(), listener, refusals.clone())
        .expect("a client")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_grant_yields_a_token_that_the_appliance_accepts() {
    let provider = IdentityProvider::start(LONG);
    let (esa, _) = appliance(&provider).await;
    let secret = format!("client_secret: '{SECRET}'");
    let user = "grant: password";
    let account = "username: monitor, password: 'p4ss word&'";
    for (rest, account) in [
        (secret.clone(), ""),
        (secret.clone() + ", client_auth: basic", ""),
        (secret.clone().replace("client_secret", "client_id: exporter-post, client_auth: post, client_secret"), ""),
        (format!("{user}, {secret}"), account),
        (format!("{user}, client_id: exporter-public, client_auth: none"), account),
    ] {
        // A key may stand once: the last one counts here.
        let (entry, own_id) = (provider.entry(&rest), rest.contains("client_id:"));
        let entry = if own_id { entry.replacen("client_id: exporter, ", "", 1) } else { entry };
        let separator = if account.is_empty() { "" } else { ", " };
        let client =
            client(&esa, &format!("{entry}{separator}{account}"), &LoginFailureLog::in_memory(), &Clock::system());
        for _ in 0..5 {
            assert_eq!(fetch(&client, CAPACITY).await, Ok(()), "{rest}");
        }
    }
    assert_eq!(provider.answers(), [200; 5], "one token each");
    assert_eq!(refused(&esa), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_tried_three_times_whatever_the_number_of_appliances() {
    let provider = IdentityProvider::start(LONG);
    let (esa, _) = appliance(&provider).await;
    let (refusals, clock) = (LoginFailureLog::in_memory(), rig::lapse(600));
    let entry = provider.entry("client_secret: wrong");
    let clients: Vec<_> = (0..5).map(|_| Arc::new(client(&esa, &entry, &refusals, &clock))).collect();
    let mut callers = tokio::task::JoinSet::new();
    for client in &clients {
        let (client, clock) = (Arc::clone(client), clock.clone());
        callers.spawn(async move {
            for _ in 0..120 {
                assert!(matches!(fetch(&client, CAPACITY).await, Err(Reason::LoginRefused | Reason::LoginWait)));
                clock.sleep(Duration::from_secs(15)).await;
            }
        });
    }
    callers.join_all().await;
    assert_eq!(provider.answers(), [401; 3]);
    assert!(esa.requests().is_empty(), "nothing to ask it with");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_renewed_before_it_ends() {
    let provider = IdentityProvider::start(20);
    let (esa, _) = appliance(&provider).await;
    let entry = provider.entry(&format!("client_secret: '{SECRET}'"));
    let client = client(&esa, &entry, &LoginFailureLog::in_memory(), &Clock::system());
    while provider.answers().len() < 2 {
        assert_eq!(fetch(&client, CAPACITY).await, Ok(()));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(refused(&esa), 0, "no token was used beyond its end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_goes_comes_back_with_other_keys_and_nothing_is_refused_for_it() {
    let mut provider = IdentityProvider::start(LONG);
    let (esa, known) = appliance(&provider).await;
    let (refusals, clock) = (LoginFailureLog::in_memory(), Clock::system());
    let entry = provider.entry(&format!("client_secret: '{SECRET}'"));
    let first = client(&esa, &entry, &refusals, &clock);
    assert_eq!(fetch(&first, CAPACITY).await, Ok(()));
    provider.end();
    assert_eq!(fetch(&first, CAPACITY).await, Ok(()), "the token in hand is good all the same");
    let second = client(&esa, &entry, &refusals, &clock);
    for _ in 0..5 {
        assert_eq!(fetch(&second, CAPACITY).await, Err(Reason::IdentityProvider), "it is away");
    }
    let provider = provider.restarted(LONG);
    assert_eq!(fetch(&first, CAPACITY).await, Ok(()), "the appliance knows the old keys");
    for _ in 0..5 {
        assert_eq!(fetch(&second, CAPACITY).await, Err(Reason::IdentityProvider), "and not yet the new ones");
    }
    *known.lock().expect("nobody panics with it") = provider.keys().await;
    assert_eq!(fetch(&second, CAPACITY).await, Ok(()), "five failures have blocked nothing");
    assert_eq!(fetch(&first, CAPACITY).await, Ok(()), "the old token was replaced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_polls_with_it_and_takes_a_secret_that_is_corrected() {
    let provider = IdentityProvider::start(LONG);
    let (esa, _) = appliance(&provider).await;
    let folder = Folder::new();
    let file = folder.write_secret("secret", "wrong");
    let entry = provider.entry(&format!("client_secret_file: '{file}'"));
    let text = format!("{DEFAULTS}  - {{name: esa1, url: '{}', inventory: false, {entry}}}\n", esa.url());
    let mut program = Program::serve(&folder.write("c.yaml", text), &["--log.level=trace"]);
    program.logs("the identity provider refused the request: `invalid_client`").await;
    folder.write_secret("secret", format!("{SECRET}\n"));
    let address = program.address().await;
    rig::until(address, "it is polled", |page| committed(page, "esa1") >= HISTORY).await;
    let page = rig::get(&format!("http://{address}/metrics")).await.text().await.expect("a page");
    let ended = program.stop().await;
    let said = format!("{page}{}{}", ended.stdout, ended.stderr);
    let tokens = esa.requests();
    let tokens = tokens.iter().filter_map(|request| request.header("Authorization")?.strip_prefix("Bearer "));
    let mut secrets = 0;
    for secret in tokens.chain([SECRET, "s3+cret", "s3%20cret"]) {
        assert!(!said.contains(secret), "`{secret}` is told");
        secrets += 1;
    }
    assert!(secrets > 10);
}
