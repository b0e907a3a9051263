//! Counts the entries of a paged list, such as the messages that a search finds: from `meta.totalCount` where that is
//! the whole number, else by reading page after page within a bound. Entries are personal data: they are counted while
//! the body is parsed, and neither kept nor logged.
//!
//! Published clients disagree on what `totalCount` is: the number of rows of this page, or of everything that matches.
//! Both readings give the same count here. A `totalCount` above what the pages so far hold can only be the whole; any
//! other leaves open whether more follows, so that pages are read while they are full.
//!
//! Where only delivered messages count, every page is read, because `totalCount` knows nothing of their status. A message
//! without a readable status makes the count a lower bound.
//!
//! That the list is the same for all pages of one count is assumed: a window is requested once it has settled.

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess};

use crate::api::Failure;
use crate::api::wire::field;
use crate::api::wire::json::{By, Reader, malformed};
use crate::api::wire::number::Scalar;
use crate::catalogue::tracking::Outcome;

/// A number of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// All of them.
    Exact(u64),
    /// Counting stopped at its bound: there are at least so many.
    AtLeast(u64),
}

impl Count {
    /// The number, whatever it is.
    #[must_use]
    pub const fn get(self) -> u64 {
        match self {
            Self::Exact(count) | Self::AtLeast(count) => count,
        }
    }
}

/// The limits within which a list is read.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Paging {
    /// Rows of a page.
    pub(in crate::api) limit: u64,
    /// Pages of one count at most: each is a request.
    pub(in crate::api) most_pages: u64,
}

/// The pages of one count so far.
#[derive(Debug)]
pub(in crate::api) struct PageCounter {
    paging: Paging,
    outcome: Outcome,
    pages: u64,
    found: u64,
    delivered: u64,
    /// Messages without a readable status.
    unknown: u64,
}

impl PageCounter {
    pub(in crate::api) fn new(paging: Paging, outcome: Outcome) -> Self {
        Self { paging, outcome, pages: 0, found: 0, delivered: 0, unknown: 0 }
    }

    /// The parameters of the next page; `offset` and `limit` bring nothing one without the other.
    ///
    /// **Source:** API guide, of reports.
    pub(in crate::api) fn next_page(&self) -> String {
        format!("offset={}&limit={}", self.pages * self.paging.limit, self.paging.limit)
    }

    /// Adds the next page. Returns the count unless another page is needed for it.
    pub(in crate::api) fn add(&mut self, page: &PageCounts) -> Option<Count> {
        let of_page = page.rows.saturating_add(page.bad);
        self.pages += 1;
        self.found = self.found.saturating_add(of_page);
        self.delivered = self.delivered.saturating_add(page.delivered);
        self.unknown = self.unknown.saturating_add(page.unknown).saturating_add(page.bad);
        let is_whole_known = page.total_count > self.found;
        match self.outcome {
            Outcome::Any if is_whole_known => return Some(Count::Exact(page.total_count)),
            Outcome::Any if of_page < self.paging.limit => return Some(Count::Exact(self.found)),
            Outcome::Delivered if of_page < self.paging.limit => {
                let is_exact = self.unknown == 0 && !is_whole_known;
                return Some(if is_exact { Count::Exact(self.delivered) } else { self.so_far() });
            }
            Outcome::Any | Outcome::Delivered => {}
        }
        (self.pages >= self.paging.most_pages).then(|| self.so_far())
    }

    /// The count when not everything was read.
    pub(in crate::api) fn so_far(&self) -> Count {
        Count::AtLeast(match self.outcome {
            Outcome::Any => self.found,
            Outcome::Delivered => self.delivered,
        })
    }
}

/// The numbers of one page.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::api) struct PageCounts {
    pub(in crate::api) total_count: u64,
    pub(in crate::api) rows: u64,
    /// Rows of messages that were delivered.
    pub(in crate::api) delivered: u64,
    /// Rows without a readable status.
    pub(in crate::api) unknown: u64,
    /// Records that match and could not be read. That they are of this page, and that each takes a row's place on it or
    /// comes besides the rows, is assumed: either way a page that is not full is the last.
    pub(in crate::api) bad: u64,
}

