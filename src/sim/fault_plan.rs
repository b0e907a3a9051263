//! The injected faults, and their effects on one request. Pure: it decides, others act.

use std::time::Duration;

use crate::sim::answer::Answer;
use crate::sim::fault::{Fault, FaultBody, On};
use crate::sim::http_status;
use crate::sim::report::ReportEdit;
use crate::sim::request::Request;

/// Every fault injected and not yet spent, in order of injection.
#[derive(Default)]
pub(super) struct FaultQueue(Vec<Injection>);

struct Injection {
    fault: Fault,
    on: On,
}

/// Effects of all faults on one request.
#[derive(Clone, Default, Debug, PartialEq)]
pub(super) struct FaultPlan {
    /// Additional time that it takes.
    pub(super) slow: Duration,
    /// Whether tokens are revoked first.
    pub(super) revoke: bool,
    /// The value of the `Date` header instead of the appliance's clock.
    pub(super) date: Option<String>,
    /// Changes to the report, in order.
    pub(super) edits: Vec<ReportEdit>,
    /// The fault that replaces or spoils the answer.
    pub(super) answer_fault: Option<AnswerFault>,
}

/// A fault that decides about the whole answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AnswerFault {
    /// This one is sent in its place.
    Replaced(Answer),
    /// It reaches the wire like this.
    Spoilt(WireFault),
}

/// A fault on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WireFault {
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

impl FaultQueue {
    pub(super) fn push(&mut self, fault: Fault, on: On) {
        self.0.push(Injection { fault, on });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Consults the faults in order, up to the first that settles the answer; those behind it do not count the request.
    pub(super) fn plan(&mut self, request: &Request) -> FaultPlan {
        let mut plan = FaultPlan::default();
        for injection in &mut self.0 {
            if plan.answer_fault.is_some() {
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

impl FaultPlan {
    fn add(&mut self, fault: Fault) {
        match fault {
            Fault::Slow(more) => self.slow += more,
            Fault::Revoke => self.revoke = true,
            Fault::Date(date) => self.date = Some(date),
            Fault::EmptyResultSet => self.edits.push(ReportEdit::Empty),
            Fault::NullResultSet => self.edits.push(ReportEdit::Null),
            Fault::DropCounters(names) => self.edits.push(ReportEdit::Drop(names)),
            Fault::ExtraCounter(name, value) => self.edits.push(ReportEdit::Add(name, value)),
            Fault::SetCounter(name, value) => self.edits.push(ReportEdit::Set(name, value)),
            Fault::Status { code, body, retry_after } => self.replace(status(code, &body, retry_after)),
            Fault::Unauthorized(message) => self.replace(Answer::error(401, &message)),
            Fault::Redirect(to) => self.replace(Answer::bare(302).with("Location", to)),
            Fault::GarbageBody => self.replace(Answer::ok("<html>this is no JSON")),
            Fault::RawBody(body) => self.replace(Answer::ok(body)),
            Fault::EmptyObject => self.replace(Answer::ok("{}")),
            Fault::Hang => self.spoil(WireFault::NeverSent),
            Fault::Reset => self.spoil(WireFault::Reset),
            Fault::CloseEarly => self.spoil(WireFault::Closed),
            Fault::Truncate => self.spoil(WireFault::HalfBody),
            Fault::Garbage => self.spoil(WireFault::NotHttp),
            Fault::DripHeaders(pause) => self.spoil(WireFault::Dripping(pause)),
            Fault::BareCr => self.spoil(WireFault::BareCr),
            Fault::NoContentLength => self.spoil(WireFault::NoContentLength),
            Fault::Huge(bytes) => self.spoil(WireFault::Huge(bytes)),
        }
    }

    fn replace(&mut self, answer: Answer) {
        self.answer_fault = Some(AnswerFault::Replaced(answer));
    }

    fn spoil(&mut self, how: WireFault) {
        self.answer_fault = Some(AnswerFault::Spoilt(how));
    }
}

fn status(code: u16, body: &FaultBody, retry_after: Option<String>) -> Answer {
    let answer = match body {
        FaultBody::Json(message) => Answer::error(code, message),
        FaultBody::Html => Answer::page(code, http_status::texts(code).0),
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
    fn a_fault_strikes_matching_requests_the_given_number_of_times() {
        let mut faults = FaultQueue::default();
        faults.push(Fault::Reset, On::group("a").after(1).times(2));
        let mut strikes = |request| faults.plan(&request).answer_fault.is_some();
        assert!(!strikes(report("a")), "the first is let through");
        assert!(!strikes(report("b")) && !strikes(login()), "others do not count");
        assert!(strikes(report("a")) && strikes(report("a")));
        assert!(!strikes(report("a")), "and then it is spent");
        assert!(faults.0.is_empty());
    }

    #[test]
    fn edits_add_up_until_the_first_fault_that_settles_the_answer() {
        let mut faults = FaultQueue::default();
        faults.push(Fault::Slow(Duration::from_secs(1)), On::every());
        faults.push(Fault::Date("today".to_owned()), On::every());
        faults.push(Fault::DropCounters(vec!["x".to_owned()]), On::reports());
        faults.push(Fault::Hang, On::reports().times(1));
        faults.push(Fault::EmptyResultSet, On::reports());
        faults.push(Fault::Revoke, On::login());
        let drop = ReportEdit::Drop(vec!["x".to_owned()]);
        let slow = Duration::from_secs(1);
        let hang = Some(AnswerFault::Spoilt(WireFault::NeverSent));
        let plan = FaultPlan { slow, date: Some("today".to_owned()), ..FaultPlan::default() };
        let first = FaultPlan { edits: vec![drop.clone()], answer_fault: hang, ..plan.clone() };
        assert_eq!(faults.plan(&report("a")), first);
        assert_eq!(faults.plan(&report("a")), FaultPlan { edits: vec![drop, ReportEdit::Empty], ..plan.clone() });
        assert_eq!(faults.plan(&login()), FaultPlan { revoke: true, ..plan });
        faults.clear();
        assert_eq!(faults.plan(&login()), FaultPlan::default());
    }
}
