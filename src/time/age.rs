//! Durations of the calendar, as users write them: `30d`, `6w`, `1y6m`.

use std::fmt;

use jiff::Span;
use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// The units, longest first: the short form, which output uses, and other spellings. `m` means months, as in restic.
const UNITS: [(&str, &[&str]); 7] = [
    ("y", &["year", "years"]),
    ("m", &["mo", "month", "months"]),
    ("w", &["week", "weeks"]),
    ("d", &["day", "days"]),
    ("h", &["hour", "hours"]),
    ("min", &["minute", "minutes"]),
    ("s", &["sec", "second", "seconds"]),
];

/// Maximum number of a unit. Every sum of such numbers stays in the range of jiff for the years that have dates.
const MOST: u32 = 9999;

/// A duration that may have units of different length, such as months.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Age {
    /// Numbers of the units in the order of `UNITS`.
    counts: [u32; UNITS.len()],
}

impl Age {
    /// A number of days.
    pub const fn days(days: u32) -> Age {
        Age { counts: [0, 0, 0, days, 0, 0, 0] }
    }

    /// Parses numbers with units, each unit at most once. `None` if the text is not valid.
    pub fn parse(text: &str) -> Option<Age> {
        let mut counts: [Option<u32>; UNITS.len()] = [None; UNITS.len()];
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (digits, after) = rest.split_at(rest.find(|letter: char| !letter.is_ascii_digit())?);
            let after = after.trim_start();
            let end = after.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let at = UNITS.iter().position(|(short, others)| *short == unit || others.contains(&unit))?;
            let count = digits.parse().ok().filter(|count| *count <= MOST)?;
            if counts[at].replace(count).is_some() {
                return None;
            }
            rest = after.trim_start();
        }
        let is_empty = counts.iter().all(Option::is_none);
        (!is_empty).then(|| Age { counts: counts.map(Option::unwrap_or_default) })
    }

    /// Whether the duration is zero.
    pub fn is_zero(self) -> bool {
        self == Age::default()
    }

    /// The moment this long before a time, in a time zone: a day can have 23 hours. Not before the earliest
    /// time that has a date.
    pub fn before(self, time: Timestamp, zone: &TimeZone) -> Timestamp {
        let [years, months, weeks, days, hours, minutes, seconds] = self.counts.map(i64::from);
        let span = Span::new().years(years).months(months).weeks(weeks).days(days);
        let span = span.hours(hours).minutes(minutes).seconds(seconds);
        let Ok(time) = jiff::Timestamp::try_from(time) else { return time };
        let then = time.to_zoned_datetime(zone.clone()).checked_sub(span);
        then.map_or(jiff::Timestamp::MIN, |then| then.timestamp()).into()
    }
}

/// The short form without units whose number is zero: `1y6m`, and `0d` for no time.
impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.counts.iter().zip(UNITS).filter(|(count, _)| **count > 0);
        let text: String = parts.map(|(count, (unit, _))| format!("{count}{unit}")).collect();
        f.pad(if text.is_empty() { "0d" } else { &text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn ages_are_numbers_with_units() {
        for (text, shown) in [
            ("30d", "30d"),
            ("6w", "6w"),
            ("1y6m", "1y6m"),
            ("6m1y", "1y6m"),
            (" 2 weeks 1 day ", "2w1d"),
            ("36h", "36h"),
            ("10min", "10min"),
            ("5s", "5s"),
            ("1mo", "1m"),
            ("0d", "0d"),
            ("0y0s", "0d"),
            ("9999y9999m9999w9999d9999h9999min9999s", "9999y9999m9999w9999d9999h9999min9999s"),
        ] {
            let age = Age::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(age.to_string(), shown);
            assert_eq!(Age::parse(shown), Some(age));
        }
        for bad in
            ["", " ", "30", "d", "30x", "-1d", "1d2d", "1.5d", "10000d", "99999999999d", "1d,2h", "1 fortnight", "é"]
        {
            assert_eq!(Age::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ages_count_back_on_the_calendar() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (from, age, to) in [
            ("2026-03-30T10:00:00Z", "1d", "2026-03-29T10:00:00Z"),
            // A day with 23 hours.
            ("2026-03-29T10:00:00Z", "1d", "2026-03-28T11:00:00Z"),
            ("2026-03-29T10:00:00Z", "24h", "2026-03-28T10:00:00Z"),
            ("2026-03-31T10:00:00Z", "1m", "2026-02-28T11:00:00Z"),
            ("2024-02-29T11:00:00Z", "1y1w", "2023-02-21T11:00:00Z"),
            ("2026-01-01T00:00:00Z", "0d", "2026-01-01T00:00:00Z"),
        ] {
            assert_eq!(Age::parse(age).unwrap().before(time(from), &berlin), time(to), "{from} {age}");
        }
        let longest = Age { counts: [MOST; UNITS.len()] };
        assert_eq!(longest.before(time("-005000-01-01T00:00:00Z"), &berlin), jiff::Timestamp::MIN.into());
    }
}
