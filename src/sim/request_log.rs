//! The request log: every request in order of arrival, with its status; those who wait for it are woken at each change.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

use crate::sim::request::{Request, RequestKind};

/// The log of one appliance, and the count of requests being served.
pub(super) struct RequestLog {
    entries: watch::Sender<Entries>,
    all: Concurrency,
    logins: Concurrency,
    limit: usize,
}

/// Number of requests being served, and the most that ever were.
#[derive(Default)]
struct Concurrency {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[derive(Default)]
struct Entries {
    /// Number of entries dropped from the front.
    dropped: usize,
    kept: Vec<Request>,
}

/// A request that is being served; it stops counting when this is dropped.
pub(super) struct ActiveRequest<'a> {
    log: &'a RequestLog,
    number: usize,
    is_login: bool,
    /// Number of requests being served when this one arrived, itself included.
    pub(super) in_flight: usize,
}

impl RequestLog {
    /// An empty log that keeps at most `limit` entries, and at least 2.
    pub(super) fn new(limit: usize) -> Self {
        let entries = watch::Sender::new(Entries::default());
        Self { entries, all: Concurrency::default(), logins: Concurrency::default(), limit: limit.max(2) }
    }

    /// Enters a request.
    pub(super) fn record_arrival(&self, mut request: Request) -> ActiveRequest<'_> {
        let (mut number, mut in_flight) = (0, 0);
        let is_login = request.kind == RequestKind::Login;
        self.entries.send_modify(|entries| {
            // Under the log's lock, so that the counts ascend in the order of the entries.
            in_flight = self.all.begin();
            if is_login {
                self.logins.begin();
            }
            request.in_flight = in_flight;
            if entries.kept.len() >= self.limit {
                let half = self.limit / 2;
                entries.kept.drain(..half);
                entries.dropped += half;
            }
            number = entries.dropped + entries.kept.len();
            entries.kept.push(request);
        });
        ActiveRequest { log: self, number, is_login, in_flight }
    }

    /// The most requests that were ever being served at once.
    pub(super) fn most_in_flight(&self) -> usize {
        self.all.most.load(Ordering::SeqCst)
    }

    /// As [`RequestLog::most_in_flight`], of logins.
    pub(super) fn most_logins_in_flight(&self) -> usize {
        self.logins.most.load(Ordering::SeqCst)
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&[Request]) -> T) -> T {
        read(&self.entries.borrow().kept)
    }

    /// Completes once `enough` holds.
    pub(super) async fn wait_for(&self, enough: impl Fn(&[Request]) -> bool) {
        let mut changes = self.entries.subscribe();
        // It cannot fail: the sender is borrowed for as long as this waits.
        let _ = changes.wait_for(|entries| enough(&entries.kept)).await;
    }
}

impl Concurrency {
    /// One more; how many there are then.
    fn begin(&self) -> usize {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        now
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ActiveRequest<'_> {
    /// Notes the status and ends the request. Called before the first byte is sent: a client that has its answer and asks
    /// again at once must not be counted twice.
    pub(super) fn record_status(self, status: u16) {
        self.log.entries.send_modify(|entries| {
            if let Some(entry) = self.number.checked_sub(entries.dropped).and_then(|at| entries.kept.get_mut(at)) {
                entry.status = status;
            }
        });
    }
}

impl Drop for ActiveRequest<'_> {
    fn drop(&mut self) {
        self.log.all.end();
        if self.is_login {
            self.log.logins.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::sim::settings::Product;

    fn request(target: &str) -> Request {
        Request::new(Product::Esa, "GET", target, Vec::new(), UNIX_EPOCH)
    }

    #[test]
    fn the_oldest_entries_go_first_and_late_statuses_find_their_entry() {
        let log = RequestLog::new(4);
        let first = log.record_arrival(request("/0"));
        let active: Vec<_> = (1..5).map(|n| log.record_arrival(request(&format!("/{n}")))).collect();
        first.record_status(500);
        for active in active {
            active.record_status(200);
        }
        let seen = log.read(|log| log.iter().map(|r| (r.path.clone(), r.status, r.in_flight)).collect::<Vec<_>>());
        assert_eq!(seen, [("/2".to_owned(), 200, 3), ("/3".to_owned(), 200, 4), ("/4".to_owned(), 200, 5)]);
        assert_eq!((log.all.now.load(Ordering::SeqCst), log.most_in_flight()), (0, 5));
    }

    #[test]
    fn logins_that_overlap_are_counted_apart() {
        let log = RequestLog::new(4);
        let login = || Request::new(Product::Esa, "POST", "/esa/api/v2.0/login", Vec::new(), UNIX_EPOCH);
        for _ in 0..2 {
            let _report = log.record_arrival(request("/0"));
            log.record_arrival(login()).record_status(200);
        }
        assert_eq!((log.most_logins_in_flight(), log.most_in_flight()), (1, 2));
        let (_one, _other) = (log.record_arrival(login()), log.record_arrival(login()));
        assert_eq!(log.most_logins_in_flight(), 2);
    }
}
