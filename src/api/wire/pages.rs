//! Counts the entries of a paged list, such as the messages that a search finds: from `meta.totalCount` where that is
//! the whole number, else by reading page after page within a bound. Entries are personal data: they are counted while
//! the body is parsed, and neither kept nor logged.
//!
//! Published clients disagree on what `totalCount` is: the number of rows of this page, or of everything that matches.
//! Both readings give the same count here. A `totalCount` above what the pages so far hold can only be the whole; any
//! other leaves open whether more follows, so that pages are read while they are full.
//!
//! That the list is the same for all pages of one count is assumed: a window is requested once it has settled.

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess};

use crate::api::Failure;
use crate::api::wire::field;
use crate::api::wire::json::{Reader, malformed};
use crate::api::wire::number::Scalar;

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
    pages: u64,
    found: u64,
}

impl PageCounter {
    pub(in crate::api) fn new(paging: Paging) -> Self {
        Self { paging, pages: 0, found: 0 }
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
        if page.total_count > self.found {
            return Some(Count::Exact(page.total_count));
        }
        if of_page < self.paging.limit {
            return Some(Count::Exact(self.found));
        }
        (self.pages >= self.paging.most_pages).then(|| self.so_far())
    }

    /// The count when only full pages were read.
    pub(in crate::api) fn so_far(&self) -> Count {
        Count::AtLeast(self.found)
    }
}

/// The numbers of one page.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::api) struct PageCounts {
    pub(in crate::api) total_count: u64,
    pub(in crate::api) rows: u64,
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
        Ok(Self { total_count, rows: parts.data.unwrap_or(0), bad })
    }
}

/// Counts the rows of a page, each of which is dropped while it is read.
#[derive(Clone, Copy)]
struct Rows;

impl<'de> Reader<'de> for Rows {
    type Made = u64;

    fn scalar<E: de::Error>(self, value: Scalar<'_>) -> Result<u64, E> {
        match value {
            Scalar::Null => Ok(0),
            _ => Err(E::custom("`data` is not a list of rows")),
        }
    }

    fn list<A: SeqAccess<'de>>(self, mut rows: A) -> Result<u64, A::Error> {
        let mut count = 0;
        while rows.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// An empty object stands for no rows in reports, so that it does here.
    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<u64, A::Error> {
        match fields.next_entry::<IgnoredAny, IgnoredAny>()? {
            None => Ok(0),
            Some(_) => Err(de::Error::custom("`data` is not a list of rows")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::api::Reason;

    const PAGING: Paging = Paging { limit: 100, most_pages: 5 };

    /// The count where the answer to each offset is `page`, and the number of pages that it takes.
    fn counted(page: impl Fn(u64) -> PageCounts) -> (Count, u64) {
        let mut counter = PageCounter::new(PAGING);
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
            let (count, pages) = counted(|offset| PageCounts { total_count: matches, rows: rows(offset), bad: 0 });
            assert_eq!(count, Count::Exact(matches));
            assert_eq!(pages, if matches == 100 { 2 } else { 1 }, "{matches}: the total tells of more");
            let (count, pages) = counted(|offset| PageCounts { total_count: rows(offset), rows: rows(offset), bad: 0 });
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
                let page = |offset| {
                    let bad = rows(offset).min(bad);
                    let good = rows(offset) - bad;
                    PageCounts { total_count: good, rows: good, bad }
                };
                assert_eq!(counted(page).0, Count::Exact(matches), "{bad} of each page");
                // Besides them, with the first page.
                let page = |offset| {
                    let bad = if offset == 0 { bad } else { 0 };
                    PageCounts { total_count: rows(offset), rows: rows(offset), bad }
                };
                assert_eq!(counted(page).0, Count::Exact(matches + bad), "{bad} besides");
            }
        }
    }

    #[test]
    fn pages_are_read_in_every_form() {
        let page = |total_count, rows, bad| PageCounts { total_count, rows, bad };
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
