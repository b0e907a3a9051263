//! Values as a person reads them in HTML: escaped texts, spans of time and instants. Pure.

use std::fmt;
use std::time::Duration;

use crate::base::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A text that cannot become markup, neither between tags nor in a quoted attribute.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            let (plain, special) = rest.split_at(at);
            out.write_str(plain)?;
            out.write_str(match special.as_bytes()[0] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &special[1..];
        }
        out.write_str(rest)
    }
}

/// A span in its one or two largest units, which stay on one line.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..MINUTE => write!(out, "{seconds}\u{a0}s"),
            MINUTE..HOUR => two(out, seconds, (MINUTE, "min"), (1, "s")),
            HOUR..DAY => two(out, seconds, (HOUR, "h"), (MINUTE, "min")),
            DAY.. => two(out, seconds, (DAY, "d"), (HOUR, "h")),
        }
    }
}

/// Two units, the second only where the first leaves a rest and is itself small.
fn two(out: &mut fmt::Formatter<'_>, seconds: u64, large: (u64, &str), small: (u64, &str)) -> fmt::Result {
    let (count, rest) = (seconds / large.0, seconds % large.0 / small.0);
    write!(out, "{count}\u{a0}{}", large.1)?;
    if rest > 0 && count < 10 {
        write!(out, "\u{a0}{rest}\u{a0}{}", small.1)?;
    }
    Ok(())
}

/// An instant, relative to `now`, with the exact time in its tooltip; a dash where it is not known.
pub(super) struct When {
    pub(super) at: Option<Timestamp>,
    pub(super) now: Timestamp,
}

impl fmt::Display for When {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else { return out.write_str("<span class=\"none\">–</span>") };
        write!(out, "<time datetime=\"{at}\" title=\"{at}\">")?;
        if at > self.now {
            write!(out, "in {}", Span(at.since(self.now)))?;
        } else {
            write!(out, "{} ago", Span(self.now.since(at)))?;
        }
        out.write_str("</time>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_or_two_units() {
        let cases = [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (599, "9 min 59 s"),
            (3599, "59 min"),
            (3600, "1 h"),
            (5400, "1 h 30 min"),
            (86_399, "23 h"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (100 * 86_400 + 3600, "100 d"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(Span(Duration::from_secs(seconds)).to_string().replace('\u{a0}', " "), expected);
        }
    }

    #[test]
    fn instants_are_relative_and_exact() {
        let now = Timestamp::from_secs(1_795_435_200);
        let when = |at| When { at, now }.to_string().replace('\u{a0}', " ");
        assert_eq!(when(None), "<span class=\"none\">–</span>");
        let exact = "2026-11-23T11:59:30.000Z";
        let past = format!("<time datetime=\"{exact}\" title=\"{exact}\">30 s ago</time>");
        assert_eq!(when(Some(now - Duration::from_secs(30))), past);
        assert!(when(Some(now + Duration::from_secs(90))).contains(">in 1 min 30 s<"));
    }

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(Escaped("<a href=\"x\">'&ü").to_string(), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;ü");
        assert_eq!(Escaped("").to_string(), "");
    }
}
