//! Parses dates and times: `10 minutes ago`, `2h`, `yesterday`, `14:00`, `2026-01-05`, RFC 3339.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::friendly::SpanParser;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::{Span, ZonedDateTime};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

/// The moment that a date without a time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The start of the day: `--since`.
    Begin,
    /// The end of the day: `--until` and `@{…}`, which include the day.
    End,
}

/// Parses a point in time relative to the clock and time zone of the environment.
pub fn parse(text: &str, day: Day, environment: &Environment) -> Result<Timestamp> {
    let now = jiff::Timestamp::try_from(environment.now()).unwrap_or_else(|_| jiff::Timestamp::now());
    parse_at(text, day, &now.to_zoned_datetime(environment.time_zone().clone()))
}

/// Parses an exact time and its zone's offset from UTC in seconds: RFC 3339, or decimal seconds since 1970-01-01 UTC,
/// followed by `±HH:MM` if the zone is not UTC.
pub fn exact(text: &str) -> Result<(Timestamp, i32)> {
    let decimal = || {
        let at = text.find(['+', '-']).filter(|&at| at > 0).or(text.get(1..)?.find(['+', '-']).map(|at| at + 1));
        let (seconds, zone) = text.split_at(at.unwrap_or(text.len()));
        Some((Timestamp::parse_decimal(seconds.trim_end())?, if zone.is_empty() { 0 } else { zone_offset(zone)? }))
    };
    let rfc3339 = || {
        let time: jiff::Timestamp = text.parse().ok()?;
        let zone = text.get(text.len().checked_sub(6)?..).filter(|zone| zone.starts_with(['+', '-']));
        let is_utc = text.ends_with(['Z', 'z']) && is_date(text.get(..10)?);
        Some((time.into(), if is_utc { 0 } else { zone_offset(zone?)? }))
    };
    decimal().or_else(rfc3339).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`{}` is not a valid exact time", text.escape_debug()))
            .hint("write it like `2026-01-05T14:00:00.25+01:00`, `1767617999.25` or `1767617999.25+01:00`")
    })
}

/// Seconds of `±HH:MM`.
fn zone_offset(text: &str) -> Option<i32> {
    let offset = BrokenDownTime::parse("%:z", text).ok()?.offset()?;
    (text.len() == "+HH:MM".len()).then(|| offset.seconds())
}

fn parse_at(text: &str, day: Day, now: &ZonedDateTime) -> Result<Timestamp> {
    let text = text.trim();
    let time = absolute(text, day, now).or_else(|| relative(text, now));
    time.map(Timestamp::from).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`{}` is not a valid date or time", text.escape_debug()))
            .hint("write it like `10 minutes ago`, `2h`, `yesterday`, `14:00`, `2026-01-05` or `2026-01-05 14:00`")
    })
}

fn absolute(text: &str, day: Day, now: &ZonedDateTime) -> Option<jiff::Timestamp> {
    let zone = now.time_zone().clone();
    let date = match text {
        "now" => return Some(now.timestamp()),
        "today" => Some(now.date()),
        "yesterday" => now.date().yesterday().ok(),
        _ => text.parse::<Date>().ok().filter(|_| is_date(text)),
    };
    if let Some(date) = date {
        let begin = date.to_zoned_datetime(zone).ok()?;
        return match day {
            Day::Begin => Some(begin.timestamp()),
            Day::End => Some(begin.end_of_day().ok()?.timestamp()),
        };
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time);
    }
    if is_date(text.get(..10)?) {
        return Some(text.parse::<DateTime>().ok()?.to_zoned_datetime(zone).ok()?.timestamp());
    }
    None
}

fn relative(text: &str, now: &ZonedDateTime) -> Option<jiff::Timestamp> {
    // A time of today. The span parser would read it as a duration.
    if let Some(time) = clock(text) {
        return Some(now.date().to_datetime(time).to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp());
    }
    let span: Span = SpanParser::new().parse_span(text).ok()?;
    Some(now.checked_sub(span.abs()).ok()?.timestamp())
}

/// `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() })
}

