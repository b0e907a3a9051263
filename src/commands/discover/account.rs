//! Which of the two products answers, found by logging in: at most one refused login where the password is wrong, at
//! most two in all.
//!
//! The two have their APIs under `/esa/` and `/sma/`. No request without an account shows which of them it is,
//! so the login itself is tried under one, and under the other only if the first answer may mean that it was the wrong
//! place. `Invalid username or passphrase.` is the login's own refusal: the place is right, the password is wrong, and
//! nothing more is tried. `Unauthorized.` is what appliances answer to whom they do not know, whatever the path: under
//! the wrong product a login is no login but a request without credentials, so the other one is tried, once. With Basic
//! the password is judged before the path, so its first refusal is the last word.
//!
//! **Source:** docs.ces.cisco.com, API log; published clients for the messages.

use url::Url;

use super::findings::CAPACITY;
use super::survey;
use crate::api::{Cause, Client, Failure, Listener, LoginFailureLog, Reason, RefusalCause, StatusKind, SystemRoots};
use crate::base::clock::Clock;
use crate::commands::probe::access::Observed;
use crate::config::{Appliance, Product};

/// An appliance that takes the account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) client: Client,
    pub(super) appliance: Appliance,
    /// The status answers so far.
    pub(super) observed: Vec<Observed>,
}

/// The meaning of a failed login under one product for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OtherProduct {
    /// It may be the other product.
    Possible,
    /// Another attempt would show nothing, or costs too much.
    Excluded,
}

/// Logs in as the product that it is; `entry` makes the appliance for either.
///
/// # Errors
/// The reason why neither accepts the account, as a message for the user.
pub(super) async fn open(
    entry: impl Fn(Product) -> Result<Appliance, String>,
    clock: &Clock,
) -> Result<Account, String> {
    let roots = SystemRoots::default();
    let mut order = [Product::Esa, Product::Sma];
    if is_named_like_a_manager(&entry(Product::Esa)?.url) {
        order.reverse();
    }
    let mut first: Option<FailedAttempt> = None;
    for product in order {
        let appliance = entry(product)?;
        let (listener, refusals) = (Listener::new(|_| {}), LoginFailureLog::in_memory());
        let client = Client::try_new(&appliance, &roots, clock.clone(), listener, refusals);
        let client = client.map_err(|failure| explained(&failure))?;
        let login = client.connect().await;
        let is_logged_in = login.is_ok();
        let observed = match login {
            Ok(()) => first_status(&client, &appliance).await,
            Err(failure) => Err(failure),
        };
        let failed = match observed {
            Ok(observed) => return Ok(Account { client, appliance, observed }),
            Err(failure) => FailedAttempt { is_logged_in, other_product: other_product(&failure), failure },
        };
        match first {
            None if failed.other_product == OtherProduct::Excluded => return Err(explained(&failed.failure)),
            None => first = Some(failed),
            Some(first) => return Err(explained(&first.or(failed).failure)),
        }
    }
    Err("there is no third product".into())
}

/// A failed attempt as one product.
struct FailedAttempt {
    is_logged_in: bool,
    other_product: OtherProduct,
    failure: Failure,
}

impl FailedAttempt {
    /// The failure that explains more: the one of the right product. `self` may have been the wrong one.
    fn or(self, second: Self) -> Self {
        let refuses = second.failure.reason == Reason::LoginRefused && !is_of_no_api(&second.failure);
        let second_is_here = second.other_product == OtherProduct::Excluded || refuses;
        if second_is_here && !self.is_logged_in { second } else { self }
    }
}

/// Names of hosted managers end so. It decides only about the order.
///
/// **Source:** docs.ces.cisco.com.
fn is_named_like_a_manager(url: &Url) -> bool {
    let name = url.domain().and_then(|host| host.split('.').next()).unwrap_or_default();
    name.trim_end_matches(|last: char| last.is_ascii_digit()).ends_with("sma")
}

/// Whether a refused login was answered as a path that is none: every complete answer counts as a refusal, but this one
/// says nothing about the account.
fn is_of_no_api(failure: &Failure) -> bool {
    let is_page = matches!(failure.cause, Cause::NotTheApi | Cause::Login(RefusalCause::OtherServer));
    failure.reason == Reason::LoginRefused && (is_page || failure.detail.starts_with("status 404"))
}

/// Whether a refused login was answered as a request of nobody.
fn is_unknown(failure: &Failure) -> bool {
    failure.cause == Cause::Login(RefusalCause::OtherProduct)
}

fn other_product(failure: &Failure) -> OtherProduct {
    match failure.reason {
        Reason::LoginRefused if is_unknown(failure) || is_of_no_api(failure) => OtherProduct::Possible,
        // What stands at a path that is no API's: a refusal to find it, a page for people, the way to one.
        Reason::Declined | Reason::NotJson | Reason::Malformed | Reason::Redirect | Reason::Status => {
            OtherProduct::Possible
        }
        Reason::LoginRefused
        | Reason::Dns
        | Reason::Connect
        | Reason::Proxy
        | Reason::ProxyRefused
        | Reason::Tls
        | Reason::Timeout
        | Reason::Reset
        | Reason::Protocol
        | Reason::TooLarge
        | Reason::Unauthorized
        | Reason::NotAllowed
        | Reason::Throttled
        | Reason::Unavailable
        | Reason::Empty
        | Reason::TwoFactor
        | Reason::Passcode
        | Reason::IdentityProvider
        | Reason::LoginWait => OtherProduct::Excluded,
    }
}

