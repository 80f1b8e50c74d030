//! Rules of a retention policy: `last 10`, `daily 7`, `within 30d`, `daily within 90d`, `weekly`.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::time::Timestamp;
use crate::time::age::Age;

/// Keeps the newest commit of each period within a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepRule {
    /// The periods, of which the newest commit stays.
    pub period: Period,
    /// The periods that count.
    pub limit: Limit,
}

/// A period, in the time zone of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A single commit.
    Commit,
    /// An hour of the clock.
    Hour,
    /// A day.
    Day,
    /// A week from Monday to Sunday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// The periods that a rule considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The last periods that have commits.
    Count(u64),
    /// The periods of commits that are younger than this.
    Within(Age),
    /// All periods.
    Forever,
}

/// Adverbs of the periods that are longer than a commit.
const ADVERBS: [(Period, &str); 5] = [
    (Period::Hour, "hourly"),
    (Period::Day, "daily"),
    (Period::Week, "weekly"),
    (Period::Month, "monthly"),
    (Period::Year, "yearly"),
];

impl KeepRule {
    /// Parses a rule. `None` if the text is not valid.
    pub fn parse(text: &str) -> Option<KeepRule> {
        let (word, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        let within = |text: &str| Age::parse(text).filter(|age| !age.is_zero()).map(Limit::Within);
        let limit = |text: &str| match text.split_once(char::is_whitespace) {
            _ if text.is_empty() => Some(Limit::Forever),
            Some(("within", age)) => within(age),
            _ => text.parse().ok().map(Limit::Count),
        };
        let (period, limit) = match word {
            "last" => (Period::Commit, Limit::Count(rest.parse().ok()?)),
            "within" => (Period::Commit, within(rest)?),
            word => (ADVERBS.iter().find(|(_, adverb)| *adverb == word)?.0, limit(rest)?),
        };
        Some(KeepRule { period, limit })
    }

    /// Parses rules separated by commas. `None` if the text has none, or one is not valid.
    pub fn parse_list(text: &str) -> Option<Vec<KeepRule>> {
        text.split(',').map(KeepRule::parse).collect()
    }
}

/// The form that [`KeepRule::parse`] reads.
impl fmt::Display for KeepRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let adverb = ADVERBS.iter().find(|(period, _)| *period == self.period).map(|(_, adverb)| *adverb);
        let text = match (adverb, self.limit) {
            (None, Limit::Count(count)) => format!("last {count}"),
            (None, Limit::Within(age)) => format!("within {age}"),
            (None, Limit::Forever) => "all".to_owned(),
            (Some(adverb), Limit::Count(count)) => format!("{adverb} {count}"),
            (Some(adverb), Limit::Within(age)) => format!("{adverb} within {age}"),
            (Some(adverb), Limit::Forever) => adverb.to_owned(),
        };
        f.pad(&text)
    }
}

impl Period {
    /// A number that times share if they are in the same period. `None` if each commit is a period.
    pub fn number(self, time: Timestamp, zone: &TimeZone) -> Option<i64> {
        let time = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::MAX).to_zoned_datetime(zone.clone());
        let date = time.date();
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        Some(match self {
            Period::Commit => return None,
            Period::Hour => 24 * day(date) + i64::from(time.hour()),
            Period::Day => day(date),
            // 1970-01-01 was a Thursday.
            Period::Week => (day(date) + 3).div_euclid(7),
            Period::Month => 12 * year + month,
            Period::Year => year,
        })
    }
}

/// Days since 1970-01-01.
fn day(date: Date) -> i64 {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    i64::from((date - EPOCH).get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn rules_round_trip() {
        for text in
            ["last 10", "last 0", "within 30d", "hourly 24", "daily within 90d", "weekly", "monthly 12", "yearly"]
        {
            assert_eq!(KeepRule::parse(text).unwrap_or_else(|| panic!("{text}")).to_string(), text);
        }
        for bad in [
            "",
            "last",
            "last x",
            "last -1",
            "within",
            "within 0d",
            "daily within",
            "dayly",
            "daily 7 8",
            "all",
            "daily 7d",
        ] {
            assert_eq!(KeepRule::parse(bad), None, "{bad}");
        }
        assert_eq!(KeepRule::parse_list(" within 7d,daily within 90d , weekly").unwrap().len(), 3);
        assert_eq!(KeepRule::parse_list("weekly,"), None);
    }

    #[test]
    fn periods_follow_the_calendar_of_the_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let same =
            |period: Period, a: &str, b: &str| period.number(time(a), &berlin) == period.number(time(b), &berlin);
        // 23:30 and 00:30 in Berlin.
        assert!(!same(Period::Day, "2026-01-05T22:30:00Z", "2026-01-05T23:30:00Z"));
        assert!(same(Period::Hour, "2026-01-05T22:00:00Z", "2026-01-05T22:59:59Z"));
        assert!(!same(Period::Hour, "2026-01-05T22:00:00Z", "2026-01-06T22:00:00Z"));
        // Monday to Sunday, across a year: the ISO week 2026-W01 begins on 2025-12-29.
        assert!(same(Period::Week, "2025-12-28T23:00:00Z", "2026-01-04T22:59:59Z"));
        assert!(!same(Period::Week, "2025-12-28T22:59:59Z", "2025-12-28T23:00:00Z"));
        assert!(!same(Period::Week, "2026-01-04T22:59:59Z", "2026-01-04T23:00:00Z"));
        // Weeks before 1970.
        assert!(same(Period::Week, "1969-12-29T00:00:00Z", "1970-01-01T00:00:00Z"));
        assert!(!same(Period::Week, "1969-12-28T00:00:00Z", "1969-12-29T00:00:00Z"));
        assert!(same(Period::Month, "2026-02-01T00:00:00Z", "2026-02-28T22:00:00Z"));
        assert!(!same(Period::Month, "2025-02-01T00:00:00Z", "2026-02-01T00:00:00Z"));
        assert!(!same(Period::Year, "2025-12-31T22:30:00Z", "2025-12-31T23:30:00Z"));
        assert_eq!(Period::Commit.number(time("2026-01-01T00:00:00Z"), &berlin), None);
    }
}
