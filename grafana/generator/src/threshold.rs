//! Where good ends: each number stands here once, for the line in a graph and for the alert about it. Those without a
//! source are proposals.

/// Share of the CPU above which an appliance does not keep up.
///
/// **Source:** TechNote 118881, the red line of the page System Capacity.
pub(super) const CPU: f64 = 0.85;

/// Share of the memory above which resource conservation begins.
///
/// **Source:** TechNote 218151; 0.75 in older releases.
pub(super) const MEMORY: f64 = 0.45;

/// The disk has hardly any throughput left.
pub(super) const DISK_IO: f64 = 0.9;

/// Messages in the work queue that a Gateway should get rid of within minutes.
///
/// **Source:** a public monitor of four clusters of twenty Gateways.
pub(super) const WORK_QUEUE: f64 = 500.0;

/// Messages in the work queue that are a backlog.
///
/// **Source:** user guide, System Capacity, work queue.
pub(super) const WORK_QUEUE_BACKLOG: f64 = 10_000.0;

/// With a long work queue and no more outgoing connections than this, mail does not move.
///
/// **Source:** the same public monitor.
pub(super) const STUCK_CONNECTIONS: f64 = 5.0;

/// How many times the mean of the fleet the longest work queue may be.
///
/// **Source:** the same public monitor.
pub(super) const IMBALANCE: f64 = 3.0;

/// The level of resource conservation at which no mail is taken any more.
///
/// **Source:** TechNote 218151.
pub(super) const REFUSING: f64 = 999.0;

/// Seconds after its start for which a restart of an appliance is shown: long enough to be seen by an on-call engineer.
pub(super) const REBOOTED_WITHIN: f64 = 1800.0;

/// Share of the queue's space, to be warned before the appliance calls it near full.
pub(super) const QUEUE_SPACE: f64 = 0.7;

/// Share of the queue's space beyond which it is about to refuse mail.
pub(super) const QUEUE_SPACE_FULL: f64 = 0.9;

/// Share of the space for logs.
pub(super) const LOG_SPACE: f64 = 0.85;

/// Bytes of all policy, virus and outbreak quarantines of an appliance together. The API does not report how many there may
/// be; an assumed size, to be replaced by the one of `quarantineconfig`.
pub(super) const QUARANTINE_SPACE: f64 = 10.0 * 1_073_741_824.0;

/// Seconds that the oldest message may be in the queue.
pub(super) const OLDEST_MESSAGE: f64 = 4.0 * 3600.0;

/// Active recipients below which an old message is no more than a dead domain that is tried again.
pub(super) const OLDEST_MESSAGE_RECIPIENTS: f64 = 100.0;

/// Seconds of licence left.
///
/// **Source:** check_nwc_health warns at 14 days; the appliance mails from 60 days on.
pub(super) const LICENCE_SOON: f64 = 30.0 * DAY;

/// Seconds of licence left that hardly suffice to renew it.
///
/// **Source:** check_nwc_health.
pub(super) const LICENCE_NOW: f64 = 7.0 * DAY;

/// Seconds after which an ended licence is taken for one that is not wanted any more.
pub(super) const LICENCE_ABANDONED: f64 = 30.0 * DAY;

/// To which part of its mean of a week a fan's speed may fall. The MIB calls 0 a failed fan and leaves the rest to the model.
pub(super) const FAN_SLOW: f64 = 0.5;

/// Degrees Celsius above its mean of a week that a sensor may reach. The MIB has no limit.
pub(super) const TEMPERATURE_RISE: f64 = 15.0;

/// Failed updates of a service within six hours that are more than a moment without a connection.
pub(super) const UPDATE_FAILURES: f64 = 2.0;

/// DNS requests that may wait to be sent.
pub(super) const DNS_PENDING: f64 = 100.0;

/// Seconds that an appliance's certificate has left.
pub(super) const CERTIFICATE_SOON: f64 = 14.0 * DAY;

/// How many times its size of a day ago a quarantine may have.
pub(super) const QUARANTINE_GROWTH: f64 = 2.0;

/// Messages below which a quarantine may grow as it likes.
pub(super) const QUARANTINE_FLOOR: f64 = 1000.0;

/// Share of outgoing recipients that are refused for good.
pub(super) const HARD_BOUNCES: f64 = 0.1;

