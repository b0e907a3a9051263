//! The parts of keyed counters: numbers of the whole device, each divided among the keys. The same part is divided
//! the same way wherever it occurs, so that totals of a key are sums of its other counters, and the keys of a device
//! add up to its scalar counters.

use crate::sim::traffic::{self as t, DeviceMinute, EventStream, stream};

/// A number of the device in one minute, to be divided among keys.
#[derive(Clone, Copy)]
pub(in crate::sim) struct Part {
    /// Its own randomness, and who it is: two parts with one id are the same.
    pub(in crate::sim) id: u64,
    source: Source,
}

#[derive(Clone, Copy)]
enum Source {
    Events(EventStream),
    Of(fn(&DeviceMinute) -> u64),
}

impl Part {
    /// Its amount in a minute.
    pub(in crate::sim) fn at(&self, moment: &DeviceMinute) -> u64 {
        match self.source {
            Source::Events(stream) => moment.count(stream),
            Source::Of(whole) => whole(moment),
        }
    }
}

/// Events that no scalar counter knows; ids from 200 on.
pub(super) const fn events(id: u64, per_hour: u64) -> Part {
    Part { id, source: Source::Events(stream(id, per_hour)) }
}

/// The same of a stream that is defined with the traffic.
pub(super) const fn of_stream(stream: EventStream) -> Part {
    Part { id: stream.salt(), source: Source::Events(stream) }
}

/// A number that a scalar counter has too; ids from 101 to 199.
pub(super) const fn of(id: u64, whole: fn(&DeviceMinute) -> u64) -> Part {
    Part { id, source: Source::Of(whole) }
}

pub(super) const REJECTED: Part = of(101, |m| m.count(t::REJECTED));
pub(super) const INVALID: Part = of(102, |m| m.count(t::INVALID_RECIPIENT));
pub(super) const DMARC: Part = of(103, |m| m.count(t::DMARC));
pub(super) const SDR: Part = of(104, |m| m.count(t::SDR_BLOCKED));
pub(super) const MARKETING: Part = of(105, |m| m.count(t::MARKETING));
pub(super) const SOCIAL: Part = of(106, |m| m.count(t::SOCIAL));
pub(super) const BULK: Part = of(107, |m| m.count(t::BULK));
pub(super) const AMP_IN: Part = of(108, DeviceMinute::amp_in);
pub(super) const SPAM_IN: Part = of(109, DeviceMinute::spam_in);
pub(super) const VIRUS_IN: Part = of(110, |m| m.count(t::VIRUS_IN));
pub(super) const FILTER_IN: Part = of(111, |m| m.count(t::FILTERED_IN));
pub(super) const URL_IN: Part = of(112, |m| m.count(t::URL_IN));
pub(super) const CLEAN_IN: Part = of(113, DeviceMinute::clean_in);
pub(super) const MULTI_SCAN_IN: Part = of(114, DeviceMinute::multi_scan_in);
pub(super) const ACCEPTED: Part = of(115, DeviceMinute::accepted_connections);
pub(super) const ACCEPTED_MESSAGES: Part = of(116, DeviceMinute::accepted_messages);
pub(super) const RELAYED: Part = of(117, DeviceMinute::relayed_connections);
pub(super) const REFUSED: Part = of(118, |m| m.count(t::REFUSED));
pub(super) const PLAIN_IN: Part = of(119, |m| m.tls_in()[0]);
pub(super) const TLS_FAIL_IN: Part = of(120, |m| m.tls_in()[1]);
pub(super) const TLS_OPT_FAIL_IN: Part = of(121, |m| m.tls_in()[2]);
pub(super) const TLS_OPT_IN: Part = of(122, |m| m.tls_in()[3]);
pub(super) const TLS_IN: Part = of(123, |m| m.tls_in()[4]);
pub(super) const ENCRYPTED_IN: Part = of(124, |m| m.encryption_in()[0]);
/// No scalar counter has it: throttling does not happen in the summary of this appliance (assumed).
pub(super) const THROTTLED: Part = events(299, 45);

