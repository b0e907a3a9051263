//! Message tracking: every message of a minute with its delivery status, all from one number, so that how many match any
//! filters in any window is a pure function. What messages look like is made up.

pub(super) mod filter;
pub(super) mod search;

use crate::sim::injection::{InjectedMail, Injection};
use crate::sim::keyed::key;
use crate::sim::traffic::{self as t, Device, DeviceMinute, hash, mix};

/// The kind of event to search for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrackingKind {
    Messages,
    RejectedConnections,
}

/// A message, or a connection that was rejected.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrackedEvent<'a> {
    pub(super) device: &'a str,
    pub(super) kind: TrackingKind,
    /// In minutes since 1970.
    pub(super) minute: u64,
    pub(super) incoming: bool,
    noise: u64,
    is_healthy: bool,
    injected: Option<InjectedMail>,
}

/// Events of one device in a minute, those of `injections` last.
pub(super) fn events_of_minute<'a>(
    name: &'a str,
    device: &Device,
    kind: TrackingKind,
    minute: u64,
    injections: &[Injection],
) -> impl Iterator<Item = TrackedEvent<'a>> + use<'a> {
    let count = count_of_minute(&DeviceMinute::new(device, minute), kind);
    let usual = first_events_of_minute(name, device, kind, minute, count);
    let is_here = |one: &&Injection| kind == TrackingKind::Messages && one.mail.is_tracked();
    let injected = injections.iter().filter(is_here).flat_map(|one| {
        let repeated = std::iter::repeat_n(one.mail, one.in_minute(minute) as usize);
        repeated.collect::<Vec<_>>()
    });
    let seed = device.constant(minute ^ hash("injected"));
    let event = |(index, mail): (usize, InjectedMail)| {
        let noise = mix(seed ^ mix(index as u64));
        let incoming = mail.is_incoming();
        TrackedEvent { device: name, kind, minute, incoming, noise, is_healthy: true, injected: Some(mail) }
    };
    let injected: Vec<_> = injected.enumerate().map(event).collect();
    usual.chain(injected)
}

/// The first `count` of them, even where there are fewer.
pub(super) fn first_events_of_minute<'a>(
    name: &'a str,
    device: &Device,
    kind: TrackingKind,
    minute: u64,
    count: u64,
) -> impl Iterator<Item = TrackedEvent<'a>> + use<'a> {
    let moment = DeviceMinute::new(device, minute);
    let is_healthy = device.is_healthy;
    let incoming = match kind {
        TrackingKind::Messages => moment.messages_in(),
        TrackingKind::RejectedConnections => moment.count(t::REJECTED),
    };
    let seed = device.constant(minute);
    let tracked = move |index| {
        let noise = mix(seed ^ mix(index));
        let incoming = index < incoming;
        TrackedEvent { device: name, kind, minute, incoming, noise, is_healthy, injected: None }
    };
    (0..count).map(tracked)
}

/// Number of those events.
pub(super) fn count_of_minute(moment: &DeviceMinute, kind: TrackingKind) -> u64 {
    match kind {
        TrackingKind::Messages => moment.messages_in() + moment.messages_out(),
        TrackingKind::RejectedConnections => moment.count(t::REJECTED),
    }
}

impl TrackedEvent<'_> {
    pub(super) fn mid(&self) -> u64 {
        self.minute % 100_000 * 10_000 + self.noise % 10_000
    }

    pub(super) fn sender(&self) -> &'static str {
        let usual = if self.incoming { key::ENVELOPE_SENDER.pick(self.noise) } else { key::USER.pick(self.noise) };
        // Where all is well nobody outside uses the domain of the users.
        let is_spoofed = self.incoming && self.is_healthy && usual.ends_with("@example.com");
        let usual = if is_spoofed { key::ENVELOPE_SENDER.pick(0) } else { usual };
        self.injected.and_then(InjectedMail::sender).unwrap_or(usual)
    }

    pub(super) fn recipient(&self) -> &'static str {
        let noise = self.noise >> 8;
        if self.incoming { key::USER.pick(noise) } else { key::ENVELOPE_SENDER.pick(noise) }
    }

    pub(super) fn subject(&self) -> &'static str {
        key::SUBJECT.pick(self.noise >> 16)
    }

    pub(super) fn sender_domain(&self) -> &'static str {
        self.sender().split_once('@').map_or("", |(_, domain)| domain)
    }

    pub(super) fn sender_address(&self) -> &'static str {
        key::ADDRESS.pick(self.noise >> 24)
    }

    pub(super) fn policy(&self) -> &'static str {
        key::MAIL_POLICY.pick(self.noise >> 32)
    }

    pub(super) fn sender_group(&self) -> &'static str {
        key::SENDER_GROUP.pick(self.noise >> 40)
    }

    pub(super) fn direction(&self) -> &'static str {
        if self.incoming { "incoming" } else { "outgoing" }
    }

    /// Its delivery status: exactly one of these.
    pub(super) fn delivery(&self) -> &'static str {
        if let Some(status) = self.injected.and_then(InjectedMail::status) {
            return status;
        }
        match (self.noise >> 48) % 100 {
            0..90 => "DELIVERED",
            90..96 => "DROPPED",
            96..99 => "BOUNCED",
            _ => "ABORTED",
        }
    }

    /// Whether its record cannot be read, where that is so of one in `rarity`.
    pub(super) fn is_bad(&self, rarity: u64) -> bool {
        self.happens("bad record", rarity)
    }

    /// Whether a filter on its fate admits it, where that is so of one in `rarity`; a flag has no word. On a device of
    /// [`HEALTHY_DOMAIN`](crate::sim::HEALTHY_DOMAIN) no threat is found in a message, and few fail DMARC.
    pub(super) fn has(&self, filter: &str, word: Option<&str>, rarity: u64) -> bool {
        const THREATS: [&str; 4] = ["virusPositive", "containedMaliciousUrls", "inOutbreakQuarantine", "dlpAction"];
        if let Some(mail) = self.injected {
            return mail.has(filter, word);
        }
        let what = || word.map_or_else(|| filter.to_owned(), |word| format!("{filter} {word}"));
        match (self.is_healthy, filter) {
            (true, filter) if THREATS.contains(&filter) => false,
            (true, "dmarcAction") => self.happens(&what(), 200),
            (true | false, _) => self.happens(&what(), rarity),
        }
    }

    /// Whether it has a property that only a filter knows; one message in `rarity` has it.
    pub(super) fn happens(&self, what: &str, rarity: u64) -> bool {
        mix(self.noise ^ hash(what)).is_multiple_of(rarity)
    }
}