/// Share of outgoing mail that is spam.
pub(super) const OUTGOING_SPAM: f64 = 0.05;

/// Spam messages in half an hour below which the share means nothing.
pub(super) const OUTGOING_SPAM_FLOOR: f64 = 50.0;

/// Infected recipients in half an hour that are more than a stray file.
pub(super) const OUTGOING_MALWARE: f64 = 10.0;

/// Share of connections whose required TLS fails.
pub(super) const TLS_FAILURES: f64 = 0.05;

/// Share of messages that arrive or leave without TLS. Usual shares are far lower, but differ between sites.
pub(super) const UNENCRYPTED: f64 = 0.4;

/// Unencrypted messages in an hour below which the share means nothing.
pub(super) const UNENCRYPTED_FLOOR: f64 = 100.0;

/// Share of accepted recipients with a sender that fails SPF, or a signature that fails DKIM.
pub(super) const FAILED_SENDERS: f64 = 0.1;

/// Such recipients in an hour below which the share means nothing.
pub(super) const FAILED_SENDERS_FLOOR: f64 = 50.0;

/// Share of accepted recipients that are taken for spoofed.
pub(super) const SPOOFED: f64 = 0.05;

/// Such recipients in an hour below which the share means nothing.
pub(super) const SPOOFED_FLOOR: f64 = 20.0;

/// Share of messages from domains with the two worst verdicts.
pub(super) const POOR_SENDERS: f64 = 0.2;

/// Such messages in an hour below which the share means nothing.
pub(super) const POOR_SENDERS_FLOOR: f64 = 50.0;

/// Share of files that cannot be scanned.
pub(super) const UNSCANNABLE: f64 = 0.1;

/// Such files in an hour below which the share means nothing.
pub(super) const UNSCANNABLE_FLOOR: f64 = 20.0;

/// Share of messages that fail DMARC and are delivered; mailing lists fail it too.
pub(super) const DMARC_FAILURES: f64 = 0.1;

/// Such messages in an hour below which the share means nothing.
pub(super) const DMARC_FAILURES_FLOOR: f64 = 20.0;

/// Delivered messages of an hour from outside with a sender of one's own domain; some providers send in one's name.
pub(super) const SPOOFED_SENDERS: f64 = 5.0;

/// Messages of an hour in the outbreak quarantine; some are there on any day.
pub(super) const OUTBREAK_QUARANTINED: f64 = 10.0;

/// Share of messages that are dropped; where spam is dropped, it is high on any day.
pub(super) const DROPPED: f64 = 0.5;

/// Dropped messages of a window below which the share means nothing.
pub(super) const DROPPED_FLOOR: f64 = 100.0;

/// Failed SMTP logins a minute that are an attack.
pub(super) const LOGIN_FAILURES: f64 = 10.0;

/// Recipients, or connections, a second below which shares and comparisons are noise.
pub(super) const FLOOR: f64 = 0.1;

/// How many times the volume of a week ago is unusual.
pub(super) const UNUSUAL: f64 = 4.0;

/// By how much the share of threats may rise within a day.
pub(super) const THREAT_JUMP: f64 = 0.25;

/// To which part of yesterday's the share of threats may fall.
pub(super) const THREAT_FALL: f64 = 0.5;

/// Windows that may be missing at the end, the settle delay apart; the exporter itself shows nothing that is older.
pub(super) const LATE_WINDOWS: f64 = 3.0;

/// Seconds that data may be older than their windows and the settle delay explain.
pub(super) const GRACE: f64 = 600.0;

/// Seconds that the data of reporting may be old.
pub(super) const REPORTING_AGE: f64 = 2.0 * 3600.0;

/// Seconds between the appliance's clock and ours.
pub(super) const CLOCK_SKEW: f64 = 60.0;

/// Share of requests that fail.
pub(super) const REQUEST_FAILURES: f64 = 0.1;

/// Seconds of a slow request: half the default timeout.
pub(super) const SLOW_REQUEST: f64 = 30.0;

/// Share of events that are found after their window was counted.
pub(super) const LATE: f64 = 0.05;

/// Seconds of a day.
pub(super) const DAY: f64 = 86_400.0;

/// The reasons of failures that are answers: the appliance works, and does not give what was requested.
pub(super) const REFUSED: &str = "declined|not_allowed";
