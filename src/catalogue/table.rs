//! The groups as a table for people. Knows nothing of the page it stands in.

use std::fmt::Write as _;

use super::{Group, groups};

/// The Markdown table of all scalar groups, smallest profile first, then by name; ends with a line break.
#[must_use]
pub fn table() -> String {
    let mut rows: Vec<&Group> = groups().iter().collect();
    rows.sort_by_key(|group| (group.profile, group.name));
    let mut page = String::from("| group | profile | counters | what it tells |\n| --- | --- | ---: | --- |\n");
    for Group { name, profile, counters, help, .. } in rows {
        let count = counters.len();
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{name}` | {profile} | {count} | {help} |");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_row_per_group_smallest_profile_first() {
        let page = table();
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines.len(), 2 + groups().len());
        assert_eq!(
            lines.get(2).copied(),
            Some(
                "| `mail_incoming_traffic_summary` | minimal | 26 | Incoming mail by verdict: what was attempted, \
                 what was stopped and why, what is clean or graymail |"
            )
        );
        assert!(lines.iter().all(|line| line.matches('|').count() == 5), "{page}");
    }
}
