//! The keys of keyed groups: a small pool for each kind, of which every device has its own part, and how its events are
//! spread over them. The names are made up.

use crate::sim::traffic::{Device, hash};

/// A kind of key.
#[derive(Clone, Copy)]
pub(in crate::sim) struct KeyPool {
    keys: &'static [&'static str],
    /// Host names that go with the keys, one each; with them a value is an object.
    hosts: Option<&'static [&'static str]>,
}

/// The keys of one device.
pub(in crate::sim) struct DeviceKeys {
    /// Places in the pool.
    pub(in crate::sim) places: Vec<usize>,
    pub(in crate::sim) weights: Vec<u64>,
}

impl KeyPool {
    pub(in crate::sim) const fn len(&self) -> usize {
        self.keys.len()
    }

    pub(in crate::sim) const fn has_hosts(&self) -> bool {
        self.hosts.is_some()
    }

    /// The key at this place of the pool, and its host name.
    pub(in crate::sim) fn at(&self, place: usize) -> (&'static str, Option<&'static str>) {
        (self.keys[place], self.hosts.map(|hosts| hosts[place]))
    }

    /// The part of the pool that a device has: the first two, and three quarters of the others. The first have most of
    /// the events; the last have so few that there are windows without any.
    pub(in crate::sim) fn of(&self, device: &Device) -> DeviceKeys {
        /// The share of the first key against that of the last.
        const MOST: u64 = 1000;
        let has = |&place: &usize| place < 2 || !device.constant(hash(self.keys[place])).is_multiple_of(4);
        let places: Vec<_> = (0..self.keys.len()).filter(has).collect();
        let weights = places.iter().map(|place| (MOST >> place.min(&9)).max(1)).collect();
        DeviceKeys { places, weights }
    }

    /// Some key of the pool.
    pub(in crate::sim) fn pick(&self, noise: u64) -> &'static str {
        self.keys[(noise % self.keys.len() as u64) as usize]
    }

    /// A key that no pool has, the `number`th.
    pub(in crate::sim) fn extra_key(&self, number: usize) -> String {
        match self.hosts {
            Some(_) => format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255),
            None => format!("extra {number:05}"),
        }
    }
}

pub(super) const fn pool(keys: &'static [&'static str]) -> KeyPool {
    KeyPool { keys, hosts: None }
}

/// Keys that a report may carry because a sender chose them. **Source:** none; each has broken some program.
#[must_use]
pub fn hostile_keys() -> Vec<String> {
    let plain = [
        "\"",
        "\\",
        "\\n",
        "line\nbreak",
        "return\r\n",
        "nul\u{0}tab\t",
        "",
        " ",
        " padded ",
        "😀",
        "ünïcödé",
        "right\u{202e}left",
        "{le=\"0.5\"} 1",
        "<script>alert(1)</script>",
        "'; drop table keys; --",
        "../../etc/passwd",
        "{{ $labels.key }}",
        "null",
        "-1",
    ];
    let mut keys: Vec<_> = plain.into_iter().map(str::to_owned).collect();
    keys.push("x".repeat(10 * 1024));
    keys
}

pub(in crate::sim) const SENDER_DOMAIN: KeyPool = pool(&[
    "example.com",
    "unknown domain",
    "example.net",
    "example.org",
    "mail.example.com",
    "news.example.net",
    "shop.example.org",
    "xn--bcher-kva.example",
    "a.very.long.subdomain.of.example.com",
    "rare.example",
]);
pub(in crate::sim) const DOMAIN_AND_IP: KeyPool = pool(&[
    "example.com 192.0.2.10",
    "example.net 192.0.2.20",
    "example.org 198.51.100.7",
    "unknown domain 203.0.113.9",
    "mail.example.com 2001:db8::25",
]);
pub(in crate::sim) const ADDRESS: KeyPool = KeyPool {
    keys: &[
        "192.0.2.60",
        "198.51.100.23",
        "203.0.113.99",
        "192.0.2.61",
        "2001:db8::25",
        "198.51.100.24",
        "203.0.113.7",
        "192.0.2.62",
        "2001:db8:1::1",
        "198.51.100.200",
    ],
    hosts: Some(&[
        "unknown domain",
        "mail.example.com",
        "mx1.example.net",
        "mx2.example.net",
        "six.example.org",
        "unknown domain",
        "bulk.example.net",
        "unknown domain",
        "unknown domain",
        "rare.example",
    ]),
};
pub(in crate::sim) const DESTINATION: KeyPool = pool(&[
    "example.org",
    "example.net",
    "partner.example",
    "customer.example",
    "supplier.example",
    "bank.example",
    "authority.example",
    "example.edu",
    "rare.example",
]);
pub(in crate::sim) const NETWORK: KeyPool =
    pool(&["Example Networks", "Example Hosting, Inc.", "No network owner information", "Example Telecom", "Rare Net"]);
pub(in crate::sim) const MAIL_POLICY: KeyPool =
    pool(&["DEFAULT", "Executives", "Finance & Legal", "Helpdesk", "Partners"]);
