//! Starts what is due, one thing after the other within the concurrency, and says when to look again.

use std::sync::Arc;
use std::time::Duration;

use crate::api::{Depth, StatusKind};
use crate::base::clock::{Tick, Timestamp};
use crate::base::window::Window;

use super::deadline;
use super::job::{Count, Done, Job, Next, Purpose, RequestOutcome};
use super::plan::{Step, Stride};
use super::request_order::Work;
use super::resume_point::Moment;
use super::target::Target;
use super::{Poller, Source, lateness, request};

/// The pace at which the clock of an appliance is read while it is behind what was counted.
const CLOCK_PACE: Duration = Duration::from_secs(5 * 60);
/// The same of a clock in doubt: the next answer may confirm what it shows.
const CLOCK_IN_DOUBT_PACE: Duration = Duration::from_secs(61);
/// The wait when nothing is scheduled.
const IDLE: Duration = Duration::from_secs(60 * 60);

impl<S: Source> Poller<S> {
    /// Starts what is due within the concurrency and says when to look again.
    pub(super) fn launch(&mut self) -> Tick {
        let now = self.context.clock.tick();
        let ends = self.end_beginnings(now);
        let wake = self.launch_requests(now);
        ends.map_or(wake, |ends| ends.min(wake))
    }

    fn launch_requests(&mut self, now: Tick) -> Tick {
        if let Some(until) = self.health.paused_until(now) {
            return until;
        }
        if !self.connected {
            if self.requests == 0 {
                self.connect();
            }
            return now + self.polling.timeout;
        }
        while self.requests < self.polling.concurrency.get() {
            if self.health.awaits_probe() {
                break;
            }
            if self.health.wants_probe() {
                self.probe(now);
                continue;
            }
            match self.next(now) {
                Next::Now(job) => self.start(job),
                Next::StatusProbe(status_probe) => self.observe(status_probe),
                Next::At(wake) | Next::Rest(wake) => return wake,
            }
        }
        now + self.polling.timeout
    }

    /// The due work that has waited longest, or when the next will be due.
    fn next(&mut self, now: Tick) -> Next {
        let moment = self.moment(now);
        let mut wake = now + IDLE;
        let order: Vec<Work> = self.request_order.iter().collect();
        for work in order {
            let next = match work {
                Work::StatusProbe(status_probe) => self.next_of_watch(status_probe, now),
                Work::Target(target) => self.next_of_target(target, moment),
                Work::MeasureLateness => self.next_measurement(moment),
            };
            match next {
                None => {}
                // What comes after a backlog that rests does not go before it, or one that is slow would never end it.
                Some(Next::Rest(until)) => return Next::At(wake.min(until)),
                Some(Next::At(at)) => wake = wake.min(at),
                Some(next) => {
                    self.request_order.requested(work);
                    return next;
                }
            }
        }
        Next::At(wake)
    }

    fn next_of_watch(&self, status_probe: usize, now: Tick) -> Option<Next> {
        let due = &self.watches[status_probe];
        match due.in_flight {
            true => None,
            false if due.not_before > now => Some(Next::At(due.not_before)),
            false => Some(Next::StatusProbe(status_probe)),
        }
    }

    fn next_of_target(&mut self, position: usize, moment: Moment) -> Option<Next> {
        let now = moment.tick;
        let stride = if self.rounds.are_tight() { Stride::All } else { Stride::Usual };
        let hear_from = self.report.map(|report| report + moment.doubt.map_or(CLOCK_PACE, |_| CLOCK_IN_DOUBT_PACE));
        let target = &mut self.targets[position];
        if target.in_flight {
            return None;
        }
        if target.not_before > now {
            return Some(Next::At(target.not_before));
        }
        Some(match target.plan(&self.context.ledger, moment, stride) {
            Step::Wait(span) => Next::At(now + span),
            Step::Fetch { count, left, .. } if self.paced_until > now && is_backlog(count, left, stride) => {
                Next::Rest(self.paced_until)
            }
            Step::Fetch { window, count: windows, gap, .. } => {
                target.asked(moment.appliance);
                self.job(position, window, Purpose::Count(Count { windows, gap }))
            }
            Step::RunningHour(hour) => {
                target.asked(moment.appliance);
                self.job(position, hour, Purpose::RunningHour)
            }
            Step::Audit(hours) => self.job(position, hours, Purpose::Audit),
            Step::SyncClock(window) => match hear_from.filter(|from| *from > now) {
                Some(from) => Next::At(from),
                None => {
                    self.report = Some(now);
                    self.job(position, window, Purpose::SyncClock)
                }
            },
        })
    }

