//! Messages and the connections that carry them.

use crate::sim::traffic::{DeviceMinute, Division, EventStream, division, stream};

const RELAYED: EventStream = stream(20, 1500);
/// Encrypted, not encrypted.
const ENCRYPTION_IN: Division<2> = division(66, [850, 150]);
const ENCRYPTION_OUT: Division<2> = division(67, [900, 100]);
/// Plain, TLS failed, optional TLS failed, optional TLS succeeded, TLS succeeded.
const TLS_IN: Division<5> = division(68, [120, 5, 10, 600, 265]);
/// The same, then DANE failed, DANE succeeded. That DANE connections are apart from the others is assumed.
const TLS_OUT: Division<7> = division(69, [80, 5, 10, 500, 375, 5, 25]);
/// Authenticated, not.
const AUTHENTICATED: Division<2> = division(70, [300, 700]);
/// Passphrase refused, passphrase accepted, certificate refused, certificate accepted, neither tried.
const AUTHENTICATION: Division<5> = division(71, [20, 250, 5, 25, 700]);
/// Awful, good, neutral, not scanned, poor, tainted, unknown, unscannable, weak.
const REPUTATION: Division<9> = division(72, [20, 500, 300, 30, 30, 20, 50, 10, 40]);

/// Messages and connections.
impl DeviceMinute {
    /// Messages from outside that were accepted; a message may have several recipients.
    pub(in crate::sim) fn accepted_messages(&self) -> u64 {
        *self.accepted_messages.get_or_init(|| {
            let recipients = self.accepted_recipients();
            recipients - recipients / 5
        })
    }

    pub(in crate::sim) fn messages_in(&self) -> u64 {
        self.accepted_messages() + self.count(RELAYED)
    }

    pub(in crate::sim) fn messages_out(&self) -> u64 {
        let recipients = self.processed_out();
        recipients - recipients / 6
    }

    /// A connection may carry several messages.
    pub(in crate::sim) fn accepted_connections(&self) -> u64 {
        let messages = self.accepted_messages();
        messages - messages / 4
    }

    pub(in crate::sim) fn relayed_connections(&self) -> u64 {
        let messages = self.count(RELAYED);
        messages - messages / 3
    }

    pub(in crate::sim) fn connections_in(&self) -> u64 {
        self.accepted_connections() + self.relayed_connections()
    }

    pub(in crate::sim) fn connections_out(&self) -> u64 {
        let messages = self.messages_out();
        messages - messages / 3
    }

    pub(in crate::sim) fn encryption_in(&self) -> [u64; 2] {
        self.divide(&ENCRYPTION_IN, self.messages_in())
    }

    pub(in crate::sim) fn encryption_out(&self) -> [u64; 2] {
        self.divide(&ENCRYPTION_OUT, self.messages_out())
    }

    pub(in crate::sim) fn tls_in(&self) -> [u64; 5] {
        self.divide(&TLS_IN, self.connections_in())
    }

    pub(in crate::sim) fn tls_out(&self) -> [u64; 7] {
        self.divide(&TLS_OUT, self.connections_out())
    }

    pub(in crate::sim) fn authenticated(&self) -> [u64; 2] {
        self.divide(&AUTHENTICATED, self.messages_in())
    }

    pub(in crate::sim) fn authentication(&self) -> [u64; 5] {
        self.divide(&AUTHENTICATION, self.connections_in())
    }

    pub(in crate::sim) fn reputation(&self) -> [u64; 9] {
        self.divide(&REPUTATION, self.accepted_messages())
    }
}
