//! Growth over time: the bytes that operations have stored in each day, week or month.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::error::Result;
use crate::repo::Repository;
use crate::time::Timestamp;

/// Length of the periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

/// Growth in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodGrowth {
    /// Start of the period in the time zone of the user.
    pub start: Timestamp,
    /// First day of the period.
    date: Date,
    /// Bytes that operations added to the store.
    pub bytes: u64,
    /// Number of new commits.
    pub commits: u64,
}

/// Growth over time, without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// Length of the periods.
    pub period: Period,
    /// The periods from the first to the last operation in the journal, oldest first.
    pub periods: Vec<PeriodGrowth>,
}

/// Maximum number of days and of weeks if the user does not choose a period.
const MOST_DAYS: usize = 31;
const MOST_WEEKS: usize = 53;

/// Bytes and commits.
type Sum = (u64, u64);

/// Adds up the operations in the journal. Without a period, takes the shortest one that yields a short list.
pub fn growth(repository: &Repository, period: Option<Period>) -> Result<Growth> {
    let zone = repository.environment.time_zone();
    let mut days = BTreeMap::new();
    for item in repository.operations() {
        let (_, operation) = item?;
        let Ok(time) = jiff::Timestamp::try_from(operation.time) else { continue };
        let (bytes, commits): &mut Sum = days.entry(time.to_zoned_datetime(zone.clone()).date()).or_default();
        *bytes += operation.bytes_stored;
        *commits += operation.commits.len() as u64;
    }
    let period = period.unwrap_or_else(|| match span_in_days(&days) {
        0..=MOST_DAYS => Period::Day,
        span if span <= 7 * MOST_WEEKS => Period::Week,
        _ => Period::Month,
    });
    Ok(Growth { period, periods: in_periods(&days, period, zone) })
}

fn span_in_days(days: &BTreeMap<Date, Sum>) -> usize {
    let span = days.first_key_value().zip(days.last_key_value());
    span.map_or(0, |((first, _), (last, _))| first.duration_until(*last).as_hours() as usize / 24 + 1)
}

fn in_periods(days: &BTreeMap<Date, Sum>, period: Period, zone: &TimeZone) -> Vec<PeriodGrowth> {
    let mut periods: Vec<PeriodGrowth> = Vec::new();
    for (&day, &(bytes, commits)) in days {
        let first = period.start(day);
        loop {
            let next = periods.last().map_or(Some(first), |last| period.next(last.date));
            match next.filter(|next| *next <= first) {
                Some(date) => periods.push(PeriodGrowth { start: start_of(date, zone), date, bytes: 0, commits: 0 }),
                None => break,
            }
        }
        if let Some(last) = periods.last_mut() {
            last.bytes += bytes;
            last.commits += commits;
        }
    }
    periods
}

fn start_of(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned_datetime(zone.clone()).map_or_else(|_| Timestamp::default(), |zoned| zoned.timestamp().into())
}

impl Period {
    /// The word in JSON and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        }
    }

    fn start(self, day: Date) -> Date {
        match self {
            Period::Day => day,
            Period::Week => day.saturating_sub(i64::from(day.weekday().to_monday_zero_offset()).days()),
            Period::Month => day.first_of_month(),
        }
    }

    /// `None` at the end of the calendar.
    fn next(self, start: Date) -> Option<Date> {
        let length = match self {
            Period::Day => 1.day(),
            Period::Week => 7.days(),
            Period::Month => 1.month(),
        };
        start.checked_add(length).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(list: &[(&str, Sum)]) -> BTreeMap<Date, Sum> {
        list.iter().map(|(day, sum)| (day.parse().unwrap(), *sum)).collect()
    }

    fn listed(days: &BTreeMap<Date, Sum>, period: Period) -> Vec<(String, u64, u64)> {
        let periods = in_periods(days, period, &TimeZone::UTC);
        periods.iter().map(|it| (it.start.to_rfc3339()[..10].to_owned(), it.bytes, it.commits)).collect()
    }

    #[test]
    fn periods_have_no_gaps() {
        let days = days(&[("2026-01-30", (1, 1)), ("2026-02-01", (2, 1)), ("2026-02-02", (4, 2))]);
        let list = |list: &[(&str, u64, u64)]| -> Vec<(String, u64, u64)> {
            list.iter().map(|(day, bytes, commits)| ((*day).to_owned(), *bytes, *commits)).collect()
        };
        let by_day = [("2026-01-30", 1, 1), ("2026-01-31", 0, 0), ("2026-02-01", 2, 1), ("2026-02-02", 4, 2)];
        assert_eq!(listed(&days, Period::Day), list(&by_day));
        assert_eq!(listed(&days, Period::Week), list(&[("2026-01-26", 3, 2), ("2026-02-02", 4, 2)]));
        assert_eq!(listed(&days, Period::Month), list(&[("2026-01-01", 1, 1), ("2026-02-01", 6, 3)]));
        assert_eq!((span_in_days(&days), span_in_days(&BTreeMap::new())), (4, 0));
    }
}