    /// The request that measures lateness, if due; none while its target is busy or there is nothing to measure.
    fn next_measurement(&mut self, moment: Moment) -> Option<Next> {
        let targets = &self.targets;
        let now: Timestamp = moment.appliance;
        match self.lateness.as_mut()?.step(now, |target| targets[target].countable()) {
            lateness::Step::MeasureLateness { target, .. } if targets[target].in_flight => None,
            lateness::Step::MeasureLateness { target, window } => {
                Some(self.job(target, window, Purpose::MeasureLateness))
            }
            lateness::Step::Wait(span) => Some(Next::At(moment.tick + span)),
        }
    }

    fn job(&self, target: usize, window: Window, purpose: Purpose) -> Next {
        Next::Now(Job { target, query: self.targets[target].query(window, purpose.depth()), purpose })
    }

    fn connect(&mut self) {
        let (source, deadline) = (Arc::clone(&self.source), self.deadlines.of(false));
        let clock = self.context.clock.clone();
        self.request(
            async move { Done::Connected(deadline::within(&*source, &clock, deadline, source.connect()).await) },
        );
    }

    /// Asks for what is cheap, to see whether the appliance is there.
    fn probe(&mut self, now: Tick) {
        self.health.probe_begun(now);
        let (source, deadline) = (Arc::clone(&self.source), self.deadlines.of(false));
        let clock = self.context.clock.clone();
        self.request(async move {
            let question = source.observe(&StatusKind::TimeZone);
            Done::Probed(deadline::within(&*source, &clock, deadline, question).await.map(|_| ()))
        });
    }

    fn observe(&mut self, status_probe: usize) {
        self.watches[status_probe].in_flight = true;
        if self.watches[status_probe].is_paged() {
            self.publish();
        }
        let (source, aspect) = (Arc::clone(&self.source), self.watches[status_probe].aspect().clone());
        let deadline = self.deadlines.of(self.watches[status_probe].is_paged());
        let clock = self.context.clock.clone();
        self.request(async move {
            let began = clock.tick();
            let outcome = deadline::within(&*source, &clock, deadline, source.observe(&aspect)).await;
            Done::Observed { status_probe, outcome, took: clock.tick().since(began) }
        });
    }

    fn start(&mut self, job: Job) {
        self.targets[job.target].in_flight = true;
        if self.targets[job.target].is_search() {
            self.publish();
        }
        let source = Arc::clone(&self.source);
        let clock = self.context.clock.clone();
        let polling = self.polling;
        let takes_minutes = self.targets.iter().any(Target::takes_minutes);
        let deadline =
            self.deadlines.of(job.query.search.as_ref().is_some_and(|search| search.depth == Depth::AllPages));
        self.request(async move {
            let began = clock.tick();
            let answer =
                async { Ok(request::request(&*source, &job.query, job.purpose, polling, takes_minutes, &clock).await) };
            let outcome = deadline::within(&*source, &clock, deadline, answer).await;
            let outcome = outcome.unwrap_or_else(RequestOutcome::Failed);
            Done::Requested { job, outcome, took: clock.tick().since(began) }
        });
    }

    fn request(&mut self, request: impl Future<Output = Done> + Send + 'static) {
        self.requests += 1;
        self.jobs.spawn(request);
    }
}

/// Whether so much waits that it is fetched at a pace of its own. What one request makes up for is no more than a round.
fn is_backlog(count: u32, left: u64, stride: Stride) -> bool {
    match stride {
        Stride::Usual => u64::from(count) + left > 2,
        Stride::All => left > 1,
    }
}
