//! The faults waiting to strike, and what they make of one request. Pure: it decides, others act.

use std::time::Duration;

use crate::sim::answer::Answer;
use crate::sim::fault::{Fault, FaultBody, On};
use crate::sim::report::Edit;
use crate::sim::request::Request;
use crate::sim::status;

/// Every fault injected and not yet spent, in order of injection.
#[derive(Default)]
pub(super) struct Injected(Vec<Injection>);

struct Injection {
    fault: Fault,
    on: On,
}

/// What the faults want done to one request.
#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct Plan {
    /// How much longer it takes.
    pub(super) slow: Duration,
    /// Whether tokens are revoked first.
    pub(super) revoke: bool,
    /// The value of the `Date` header instead of the appliance's clock.
    pub(super) date: Option<String>,
    /// Changes to the report, in order.
    pub(super) edits: Vec<Edit>,
    /// What replaces or spoils the answer.
    pub(super) end: Option<End>,
}

/// What becomes of the answer in the end.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum End {
    /// This one is sent in its place.
    Instead(Answer),
    /// It reaches the wire like this.
    Spoilt(Spoilt),
}

/// What can go wrong on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Spoilt {
    NeverSent,
    Reset,
    Closed,
    HalfBody,
    NotHttp,
    Dripping(Duration),
    BareCr,
    NoContentLength,
    Huge(usize),
}

impl Injected {
    pub(super) fn push(&mut self, fault: Fault, on: On) {
        self.0.push(Injection { fault, on });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Consults the faults in order, up to the first that settles the answer; those behind it do not count the request.
    pub(super) fn plan(&mut self, request: &Request) -> Plan {
        let mut plan = Plan::default();
        for injection in &mut self.0 {
            if plan.end.is_some() {
                break;
            }
            if injection.strikes(request) {
                plan.add(injection.fault.clone());
            }
        }
        self.0.retain(|injection| injection.on.times != Some(0));
        plan
    }
}

impl Injection {
    fn strikes(&mut self, request: &Request) -> bool {
        if !self.on.matches(request) {
            return false;
        }
        if self.on.after > 0 {
            self.on.after -= 1;
            return false;
        }
        match &mut self.on.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

impl Plan {
    fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Slow(more) => self.slow += more,
            Fault::Revoke => self.revoke = true,
            Fault::Date(date) => self.date = Some(date),
            Fault::EmptyResultSet => self.edits.push(Edit::Empty),
            Fault::NullResultSet => self.edits.push(Edit::Null),
            Fault::DropCounters(names) => self.edits.push(Edit::Drop(names)),
            Fault::ExtraCounter(name, value) => self.edits.push(Edit::Add(name, value)),
            Fault::SetCounter(name, value) => self.edits.push(Edit::Set(name, value)),
            Fault::Status { code, body, retry_after } => self.instead(status(code, &body, retry_after)),
            Fault::Unauthorized(message) => self.instead(Answer::error(401, &message)),
            Fault::Redirect(to) => self.instead(Answer::bare(302).with("Location", to)),
            Fault::GarbageBody => self.instead(Answer::ok("<html>this is no JSON")),
            Fault::RawBody(body) => self.instead(Answer::ok(body)),
            Fault::EmptyObject => self.instead(Answer::ok("{}")),
            Fault::Hang => self.spoil(Spoilt::NeverSent),
            Fault::Reset => self.spoil(Spoilt::Reset),
            Fault::CloseEarly => self.spoil(Spoilt::Closed),
            Fault::Truncate => self.spoil(Spoilt::HalfBody),
            Fault::Garbage => self.spoil(Spoilt::NotHttp),
            Fault::DripHeaders(pause) => self.spoil(Spoilt::Dripping(pause)),
            Fault::BareCr => self.spoil(Spoilt::BareCr),
            Fault::NoContentLength => self.spoil(Spoilt::NoContentLength),
            Fault::Huge(bytes) => self.spoil(Spoilt::Huge(bytes)),
        }
    }

    fn instead(&mut self, answer: Answer) {
        self.end = Some(End::Instead(answer));
    }

    fn spoil(&mut self, how: Spoilt) {
        self.end = Some(End::Spoilt(how));
    }
}

fn status(code: u16, body: &FaultBody, retry_after: Option<String>) -> Answer {
    let answer = match body {
        FaultBody::Json(message) => Answer::error(code, message),
        FaultBody::Html => Answer::page(code, status::texts(code).0),
        FaultBody::Empty => Answer::bare(code),
    };
    match retry_after {
        Some(when) => answer.with("Retry-After", when),
        None => answer,
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::sim::settings::Product;

    fn report(group: &str) -> Request {
        let target = format!("/esa/api/v2.0/reporting/{group}?device_type=esa");
        Request::new(Product::Esa, "GET", &target, Vec::new(), UNIX_EPOCH)
    }

    fn login() -> Request {
        Request::new(Product::Esa, "POST", "/esa/api/v2.0/login", Vec::new(), UNIX_EPOCH)
    }

    #[test]
    fn a_fault_strikes_its_requests_as_often_as_told() {
        let mut injected = Injected::default();
        injected.push(Fault::Reset, On::group("a").after(1).times(2));
        let mut strikes = |request| injected.plan(&request).end.is_some();
        assert!(!strikes(report("a")), "the first is let through");
        assert!(!strikes(report("b")) && !strikes(login()), "others do not count");
        assert!(strikes(report("a")) && strikes(report("a")));
        assert!(!strikes(report("a")), "and then it is spent");
        assert!(injected.0.is_empty());
    }

    #[test]
    fn edits_add_up_until_the_first_fault_that_settles_the_answer() {
        let mut injected = Injected::default();
        injected.push(Fault::Slow(Duration::from_secs(1)), On::every());
        injected.push(Fault::Date("today".to_owned()), On::every());
        injected.push(Fault::DropCounters(vec!["x".to_owned()]), On::reports());
        injected.push(Fault::Hang, On::reports().times(1));
        injected.push(Fault::EmptyResultSet, On::reports());
        injected.push(Fault::Revoke, On::login());
        let drop = Edit::Drop(vec!["x".to_owned()]);
        let slow = Duration::from_secs(1);
        let hang = Some(End::Spoilt(Spoilt::NeverSent));
        let plan = Plan { slow, date: Some("today".to_owned()), ..Plan::default() };
        let first = Plan { edits: vec![drop.clone()], end: hang, ..plan.clone() };
        assert_eq!(injected.plan(&report("a")), first);
        assert_eq!(injected.plan(&report("a")), Plan { edits: vec![drop, Edit::Empty], ..plan.clone() });
        assert_eq!(injected.plan(&login()), Plan { revoke: true, ..plan });
        injected.clear();
        assert_eq!(injected.plan(&login()), Plan::default());
    }
}
