//! Parses dates and times: `10 minutes ago`, `yesterday 9am`, `last monday`, `14:00`, `2026-01-05`, `@1767618000`, RFC 3339.

mod words;

use jiff::ZonedDateTime;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::fmt::strtime::BrokenDownTime;

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::time::Timestamp;

use words::Words;

/// The moment that a date without a time, or a time without a fraction of a second, means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// The start of the day or second: `--since`.
    Begin,
    /// The end of the day or second: `--until` and `@{…}`, which include it.
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
            .hint("valid forms: `2026-01-05T14:00:00.25+01:00`, `1767617999.25` or `1767617999.25+01:00`")
    })
}

/// Seconds of `±HH:MM`.
fn zone_offset(text: &str) -> Option<i32> {
    let offset = BrokenDownTime::parse("%:z", text).ok()?.offset()?;
    (text.len() == "+HH:MM".len()).then(|| offset.seconds())
}

fn parse_at(text: &str, day: Day, now: &ZonedDateTime) -> Result<Timestamp> {
    let text = text.trim();
    let shown = || text.escape_debug().to_string();
    if let Some(span) = text.strip_prefix('+')
        && Words::parse(span, now).is_some_and(|words| words.is_ago())
    {
        let hint = format!("to go back in time: {} ago", span.trim());
        return Err(Error::new(ErrorKind::Usage, format!("`{}` is in the future", shown())).hint(hint));
    }
    let found = instant(text).map(|time| of_second(time, day)).or_else(|| local(text, day, now));
    found.ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`{}` is not a valid date or time", shown())).hint(
            "valid forms include `10 minutes ago`, `yesterday 9am`, `last monday`, `14:00`, `2026-01-05` or `2026-01-05 14:00`",
        )
    })
}

/// The first or last moment of a second. Output has whole seconds, so a time that was copied from there names all of its second.
fn of_second(time: Timestamp, day: Day) -> Timestamp {
    let is_whole = time.nanoseconds == 0 && day == Day::End;
    Timestamp { nanoseconds: if is_whole { 999_999_999 } else { time.nanoseconds }, ..time }
}

/// Numbers with fewer digits need an `@` to be seconds since 1970, as in git.
const EPOCH_DIGITS: usize = 9;

/// Formats with a time zone that other programs print: `git log --date=iso`, and `git log`.
const ZONED_FORMATS: [&str; 2] = ["%Y-%m-%d %H:%M:%S %z", "%a %b %d %H:%M:%S %Y %z"];

/// Parses a time that depends neither on the clock nor on the time zone of the user.
fn instant(text: &str) -> Option<Timestamp> {
    let seconds = text.strip_prefix('@').or(Some(text).filter(|text| text.len() >= EPOCH_DIGITS));
    if let Some(time) = seconds.and_then(Timestamp::parse_decimal) {
        return jiff::Timestamp::try_from(time).ok().map(Timestamp::from);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.into());
    }
    let zoned = |format| BrokenDownTime::parse(format, text).ok()?.to_timestamp().ok();
    let time = ZONED_FORMATS.into_iter().find_map(zoned);
    time.or_else(|| Some(rfc2822::parse(text).ok()?.timestamp())).map(Timestamp::from)
}

/// Parses a time relative to the clock and in the time zone of the user.
fn local(text: &str, day: Day, now: &ZonedDateTime) -> Option<Timestamp> {
    if text.get(..10).is_some_and(is_date)
        && let Ok(time) = text.parse::<DateTime>()
        && text.len() > 10
    {
        let time = time.to_zoned_datetime(now.time_zone().clone()).ok()?.timestamp();
        return Some(of_second(time.into(), day));
    }
    let words = Words::parse(text, now)?;
    let has_time = words.has_time();
    let time = words.resolve(day, now)?.into();
    Some(if has_time { of_second(time, day) } else { time })
}

/// `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(n, b)| if n == 4 || n == 7 { b == b'-' } else { b.is_ascii_digit() })
}

#[cfg(test)]
mod tests;