impl PageCounts {
    /// Reads the answer.
    ///
    /// # Errors
    /// [`crate::api::Reason::NotJson`] and [`crate::api::Reason::Malformed`] for what is no answer or holds no count.
    ///
    /// **Source:** recorded answers; published clients for `num_bad_records`.
    pub(in crate::api) fn parse(body: &str) -> Result<Self, Failure> {
        let parts = field::parts(body, Rows)?;
        let total_count = field::count(parts.total_count.as_ref());
        let total_count = total_count.ok_or_else(|| malformed("`meta.totalCount` is not a count"))?;
        let bad = field::count(parts.bad_records.as_ref()).unwrap_or(0);
        let RowCounts { rows, delivered, unknown } = parts.data.unwrap_or_default();
        Ok(Self { total_count, rows, delivered, unknown, bad })
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct RowCounts {
    rows: u64,
    delivered: u64,
    unknown: u64,
}

/// Counts the rows of a page, each of which is dropped while it is read.
#[derive(Clone, Copy)]
struct Rows;

impl<'de> Reader<'de> for Rows {
    type Made = RowCounts;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<RowCounts, E> {
        match value {
            Scalar::Null => Ok(RowCounts::default()),
            _ => Err(E::custom("`data` is not a list of rows")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut rows: A) -> Result<RowCounts, A::Error> {
        let mut counts = RowCounts::default();
        while let Some(is_delivered) = rows.next_element_seed(By(Row))? {
            counts.rows += 1;
            counts.delivered += u64::from(is_delivered == Some(true));
            counts.unknown += u64::from(is_delivered.is_none());
        }
        Ok(counts)
    }

    /// An empty object stands for no rows in reports, so that it does here.
    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<RowCounts, A::Error> {
        match fields.next_entry::<IgnoredAny, IgnoredAny>()? {
            None => Ok(RowCounts::default()),
            Some(_) => Err(de::Error::custom("`data` is not a list of rows")),
        }
    }
}

/// Whether the message of a row was delivered; none where the row does not show it.
#[derive(Clone, Copy)]
struct Row;

impl<'de> Reader<'de> for Row {
    type Made = Option<bool>;

    fn scalar<E: de::Error>(self, _: Scalar<'_>) -> Result<Option<bool>, E> {
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<Option<bool>, A::Error> {
        let mut is_delivered = None;
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "attributes" => is_delivered = fields.next_value_seed(By(self))?.or(is_delivered),
                "messageStatus" => is_delivered = fields.next_value_seed(By(Status))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        Ok(is_delivered)
    }
}

/// Whether a status, or one of several, is that of a delivered message; none where there is none.
///
/// **Source:** a text in the guide of AsyncOS 12.0, and a text by message number in recorded answers. That the text of a
/// delivered message begins with `deliver`, in whichever case, and no other does, is assumed.
#[derive(Clone, Copy)]
struct Status;

impl Status {
    const DELIVERED: &str = "deliver";
}

impl<'de> Reader<'de> for Status {
    type Made = Option<bool>;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<Option<bool>, E> {
        let Scalar::Text(text) = value else { return Ok(None) };
        let begin = text.trim_start().get(..Self::DELIVERED.len());
        let is_delivered = begin.is_some_and(|begin| begin.eq_ignore_ascii_case(Self::DELIVERED));
        Ok((!field::says_nothing(text)).then_some(is_delivered))
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<bool>, A::Error> {
        let mut is_delivered = None;
        while let Some(one) = list.next_element_seed(By(self))? {
            is_delivered = is_delivered.max(one);
        }
        Ok(is_delivered)
    }

    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<Option<bool>, A::Error> {
        let mut is_delivered = None;
        while object.next_key::<IgnoredAny>()?.is_some() {
            is_delivered = is_delivered.max(object.next_value_seed(By(self))?);
        }
        Ok(is_delivered)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Reason;

    const PAGING: Paging = Paging { limit: 100, most_pages: 5 };

    /// A page of messages that were not delivered.
    fn page(total_count: u64, rows: u64, bad: u64) -> PageCounts {
        PageCounts { total_count, rows, delivered: 0, unknown: 0, bad }
    }

    /// The count where the answer to each offset is `page`, and the number of pages that it takes.
    fn counted(page: impl Fn(u64) -> PageCounts) -> (Count, u64) {
        let mut counter = PageCounter::new(PAGING, Outcome::Any);
        loop {
            let offset = counter.pages * PAGING.limit;
            assert_eq!(counter.next_page(), format!("offset={offset}&limit=100"));
            if let Some(count) = counter.add(&page(offset)) {
                return (count, counter.pages);
            }
        }
    }

    #[test]
    fn both_readings_of_the_total_give_the_same_count() {
        for matches in 0..=600 {
            let rows = |offset: u64| matches.clamp(offset, offset + 100) - offset;
            let (count, pages) = counted(|offset| page(matches, rows(offset), 0));
            assert_eq!(count, Count::Exact(matches));
            assert_eq!(pages, if matches == 100 { 2 } else { 1 }, "{matches}: the total tells of more");
            let (count, pages) = counted(|offset| page(rows(offset), rows(offset), 0));
            match matches {
                0..500 => assert_eq!((count, pages), (Count::Exact(matches), matches / 100 + 1)),
                _ => assert_eq!((count, pages), (Count::AtLeast(500), 5), "{matches}: the fifth page may be the last"),
            }
        }
    }

    #[test]
    fn records_that_cannot_be_read_are_matches() {
        for matches in [0, 1, 99, 100, 101, 250] {
            for bad in [0, 1, 30] {
                let rows = |offset: u64| matches.clamp(offset, offset + 100) - offset;
                // In place of rows.
                let answer = |offset| {
                    let bad = rows(offset).min(bad);
                    let good = rows(offset) - bad;
                    page(good, good, bad)
                };
                assert_eq!(counted(answer).0, Count::Exact(matches), "{bad} of each page");
                // Besides them, with the first page.
                let answer = |offset| {
                    let bad = if offset == 0 { bad } else { 0 };
                    page(rows(offset), rows(offset), bad)
                };
                assert_eq!(counted(answer).0, Count::Exact(matches + bad), "{bad} besides");
            }
        }
    }

    #[test]
    fn pages_are_read_in_every_form() {
        let page = |total_count, rows, bad| PageCounts { unknown: rows, ..page(total_count, rows, bad) };
        for (body, expected) in [
            (
                r#"{"data": [{"attributes": {"subject": "private", "verdictChart": {}}}, {}, 3],
                    "meta": {"num_bad_records": 2, "totalCount": 1234}, "more": [{}]}"#,
                page(1234, 3, 2),
            ),
            (r#"{"meta": {"totalCount": 3}, "data": [{"attributes": {"size": NaN}, "mid": 45}]}"#, page(3, 1, 0)),
            (r#"{"meta": {"totalCount": "3.0", "num_bad_records": "2"}, "data": []}"#, page(3, 0, 2)),
            (r#"{"meta": {"totalCount": 0, "num_bad_records": null}, "data": {}}"#, page(0, 0, 0)),
            (r#"{"meta": {"totalCount": 7}, "data": null}"#, page(7, 0, 0)),
            (r#"{"meta": {"totalCount": 7}}"#, page(7, 0, 0)),
        ] {
            assert_eq!(PageCounts::parse(body).expect(body), expected);
        }
    }

    #[test]
    fn a_status_is_read_in_every_form() {
        for (status, expected) in [
            (r#""Delivered""#, (1, 0)),
            (r#"" DELIVERED ""#, (1, 0)),
            (r#"{"21": "Dropped by Anti-Virus", "22": "delivered"}"#, (1, 0)),
            (r#"["Bounced"]"#, (0, 0)),
            (r#"{"21": "Undelivered"}"#, (0, 0)),
            (r#""Zugestellt""#, (0, 0)),
            (r#""N/A""#, (0, 1)),
            ("{}", (0, 1)),
            ("5", (0, 1)),
        ] {
            let body = format!(
                r#"{{"meta": {{"totalCount": 1}}, "data": [{{"attributes": {{"mid": [1], "messageStatus": {status}}}}}]}}"#
            );
            let page = PageCounts::parse(&body).expect(&body);
            assert_eq!((page.delivered, page.unknown), expected, "{status}");
        }
    }

    #[test]
    fn only_delivered_messages_count_where_that_is_asked() {
        let counted = |pages: &[PageCounts]| {
            let mut counter = PageCounter::new(PAGING, Outcome::Delivered);
            pages.iter().find_map(|page| counter.add(page)).unwrap_or_else(|| counter.so_far())
        };
        let page = |total_count, rows, delivered| PageCounts { delivered, ..page(total_count, rows, 0) };
        assert_eq!(counted(&[page(0, 0, 0)]), Count::Exact(0));
        // Whether the total is that of the page or of all, every page is read.
        for total in [100, 130] {
            assert_eq!(counted(&[page(total, 100, 3), page(total.min(130), 30, 2)]), Count::Exact(5));
        }
        assert_eq!(counted(&[page(130, 100, 3), page(230, 30, 2)]), Count::AtLeast(5), "rows are missing");
        assert_eq!(counted(&[PageCounts { unknown: 1, ..page(9, 9, 2) }]), Count::AtLeast(2));
        assert_eq!(counted(&[PageCounts { bad: 1, ..page(9, 9, 2) }]), Count::AtLeast(2));
        let full = || page(100, 100, 1);
        assert_eq!(counted(&[full(), full(), full(), full(), full(), full()]), Count::AtLeast(5));
    }

    #[test]
    fn no_count_is_not_zero_and_no_row_is_repeated() {
        for body in [
            "[]",
            "{}",
            r#"[{"totalCount": 3}]"#,
            r#"{"data": []}"#,
            r#"{"totalCount": 3, "data": []}"#,
            r#"{"meta": 5, "data": []}"#,
            r#"{"meta": {"totalCount": -1}, "data": []}"#,
            r#"{"meta": {"totalCount": 1.5}, "data": []}"#,
            r#"{"meta": {"totalCount": 3}, "data": "private"}"#,
            r#"{"meta": {"totalCount": 3}, "data": {"private": 1}}"#,
            r#"{"meta": {"totalCount": 3}, "data": ["private"#,
            r#"{"error": {"message": "Missing attribute - startDate or endDate.", "code": "404"}}"#,
            r#"{"error": "private", "meta": {"totalCount": 3}, "data": []}"#,
        ] {
            let failure = PageCounts::parse(body).expect_err(body);
            assert_eq!(failure.reason, Reason::Malformed, "{body}");
            assert!(!failure.to_string().contains("private"), "{failure}");
        }
        assert_eq!(PageCounts::parse("<html>").expect_err("a page").reason, Reason::NotJson);
        let error = r#"{"error": {"message": "Unsupported attribute."}, "meta": {"totalCount": 3}}"#;
        let said = PageCounts::parse(error).expect_err("an error").detail;
        assert_eq!(said, "an error despite a success status: Unsupported attribute.");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(body in ".*") {
            let _ = PageCounts::parse(&body);
        }
    }
}
