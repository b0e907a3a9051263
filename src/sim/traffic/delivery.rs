//! The counters of the queue: injections, bounces, deliveries. The relations of the recorded page hold: a completed
//! recipient is delivered, bounced or deleted, and a hard bounce has one of five reasons.

use crate::sim::traffic::{DeviceMinute, Division, EventStream, INVALID_RECIPIENT, SPAM_CERTAIN, division, stream};

const SOFT_BOUNCES: EventStream = stream(51, 150);
const DELETED: EventStream = stream(52, 6);
const UNSUBSCRIBED: EventStream = stream(53, 2);
const BOUNCES_SENT: EventStream = stream(54, 25);
/// DNS, 5xx, filter, expired, other.
const REASONS: Division<5> = division(73, [80, 720, 10, 180, 10]);

impl DeviceMinute {
    /// Recipients of everything received: accepted mail from outside, and what is relayed.
    pub(in crate::sim) fn injected_recipients(&self) -> u64 {
        self.accepted_recipients() + self.processed_out()
    }

    pub(in crate::sim) fn generated_bounces(&self) -> u64 {
        self.count(BOUNCES_SENT)
    }

    pub(in crate::sim) fn rejected_recipients(&self) -> u64 {
        self.count(INVALID_RECIPIENT)
    }

    pub(in crate::sim) fn dropped_messages(&self) -> u64 {
        self.virus_messages_in() + self.count(SPAM_CERTAIN)
    }

    pub(in crate::sim) fn soft_bounces(&self) -> u64 {
        self.count(SOFT_BOUNCES)
    }

    pub(in crate::sim) fn hard_bounces(&self) -> u64 {
        self.delivery()[1]
    }

    pub(in crate::sim) fn hard_bounces_by_reason(&self) -> [u64; 5] {
        self.divide(&REASONS, self.hard_bounces())
    }

    /// Outgoing mail to the world, and incoming mail to the servers inside.
    pub(in crate::sim) fn delivered(&self) -> u64 {
        self.delivery()[0] + self.clean_in() + self.graymail()
    }

    /// Deleted by an administrator, or because the recipient unsubscribed from everything.
    pub(in crate::sim) fn deleted(&self) -> u64 {
        self.count(DELETED) + self.unsubscribed()
    }

    pub(in crate::sim) fn unsubscribed(&self) -> u64 {
        self.count(UNSUBSCRIBED)
    }

    pub(in crate::sim) fn completed(&self) -> u64 {
        self.delivered() + self.hard_bounces() + self.deleted()
    }
}
