//! Dates and times in words: a date, a time of day, and a duration before now, in any order and case.

use jiff::civil::{Date, Time, Weekday};
use jiff::fmt::friendly::SpanParser;
use jiff::{Span, ZonedDateTime};

use super::Day;

/// The parts of a time in words.
#[derive(Default)]
pub(super) struct Words {
    date: Option<Date>,
    time: Option<Time>,
    /// Duration before now, in the syntax of the span parser.
    ago: String,
}

/// Names of days. Three letters are enough, as for months.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const NUMBERS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

const UNITS: [&str; 7] = ["second", "minute", "hour", "day", "week", "month", "year"];

impl Words {
    /// Parses words relative to a time.
    pub(super) fn parse(text: &str, now: &ZonedDateTime) -> Option<Words> {
        let lower = text.to_lowercase();
        let words = lower.split(|letter: char| letter.is_whitespace() || letter == ',').filter(|word| !word.is_empty());
        let words: Vec<&str> = words.flat_map(split_dots).collect();
        let mut found = Words::default();
        let mut rest = words.as_slice();
        while let [first, after @ ..] = rest {
            let count = found.take(first, after, now)?;
            rest = &after[count..];
        }
        let is_empty = found.date.is_none() && found.time.is_none() && found.ago.is_empty();
        let is_contradictory = found.date.is_some() && !found.ago.is_empty();
        (!is_empty && !is_contradictory).then_some(found)
    }

    /// Whether it is a duration before now.
    pub(super) fn is_ago(&self) -> bool {
        !self.ago.is_empty()
    }

    /// Whether it has a time of day.
    pub(super) fn has_time(&self) -> bool {
        self.time.is_some()
    }

    /// The time that the words mean.
    pub(super) fn resolve(self, day: Day, now: &ZonedDateTime) -> Option<jiff::Timestamp> {
        let zone = now.time_zone().clone();
        if self.is_ago() {
            let span: Span = SpanParser::new().parse_span(self.ago.trim_start()).ok()?;
            let then = now.checked_sub(span.abs()).ok()?;
            return match self.time {
                Some(time) => Some(then.date().to_datetime(time).to_zoned_datetime(zone).ok()?.timestamp()),
                None => Some(then.timestamp()),
            };
        }
        let date = self.date.unwrap_or(now.date());
        if let Some(time) = self.time {
            return Some(date.to_datetime(time).to_zoned_datetime(zone).ok()?.timestamp());
        }
        let begin = date.to_zoned_datetime(zone).ok()?;
        match day {
            Day::Begin => Some(begin.timestamp()),
            Day::End => Some(begin.end_of_day().ok()?.timestamp()),
        }
    }

    /// Interprets a word. Returns how many of the words after it belong to it.
    fn take(&mut self, word: &str, after: &[&str], now: &ZonedDateTime) -> Option<usize> {
        let today = now.date();
        let next = after.first().copied().unwrap_or_default();
        match word {
            "at" | "on" => return Some(0),
            "ago" => return self.is_ago().then_some(0),
            "now" => {
                self.ago += " 0s";
                return Some(0);
            }
            "today" => return self.set_date(today),
            "yesterday" => return self.set_date(today.yesterday().ok()?),
            "tomorrow" => return self.set_date(today.tomorrow().ok()?),
            "noon" => return self.set_time(Time::constant(12, 0, 0, 0)),
            "midnight" => return self.set_time(Time::midnight()),
            "last" if UNITS.contains(&next) => {
                self.ago += &format!(" 1 {next}");
                return Some(1);
            }
            "last" => {
                self.set_date(today.nth_weekday(-1, weekday(next)?).ok()?)?;
                return Some(1);
            }
            _ => {}
        }
        if let Some(weekday) = weekday(word) {
            let is_today = today.weekday() == weekday;
            return self.set_date(if is_today { today } else { today.nth_weekday(-1, weekday).ok()? });
        }
        if let Some((time, count)) = clock(word, next) {
            self.set_time(time)?;
            return Some(count);
        }
        if let Some(date) = numeric_date(word) {
            return self.set_date(date);
        }
        if let Some((date, count)) = named_date(word, after, today) {
            self.set_date(date)?;
            return Some(count);
        }
        self.take_duration(word, after)
    }

