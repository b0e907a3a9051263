//! Which connections are open, and which one is closed for a new one when there are too many. Knows nothing of HTTP.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// The time that a connection may be idle before it can be closed for another: a request follows its
/// connection within a round trip, and in a burst of clients the newest must not displace one another.
const GRACE: Duration = Duration::from_secs(1);
/// Bits of an IPv6 address that one client cannot choose: its network.
const NETWORK: u32 = 64;

/// Observes how many connections are open.
pub(super) type Observer = Arc<dyn Fn(usize) + Send + Sync>;

/// The connections of one server.
#[derive(Clone)]
pub(super) struct ConnectionLimiter(Arc<Inner>);

struct Inner {
    most: usize,
    /// Of one address; clients without one, on a socket in the file system, are bounded by `most` alone.
    most_per_address: usize,
    table: Mutex<Table>,
    /// A connection has ended, or waits for a request again.
    changed: Notify,
    observer: Observer,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Connection>,
    /// Whether it was logged that connections are closed for others, since it was calm.
    is_logged: bool,
}

struct Connection {
    peer: Option<IpAddr>,
    /// Requests that are complete and not answered completely.
    in_work: usize,
    has_asked: bool,
    /// Since when it has waited for a request.
    since: Instant,
    close: Arc<Notify>,
}

/// An open connection; ends with its drop.
pub(super) struct ConnectionSlot {
    id: u64,
    limiter: ConnectionLimiter,
    close: Arc<Notify>,
}

/// A request that is being answered; ends with its drop.
#[derive(Debug)]
pub(super) struct RequestGuard {
    id: u64,
    limiter: ConnectionLimiter,
}

impl fmt::Debug for ConnectionLimiter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("ConnectionLimiter").field(&self.table().open.len()).finish()
    }
}