/// `HH:MM` or `HH:MM:SS`.
fn clock(text: &str) -> Option<Time> {
    let is_clock = matches!(text.len(), 5 | 8)
        && text.bytes().enumerate().all(|(n, b)| if n % 3 == 2 { b == b':' } else { b.is_ascii_digit() });
    if is_clock { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses on a Monday in a zone one hour ahead of UTC.
    fn at(text: &str, day: Day) -> String {
        let now: ZonedDateTime = "2026-01-05T14:30:10.5+01:00[+01:00]".parse().unwrap();
        parse_at(text, day, &now).map_or_else(|error| error.to_string(), Timestamp::to_rfc3339)
    }

    #[test]
    fn subtracts_durations_from_now() {
        for (text, expected) in [
            ("now", "2026-01-05T13:30:10.500000000Z"),
            ("10 minutes ago", "2026-01-05T13:20:10.500000000Z"),
            ("2h", "2026-01-05T11:30:10.500000000Z"),
            ("1h 30m ago", "2026-01-05T12:00:10.500000000Z"),
            ("1 month ago", "2025-12-05T13:30:10.500000000Z"),
            ("3 days", "2026-01-02T13:30:10.500000000Z"),
            ("1 week, 2 days ago", "2025-12-27T13:30:10.500000000Z"),
        ] {
            assert_eq!(at(text, Day::End), expected, "{text}");
        }
    }

    #[test]
    fn reads_times_without_a_zone_as_local() {
        for (text, expected) in [
            ("2026-01-04 09:05", "2026-01-04T08:05:00.000000000Z"),
            ("2026-01-04T09:05:01", "2026-01-04T08:05:01.000000000Z"),
            ("2026-01-04T09:05:01.25Z", "2026-01-04T09:05:01.250000000Z"),
            ("2026-01-04T09:05:01+03:00", "2026-01-04T06:05:01.000000000Z"),
            ("08:00", "2026-01-05T07:00:00.000000000Z"),
            ("08:00:59", "2026-01-05T07:00:59.000000000Z"),
        ] {
            assert_eq!(at(text, Day::End), expected, "{text}");
        }
    }

    #[test]
    fn reads_a_date_as_the_start_or_end_of_the_day() {
        for (text, begin, end) in [
            ("2026-01-04", "2026-01-03T23:00:00.000000000Z", "2026-01-04T22:59:59.999999999Z"),
            ("yesterday", "2026-01-03T23:00:00.000000000Z", "2026-01-04T22:59:59.999999999Z"),
            ("today", "2026-01-04T23:00:00.000000000Z", "2026-01-05T22:59:59.999999999Z"),
        ] {
            assert_eq!((at(text, Day::Begin), at(text, Day::End)), (begin.to_owned(), end.to_owned()), "{text}");
        }
    }

    #[test]
    fn parses_exact_times_with_their_zone() {
        let parsed = |text: &str| exact(text).map(|(time, offset)| format!("{} {offset}", time.to_rfc3339())).ok();
        for (text, expected) in [
            ("2026-01-05T14:00:00.25+01:00", "2026-01-05T13:00:00.250000000Z 3600"),
            ("2026-01-05T14:00:00-05:30", "2026-01-05T19:30:00.000000000Z -19800"),
            ("2026-01-05T14:00:00Z", "2026-01-05T14:00:00.000000000Z 0"),
            ("1767621600", "2026-01-05T14:00:00.000000000Z 0"),
            ("1767621600.000000005 +01:00", "2026-01-05T14:00:00.000000005Z 3600"),
            ("1767621600-25:59", "2026-01-05T14:00:00.000000000Z -93540"),
            ("-1.5-00:30", "1969-12-31T23:59:58.500000000Z -1800"),
            ("-1", "1969-12-31T23:59:59.000000000Z 0"),
        ] {
            assert_eq!(parsed(text).as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "",
            "now",
            "yesterday",
            "-",
            "+",
            "1767621600+1:00",
            "1767621600+26:00",
            "1767621600+00:60",
            "1767621600Z",
            "2026-01-05",
            "2026-01-05T14:00:00",
            "2026-01-05T14:00:00+1",
            "é",
            "é+01:00",
            "1+",
            "12:00+01:00",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn rejects_invalid_times() {
        for text in
            ["", "x", "5", "2026-13-01", "2026-01-05 25:00", "25:00", "ten minutes", "P1D\0", "9999999999 years"]
        {
            assert_eq!(at(text, Day::End), format!("`{}` is not a valid date or time", text.escape_debug()));
        }
    }
}
