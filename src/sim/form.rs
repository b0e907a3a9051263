//! Forms an answer can take where documents and recordings differ, or leave it open.

use crate::sim::date;

/// The version in the status line. Answers close the connection under either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// `HTTP/1.0`, as in most samples of the guides.
    Http10,
    /// `HTTP/1.1`, as the SMA guide claims.
    Http11,
}

/// Whether an endpoint is there that only one published client knows, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It answers with this status.
    NotOffered(u16),
    /// As in the examples of that client.
    AsSeen,
    /// Objects instead of lists of one, numbers as texts with commas, parts missing; assumed.
    Odd,
}

/// Layout of the result set of a scalar report; all four have been claimed or seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A list of objects with one counter each, as recorded.
    ListOfSingles,
    /// The same list backwards: the order is not the same in every release.
    ReverseOrder,
    /// A list of one object with all counters, as the Swagger file has it.
    OneObject,
    /// One object with all counters and no list; assumed.
    BareObject,
}

/// Reports of an ESA once its data go to an SMA. Only `mail_system_capacity` (and `reporting_system`, assumed) still
/// answers normally; what the others do is not documented, so all three are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centralized {
    /// Reporting is local: every group has data.
    Off,
    /// Every counter is there and is 0.
    Zeros,
    /// An empty result set.
    Empty,
    /// 404 `Not Found.`
    NotFound,
}

/// Form of "no rows" in a keyed report, and of the answer to half of a pair of attributes. No document shows
/// the body, so all that are thought possible are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRows {
    /// `"resultSet": []`.
    EmptyList,
    /// `"resultSet": {}`.
    EmptyObject,
    /// `"resultSet": {"<counter>": []}`, with every requested counter.
    EmptyLists,
    /// `"resultSet": null`.
    Null,
    /// `data` without `resultSet`.
    Missing,
    /// `{}` as the whole body, as in v1.
    EmptyBody,
}

/// Rows that `meta.totalCount` of a search counts: published clients rely on either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TotalCount {
    /// The rows of the page.
    Page,
    /// Everything that matches, whatever the page.
    Matches,
}

/// Format of the times in `reporting_system`; that they are strings is known (Swagger), and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// Seconds since 1970: `1795435200`.
    UnixSeconds,
    /// As the dates of a request: `2026-11-23T12:00:00.000Z`.
    Iso,
    /// As tracking on an SMA: `23 Nov 2026 12:00:00 (GMT)`.
    Tracking,
    /// As C: `Mon Nov 23 12:00:00 2026`.
    Ctime,
}

impl TimeForm {
    pub(super) fn write(self, secs: u64) -> String {
        match self {
            Self::UnixSeconds => secs.to_string(),
            Self::Iso => date::iso(secs),
            Self::Tracking => date::tracking(secs),
            Self::Ctime => date::ctime(secs),
        }
    }
}

/// The two published forms of `login/privileges`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privileges {
    /// A list of names.
    Flat,
    /// An object with a list of resources and methods.
    Resources,
}

/// The claim `cookie` of a token, in which the appliance describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenCookie {
    /// As recorded.
    AsRecorded,
    /// As recorded, with this in place of `model;version;serial;`.
    Identity(String),
    /// This text as a whole. What a token was fetched with is then not in it, so the token is not bound.
    Claim(String),
    /// There is no such claim, and the token is not bound.
    Missing,
}

/// Which gauges of `/xml/status` are written with a unit (K, M, G, T: powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitSuffixes {
    /// None.
    Nowhere,
    /// `log_available` only, as recorded.
    AsRecorded,
    /// Every gauge that is large enough; digits are lost.
    Everywhere,
}

/// The time zone of the appliance, as in `config/system_time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemTimeForm {
    /// `Asia/Kolkata`.
    pub timezone: String,
    /// `Asia`, `India`, `Kolkata`.
    pub continent: Vec<String>,
    /// `IST`, at the end of the time.
    pub abbreviation: String,
    /// Seconds that its local time is ahead of UTC.
    pub east_secs: i64,
}

impl Default for SystemTimeForm {
    /// UTC; how that is spelt is assumed.
    fn default() -> Self {
        let continent = ["Etc", "UTC", "UTC"].map(str::to_owned).to_vec();
        Self { timezone: "Etc/UTC".to_owned(), continent, abbreviation: "UTC".to_owned(), east_secs: 0 }
    }
}
