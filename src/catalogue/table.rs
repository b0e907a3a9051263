//! The groups as a table for people. Knows nothing of the page it stands in.

use std::fmt::Write as _;

use super::{Group, groups};

/// The Markdown table of all groups, smallest profile first, then by name; ends with a line break.
#[must_use]
pub fn table() -> String {
    let mut rows: Vec<&Group> = groups().collect();
    rows.sort_by_key(|group| (group.profile.is_none(), group.profile, &group.name));
    let head = "| group | profile | a row per | counters | meaning |\n| --- | --- | --- | ---: | --- |\n";
    let mut page = String::from(head);
    for Group { name, profile, key, counters, others, help, .. } in rows {
        let profile = profile.map_or_else(|| "by name".to_owned(), |profile| profile.to_string());
        let label = key.as_ref().map_or_else(String::new, |key| format!("`{}`", key.label));
        // Few or no counters known would read as few or no counters sent.
        let count = others.as_ref().map_or_else(|| counters.len().to_string(), |_| "not published".to_owned());
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{name}` | {profile} | {label} | {count} | {help} |");
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
        assert_eq!(lines.len(), 2 + groups().count());
        assert_eq!(
            lines.get(2).copied(),
            Some(
                "| `mail_incoming_traffic_summary` | minimal |  | 26 | Incoming mail by verdict: attempted, stopped by \
                 cause, clean and graymail |"
            )
        );
        assert!(lines.iter().all(|line| line.matches('|').count() == 6), "{page}");
    }

    #[test]
    fn groups_without_a_profile_come_last_and_tell_of_unpublished_counters() {
        let page = table();
        let first_by_name = page.lines().position(|line| line.contains("| by name |"));
        assert_eq!(first_by_name, Some(2 + groups().filter(|group| group.profile.is_some()).count()));
        let row = "| `domains` | by name | `domain` | not published | Web traffic by domain |";
        assert_eq!(page.lines().nth(first_by_name.unwrap()), Some(row));
    }
}