/// Requests the first status answers. Any answer shows that the product is right, which an accepted password does not:
/// with Basic it is accepted under both.
///
/// # Errors
/// The failure, when no request is answered as by that product.
async fn first_status(client: &Client, appliance: &Appliance) -> Result<Vec<Observed>, Failure> {
    let mut observed = Vec::new();
    // The time zone first: accounts of low roles may read it, and what an account may read shows what its 401 mean.
    for aspect in [StatusKind::TimeZone, StatusKind::Privileges, StatusKind::Reporting] {
        let answer = client.observe(&aspect).await;
        if let Some(failure) = answer.as_ref().err().filter(|failure| failure.reason.concerns_all()) {
            return Err(failure.clone());
        }
        observed.push(Observed { aspect, answer });
    }
    let is_here = |failure: &Failure| matches!(failure.reason, Reason::NotAllowed | Reason::Empty);
    if observed.iter().any(|observed| observed.answer.as_ref().err().is_none_or(is_here)) {
        return Ok(observed);
    }
    // None of them, as in an old release: the report that every product has decides.
    match survey::hour(client, appliance, CAPACITY).await {
        Err(failure) if !is_here(&failure) => Err(failure),
        Ok(_) | Err(_) => Ok(observed),
    }
}

/// The failure in words, followed by what to do.
pub(super) fn explained(failure: &Failure) -> String {
    // Neither product offers the API there, so the place is wrong rather than the request.
    let failure = failure.clone();
    let text = match failure.reason == Reason::Declined || is_of_no_api(&failure) {
        true => failure.caused_by(Cause::NotTheApi).in_full(),
        // Both products were tried.
        false if is_unknown(&failure) => failure.caused_by(Cause::Unknown).in_full(),
        false => failure.in_full(),
    };
    // Advice speaks of keys of the configuration, which are flags here.
    [
        ("`url`", "`--url`"),
        ("`username`", "`--username`"),
        ("set `tls.ca_file`", "give `--ca-file`, once you have compared it"),
        ("`tls.fingerprint_sha256: ", "`--fingerprint-sha256 "),
    ]
    .iter()
    .fold(text, |text, (key, flag)| text.replace(key, flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: Reason, detail: &str) -> FailedAttempt {
        of(Failure::new(reason, detail))
    }

    fn of(failure: Failure) -> FailedAttempt {
        FailedAttempt { is_logged_in: false, other_product: other_product(&failure), failure }
    }

    #[test]
    fn the_other_product_is_tried_only_where_this_may_be_the_wrong_one() {
        let perhaps = |reason, detail| failed(reason, detail).other_product == OtherProduct::Possible;
        assert!(!perhaps(Reason::LoginRefused, "status 401: Invalid username or passphrase."));
        assert!(!perhaps(Reason::LoginRefused, "status 403: no message"));
        assert!(perhaps(Reason::LoginRefused, "status 404: Not Found."));
        let causes = [RefusalCause::OtherServer, RefusalCause::OtherProduct].map(Cause::Login);
        for cause in causes.into_iter().chain([Cause::NotTheApi]) {
            let failure = Failure::new(Reason::LoginRefused, "status 403: no message").caused_by(cause);
            assert_eq!(of(failure).other_product, OtherProduct::Possible);
        }
        assert!(
            perhaps(Reason::Declined, "status 404: Not Found.") && perhaps(Reason::NotJson, "status 404: no message")
        );
        // With Basic no refusal of the password, and nothing that another attempt makes worse.
        let tried: Vec<Reason> = Reason::ALL
            .into_iter()
            .filter(|reason| {
                let failure = Failure::new(*reason, "status 401: Unauthorized.");
                other_product(&failure) == OtherProduct::Possible
            })
            .collect();
        let pages = [Reason::Redirect, Reason::Declined, Reason::Status, Reason::NotJson, Reason::Malformed];
        assert_eq!(tried, pages);
    }

    #[test]
    fn the_failure_of_the_right_product_is_reported() {
        let refused = || failed(Reason::LoginRefused, "status 401: Invalid username or passphrase.");
        let unknown = || {
            let cause = Cause::Login(RefusalCause::OtherProduct);
            of(Failure::new(Reason::LoginRefused, "status 401: Unauthorized.").caused_by(cause))
        };
        let missing = || failed(Reason::LoginRefused, "status 404: Not Found.");
        let reported = |first: FailedAttempt, second: FailedAttempt| first.or(second).failure.detail;
        assert_eq!(reported(unknown(), refused()), "status 401: Invalid username or passphrase.");
        assert_eq!(reported(missing(), unknown()), "status 401: Unauthorized.");
        assert_eq!(reported(unknown(), missing()), "status 401: Unauthorized.");
        assert_eq!(reported(FailedAttempt { is_logged_in: true, ..missing() }, unknown()), "status 404: Not Found.");
    }

    #[test]
    fn hosted_managers_are_known_by_their_names() {
        let is = |url: &str| is_named_like_a_manager(&Url::parse(url).expect("a URL"));
        assert!(is("https://dh1234-sma1.iphmx.com") && is("https://sma:6443"));
        assert!(
            !is("https://dh1234-esa1.iphmx.com") && !is("https://192.0.2.1") && !is("https://esa1.sma.example.com")
        );
    }

    #[test]
    fn advice_about_certificates_names_flags() {
        let remedy = "if it is the appliance's own, set `tls.ca_file`, or `tls.fingerprint_sha256: 0abc`";
        let failure = Failure::new(Reason::Tls, "the certificate is not trusted").caused_by(Cause::remedy(remedy));
        let text = explained(&failure);
        assert!(
            text.ends_with("give `--ca-file`, once you have compared it, or `--fingerprint-sha256 0abc`"),
            "{text}"
        );
    }
}