pub(super) const DELIVERED: Part = of(131, |m| m.delivery()[0]);
pub(super) const BOUNCED: Part = of(132, |m| m.delivery()[1]);
pub(super) const AMP_OUT: Part = of(133, DeviceMinute::amp_out);
pub(super) const SPAM_OUT: Part = of(134, |m| m.count(t::SPAM_OUT));
pub(super) const VIRUS_OUT: Part = of(135, |m| m.count(t::VIRUS_OUT));
pub(super) const FILTER_OUT: Part = of(136, |m| m.count(t::FILTERED_OUT));
pub(super) const URL_OUT: Part = of(137, |m| m.count(t::URL_OUT));
pub(super) const MULTI_SCAN_OUT: Part = of(138, DeviceMinute::multi_scan_out);
pub(super) const PLAIN_OUT: Part = of(139, |m| m.tls_out()[0]);
pub(super) const TLS_FAIL_OUT: Part = of(140, |m| m.tls_out()[1]);
pub(super) const TLS_OPT_FAIL_OUT: Part = of(141, |m| m.tls_out()[2]);
pub(super) const TLS_OPT_OUT: Part = of(142, |m| m.tls_out()[3]);
pub(super) const TLS_OUT: Part = of(143, |m| m.tls_out()[4]);
pub(super) const DANE_FAIL: Part = of(144, |m| m.tls_out()[5]);
pub(super) const DANE: Part = of(145, |m| m.tls_out()[6]);
pub(super) const ENCRYPTED_OUT: Part = of(146, |m| m.encryption_out()[0]);
pub(super) const DLP_LOW: Part = of(147, |m| m.count(t::DLP_LOW));
pub(super) const DLP_MEDIUM: Part = of(148, |m| m.count(t::DLP_MEDIUM));
pub(super) const DLP_HIGH: Part = of(149, |m| m.count(t::DLP_HIGH));
pub(super) const DLP_CRITICAL: Part = of(150, |m| m.count(t::DLP_CRITICAL));
pub(super) const MOR_DELETED: Part = of(151, |m| m.count(t::MOR_DELETED));
pub(super) const MOR_FORWARDED: Part = of(152, |m| m.count(t::MOR_FORWARDED));
pub(super) const MOR_BOTH: Part = of(153, |m| m.count(t::MOR_BOTH));
pub(super) const FEED_DOMAIN: Part = of(154, |m| m.count(t::FEED_DOMAIN));
pub(super) const FEED_HASH: Part = of(155, |m| m.count(t::FEED_HASH));
pub(super) const FEED_URL: Part = of(156, |m| m.count(t::FEED_URL));
pub(super) const OUTBREAK: Part = of(157, |m| m.count(t::OUTBREAK));

pub(super) const GRAYMAIL: &[Part] = &[MARKETING, SOCIAL, BULK];
/// Each rejected connection counts as three recipients: the default multiplier.
pub(super) const THREAT_IN: &[Part] = &[REJECTED, REJECTED, REJECTED, INVALID, SPAM_IN, VIRUS_IN, FILTER_IN, URL_IN];
pub(super) const ACCEPTED_IN: &[Part] = &[SPAM_IN, VIRUS_IN, FILTER_IN, URL_IN, CLEAN_IN, MARKETING, SOCIAL, BULK];
pub(super) const TOTAL_IN: &[Part] =
    &[REJECTED, REJECTED, REJECTED, INVALID, SPAM_IN, VIRUS_IN, FILTER_IN, URL_IN, CLEAN_IN, MARKETING, SOCIAL, BULK];
pub(super) const CLEAN_OUT: &[Part] = &[DELIVERED, BOUNCED];
pub(super) const THREAT_OUT: &[Part] = &[SPAM_OUT, VIRUS_OUT, FILTER_OUT, URL_OUT];
pub(super) const TOTAL_OUT: &[Part] = &[DELIVERED, BOUNCED, SPAM_OUT, VIRUS_OUT, FILTER_OUT, URL_OUT];
pub(super) const DLP: &[Part] = &[DLP_LOW, DLP_MEDIUM, DLP_HIGH, DLP_CRITICAL];