pub(in crate::sim) const CONTENT_FILTER: KeyPool = pool(&[
    "Strip_Executables",
    "Quarantine_Macros",
    "Tag_External",
    "Encrypt_On_Subject",
    "Block_Password_Archives",
    "URL_Rewrite",
    "Forged_Executives",
]);
pub(in crate::sim) const MESSAGE_FILTER: KeyPool =
    pool(&["header_repeats", "drop_loops", "skip_scan_relay", "bcc_archive", "bounce_oversize"]);
pub(in crate::sim) const DLP_POLICY: KeyPool = pool(&[
    "PCI-DSS (Payment Card Industry Data Security Standard)",
    "Personal Data",
    "HIPAA",
    "Source Code",
    "Restricted Files",
    "Custom Policy 1",
]);
pub(in crate::sim) const USER: KeyPool = pool(&[
    "alice@example.com",
    "bob@example.com",
    "carol@example.com",
    "dave@example.com",
    "erin+lists@example.com",
    "frank@example.com",
    "grace@example.com",
    "o'heidi@example.com",
    "ivan@example.com",
]);
pub(in crate::sim) const ENVELOPE_SENDER: KeyPool = pool(&[
    "newsletter@example.net",
    "bounce+1@example.org",
    "noreply@shop.example",
    "root@host.example",
    "rare@example.com",
]);
pub(in crate::sim) const SUBJECT: KeyPool = pool(&[
    "Your invoice",
    "Re: meeting",
    "",
    "Winner \"2026\"!",
    "Fwd: Fwd: photos",
    "Rechnung für März",
    "請求書",
    "[list] digest",
]);
pub(in crate::sim) const URL: KeyPool = pool(&[
    "http://example.com/a?b=c&d=e",
    "https://login.example.net/",
    "http://203.0.113.5/x",
    "https://example.org/%C3%BC",
    "http://rare.example/",
]);
pub(in crate::sim) const URL_CATEGORY: KeyPool =
    pool(&["Business and Industry", "Advertisements", "Social Networking", "Uncategorized", "Finance", "Gambling"]);
pub(in crate::sim) const URL_DOMAIN: KeyPool =
    pool(&["example.com", "example.net", "login.example.net", "shortener.example", "rare.example"]);
pub(in crate::sim) const URL_REPUTATION: KeyPool =
    pool(&["Favorable", "Neutral", "Unknown", "Questionable", "Untrusted"]);
pub(in crate::sim) const VIRUS: KeyPool =
    pool(&["EICAR-AV-Test", "Troj/DocDl-AB", "Mal/Phish-A", "W32/Netsky-P", "Unscannable"]);
pub(in crate::sim) const MALWARE: KeyPool =
    pool(&["W32.Generic", "Doc.Dropper.Macro", "Pdf.Phishing.Generic", "Simple_Custom"]);
pub(in crate::sim) const FILE: KeyPool = pool(&[
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
    "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
]);
pub(in crate::sim) const RECORD: KeyPool = pool(&["record-000001", "record-000002", "record-000003", "record-000004"]);
pub(in crate::sim) const BATCH: KeyPool = pool(&["batch-1", "batch-2", "Search & Remediate 3"]);
pub(in crate::sim) const FILE_TYPE: KeyPool = pool(&["docm", "xlsm", "pptm", "pdf"]);
pub(in crate::sim) const EXTENSION: KeyPool = pool(&["doc", "docx", "xls", "pdf", "pptx"]);
pub(in crate::sim) const COUNTRY: KeyPool =
    pool(&["United States", "Germany", "Unknown Region", "Côte d'Ivoire", "Korea, Republic of", "Japan"]);
pub(in crate::sim) const SENDER_GROUP: KeyPool =
    pool(&["UNKNOWNLIST", "ACCEPTLIST", "RELAYLIST", "SUSPECTLIST", "BLOCKED_LIST", "THROTTLED", "Partners"]);
pub(in crate::sim) const SDR_CATEGORY: KeyPool = pool(&["Spam", "Malware", "Phishing", "Newly Seen Domain", "Spoofed"]);
pub(in crate::sim) const SDR_LEVEL: KeyPool =
    pool(&["Neutral", "Questionable", "Untrusted", "Favorable", "Trusted", "Unknown"]);
pub(in crate::sim) const INDICATOR: KeyPool =
    pool(&["bad.example", "http://bad.example/x", "203.0.113.66", "rare-bad.example"]);
pub(in crate::sim) const FEED: KeyPool = pool(&["hailataxii", "Internal Feed", "sector-isac"]);
pub(in crate::sim) const OUTBREAK: KeyPool =
    pool(&["Phish: Account", "Malware: Trojan", "Virus: Zip", "Scam: Lottery"]);
pub(in crate::sim) const OUTBREAK_CATEGORY: KeyPool = pool(&["Phish", "Scam", "Malware", "Virus"]);
pub(in crate::sim) const OUTBREAK_LEVEL: KeyPool = pool(&["1", "2", "3", "4", "5"]);
pub(in crate::sim) const OUTBREAK_TYPE: KeyPool = pool(&["Phish", "Malware", "Scam", "Virus"]);
pub(in crate::sim) const TIME_BUCKET: KeyPool = pool(&["0-1 hour", "1-4 hours", "4-12 hours", "12-24 hours"]);