impl ConnectionLimiter {
    /// At most `most` connections at once, and at most `most_per_address` from one address.
    pub(super) fn new(most: usize, most_per_address: usize, observer: Observer) -> Self {
        let (table, changed) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { most, most_per_address, table, changed, observer }))
    }

    /// A slot for a connection from `peer`. If there is none left, the connection that has waited for a complete
    /// request for longest is closed, of the same address where it has too many. Waits while no other can be closed;
    /// none where that holds for all of the same address.
    ///
    /// # Cancel safety
    /// Dropping the future takes no slot.
    pub(super) async fn take(&self, peer: Option<IpAddr>) -> Option<ConnectionSlot> {
        let peer = peer.map(network);
        loop {
            // Before the look: a slot that is freed right after it must not be missed.
            let changed = self.0.changed.notified();
            let not_before = {
                let mut table = self.table();
                let of_peer = |connection: &Connection| peer.is_some() && connection.peer == peer;
                let is_over = table.open.values().filter(|connection| of_peer(connection)).count();
                if is_over >= self.0.most_per_address && table.close_oldest(of_peer) != Closing::Done {
                    return None;
                }
                let closing = match table.open.len() < self.0.most {
                    true => Closing::Done,
                    false => table.close_oldest(|_| true),
                };
                match closing {
                    Closing::Done => return Some(self.open(&mut table, peer)),
                    Closing::NotBefore(at) => Some(at),
                    Closing::Busy => None,
                }
            };
            match not_before {
                Some(at) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(at) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Waits until every open connection has sent a request, but at most for `patience`; then closes those that have
    /// not.
    pub(super) async fn await_first_requests(&self, patience: Duration) {
        let wait = async {
            loop {
                let changed = self.0.changed.notified();
                if self.table().open.values().all(|connection| connection.has_asked) {
                    return;
                }
                changed.await;
            }
        };
        if timeout(patience, wait).await.is_err() {
            self.table().open.values().filter(|connection| !connection.has_asked).for_each(Connection::close);
        }
    }

    fn open(&self, table: &mut Table, peer: Option<IpAddr>) -> ConnectionSlot {
        let id = table.tick();
        let close = Arc::new(Notify::new());
        let since = Instant::now();
        let connection = Connection { peer, in_work: 0, has_asked: false, since, close: Arc::clone(&close) };
        table.open.insert(id, connection);
        (self.0.observer)(table.open.len());
        ConnectionSlot { id, limiter: self.clone(), close }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionSlot {
    /// Comes true when the connection is to be closed for another.
    pub(super) async fn is_to_close(&self) {
        self.close.notified().await;
    }

    /// A request is complete and will be answered.
    pub(super) fn begin(&self) -> RequestGuard {
        let mut table = self.limiter.table();
        if let Some(connection) = table.open.get_mut(&self.id) {
            connection.in_work += 1;
            connection.has_asked = true;
        }
        drop(table);
        self.limiter.0.changed.notify_waiters();
        RequestGuard { id: self.id, limiter: self.limiter.clone() }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut table = self.limiter.table();
        if table.open.remove(&self.id).is_some() {
            let Inner { most, observer, .. } = &*self.limiter.0;
            table.is_logged &= table.open.len() > most / 2;
            observer(table.open.len());
        }
        drop(table);
        self.limiter.0.changed.notify_waiters();
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let mut table = self.limiter.table();
        if let Some(connection) = table.open.get_mut(&self.id) {
            connection.in_work -= 1;
            connection.since = Instant::now();
        }
        drop(table);
        self.limiter.0.changed.notify_waiters();
    }
}

impl Connection {
    fn close(&self) {
        self.close.notify_one();
    }
}

/// The outcome of closing a connection for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    Done,
    /// The first that can be closed has not waited for long enough.
    NotBefore(Instant),
    /// All are being answered.
    Busy,
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Closes the connection among `these` that has waited for a request for longest, one that never sent any before
    /// all others.
    fn close_oldest(&mut self, these: impl Fn(&Connection) -> bool) -> Closing {
        self.log();
        let now = Instant::now();
        let idle = self.open.iter().filter(|(_, connection)| connection.in_work == 0 && these(connection));
        let oldest = idle.min_by_key(|(id, connection)| {
            (connection.since + GRACE > now, connection.has_asked, connection.since, **id)
        });
        let Some((id, connection)) = oldest else { return Closing::Busy };
        if connection.since + GRACE > now {
            return Closing::NotBefore(connection.since + GRACE);
        }
        let id = *id;
        // Its slot is free from here on, however long the task takes to end.
        if let Some(connection) = self.open.remove(&id) {
            connection.close();
        }
        Closing::Done
    }

    fn log(&mut self) {
        if !std::mem::replace(&mut self.is_logged, true) {
            let open = self.open.len();
            tracing::warn!(open, "too many connections: closing the oldest that sent no complete request");
        }
    }
}

/// The address that counts as one client: an IPv4 address, or the network of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - NETWORK);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn limiter(most: usize, most_per_address: usize) -> ConnectionLimiter {
        ConnectionLimiter::new(most, most_per_address, Arc::new(|_| ()))
    }

    /// Lets all that are open wait for long enough.
    async fn pass_grace() {
        tokio::time::advance(GRACE).await;
    }

    async fn is_closed(slot: &ConnectionSlot) -> bool {
        let mut closing = pin!(slot.is_to_close());
        closing.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_that_never_asked_gives_way_first() {
        let limiter = limiter(4, 4);
        let peers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
        let mut open = Vec::new();
        for peer in peers {
            open.push(limiter.take(address(peer)).await.expect("there is room"));
        }
        drop(open[0].begin());
        let _answering = open[1].begin();
        pass_grace().await;
        let fifth = limiter.take(address("192.0.2.5")).await.expect("one gives way");
        assert!(is_closed(&open[2]).await, "it never asked");
        let sixth = limiter.take(address("192.0.2.6")).await.expect("one gives way");
        assert!(is_closed(&open[3]).await);
        pass_grace().await;
        let _seventh = (limiter.take(address("192.0.2.7")).await, limiter.take(address("192.0.2.8")).await);
        assert!(is_closed(&fifth).await && is_closed(&sixth).await);
        assert!(!is_closed(&open[0]).await && !is_closed(&open[1]).await, "these have asked");
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_displaces_only_itself() {
        let limiter = limiter(10, 2);
        let other = limiter.take(address("192.0.2.1")).await.expect("there is room");
        // One IPv6 network is one client, and an IPv4 address is the same in either form.
        for pair in [["2001:db8::1", "2001:db8::ffff:1"], ["::ffff:192.0.2.9", "192.0.2.9"]] {
            let first = limiter.take(address(pair[0])).await.expect("there is room");
            let second = limiter.take(address(pair[1])).await.expect("there is room");
            assert!(limiter.take(address(pair[1])).await.is_none(), "both have just come");
            pass_grace().await;
            let third = limiter.take(address(pair[0])).await.expect("one gives way");
            assert!(is_closed(&first).await && !is_closed(&second).await && !is_closed(&other).await);
            let _answering = (second.begin(), third.begin());
            assert!(limiter.take(address(pair[1])).await.is_none(), "both are being answered");
        }
        let unnamed = [limiter.take(None).await, limiter.take(None).await, limiter.take(None).await];
        assert!(unnamed.iter().all(Option::is_some), "a socket in the file system has no addresses");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slot_is_waited_for_while_all_are_being_answered() {
        let open = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&open);
        let limiter = ConnectionLimiter::new(1, 1, Arc::new(move |count| seen.store(count, Ordering::Relaxed)));
        let first = limiter.take(None).await.expect("there is room");
        let answering = first.begin();
        let mut second = pin!(limiter.take(None));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(answering);
        // The clock of the test moves on while nothing else can happen.
        assert!(second.await.is_some());
        assert!(is_closed(&first).await);
        drop(first);
        assert_eq!(open.load(Ordering::Relaxed), 0, "the second has ended as well");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_just_come_has_a_moment_to_ask() {
        let limiter = limiter(3, 3);
        let (asked, silent) = (limiter.take(None).await.expect("room"), limiter.take(None).await.expect("room"));
        let _answering = asked.begin();
        let began = Instant::now();
        limiter.await_first_requests(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
        assert!(is_closed(&silent).await && !is_closed(&asked).await);
        let _answering = silent.begin();
        limiter.await_first_requests(Duration::from_secs(1)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(1), "nobody is waited for");
    }
}