    /// `2h`, `10 minutes`, `an hour`, and the longer durations that the span parser knows.
    fn take_duration(&mut self, word: &str, after: &[&str]) -> Option<usize> {
        let number = match word {
            "a" | "an" => Some(1),
            word => NUMBERS.iter().position(|name| *name == word).map(|at| at + 1),
        };
        let (text, count) = match (number, after) {
            (Some(number), [unit, ..]) => (format!("{number} {unit}"), 1),
            (None, [unit, ..]) if word.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) => {
                (format!("{word} {unit}"), 1)
            }
            _ => (word.to_owned(), 0),
        };
        let span = text.trim_start_matches('-');
        SpanParser::new().parse_span(span).ok()?;
        self.ago += &format!(" {span}");
        Some(count)
    }

    fn set_date(&mut self, date: Date) -> Option<usize> {
        self.date.replace(date).is_none().then_some(0)
    }

    fn set_time(&mut self, time: Time) -> Option<usize> {
        self.time.replace(time).is_none().then_some(0)
    }
}

/// Splits `1.week.ago` at the dots, but not `2026.01.05` or `1.5h`.
fn split_dots(word: &str) -> Vec<&str> {
    let is_words = word.split('.').skip(1).all(|part| part.starts_with(|letter: char| letter.is_ascii_alphabetic()));
    if is_words { word.split('.').filter(|part| !part.is_empty()).collect() } else { vec![word] }
}

fn weekday(word: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| word.len() >= 3 && name.starts_with(word)).map(|(_, weekday)| *weekday)
}

/// The number of a month, from 1.
fn month(word: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|name| word.len() >= 3 && name.starts_with(word))?;
    i8::try_from(at + 1).ok()
}

/// `14:00`, `9:30:15`, `9am`, `9:30 pm`; also returns how many of the following words belong to it.
fn clock(word: &str, next: &str) -> Option<(Time, usize)> {
    let (digits, half, count) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some("am"), 0),
        (_, Some(digits)) => (digits, Some("pm"), 0),
        _ if matches!(next, "am" | "pm") => (word, Some(next), 1),
        _ => (word, None, 0),
    };
    let parts: Vec<&str> = digits.split(':').collect();
    let is_number = |(n, part): (usize, &&str)| {
        let is_short = part.len() == 2 || n == 0 && part.len() == 1;
        is_short && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_clock = parts.len() <= 3 && (parts.len() > 1 || half.is_some()) && parts.iter().enumerate().all(is_number);
    if !is_clock {
        return None;
    }
    let number = |n: usize| parts.get(n).map_or(Some(0), |part| part.parse::<i8>().ok());
    let hour = match (number(0)?, half) {
        (hour, None) => hour,
        (hour @ 1..=12, Some(half)) => hour % 12 + if half == "pm" { 12 } else { 0 },
        _ => return None,
    };
    Some((Time::new(hour, number(1)?, number(2)?, 0).ok()?, count))
}

/// `2026-01-05`, `2026/1/5`, `2026.1.5`.
fn numeric_date(word: &str) -> Option<Date> {
    let separator = word.chars().find(|letter| !letter.is_ascii_digit()).filter(|letter| "-/.".contains(*letter))?;
    let [year, month, day] = word.split(separator).collect::<Vec<_>>().try_into().ok()?;
    let is_number =
        |text: &str, longest| (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if year.len() != 4 || !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `5 jan 2026`, `jan 5 2026`, or without a year the last such day; also returns how many of the following words belong to it.
fn named_date(word: &str, after: &[&str], today: Date) -> Option<(Date, usize)> {
    let next = *after.first()?;
    let (month, day) = match month(word) {
        Some(month) => (month, next),
        None => (month(next)?, word),
    };
    let digits = day.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let is_day = matches!(&day[digits.len()..], "" | "st" | "nd" | "rd" | "th");
    let day: i8 = digits.parse().ok().filter(|_| is_day)?;
    if let Some(year) = after.get(1).filter(|year| year.len() == 4).and_then(|year| year.parse().ok()) {
        return Some((Date::new(year, month, day).ok()?, 2));
    }
    let this_year = Date::new(today.year(), month, day).ok();
    let date = this_year.filter(|date| *date <= today).or_else(|| Date::new(today.year() - 1, month, day).ok())?;
    Some((date, 1))
}
