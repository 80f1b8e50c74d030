//! Timestamps in nanoseconds, also before 1970 and after 2106, and their text forms.

pub(crate) mod age;

use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

/// Parses a duration of hours, minutes and seconds: `2s`, `500ms`, `1h 30min`. `None` if the text is not valid.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok()?.try_into().ok()
}

/// Like [`parse_duration`], but rejects a deadline that nothing can meet.
pub(crate) fn parse_deadline(text: &str) -> Option<Duration> {
    parse_duration(text).filter(|deadline| !deadline.is_zero())
}

/// A duration as [`parse_duration`] reads it.
pub(crate) fn duration_text(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(|_| format!("{}s", duration.as_secs()), |it| format!("{it:#}"))
}

/// Seconds since 1970-01-01 UTC, rounded down, and nanoseconds after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Timestamp {
    /// RFC 3339 in UTC with nanoseconds, for JSON: `2026-01-05T14:00:00.000000000Z`.
    pub fn to_rfc3339(self) -> String {
        match jiff::Timestamp::try_from(self) {
            Ok(time) => format!("{time:.9}"),
            Err(_) => format!("@{}.{:09}", self.seconds, self.nanoseconds),
        }
    }

    /// Date and time to the second in a time zone, for people: `2026-01-05 14:00:00`.
    pub fn to_local(self, zone: &TimeZone) -> String {
        match jiff::Timestamp::try_from(self) {
            Ok(time) => time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Err(_) => self.to_rfc3339(),
        }
    }

    /// Decimal seconds since 1970-01-01 UTC with nine places, for programs: `1767571200.000000000`, as `stat -c %.9Y`.
    pub fn to_decimal(self) -> String {
        match (self.seconds, self.nanoseconds) {
            (seconds @ ..0, nanoseconds @ 1..) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
            (seconds, nanoseconds) => format!("{seconds}.{nanoseconds:09}"),
        }
    }

    /// Parses the output of [`Timestamp::to_decimal`], with up to nine decimal places or none.
    pub fn parse_decimal(text: &str) -> Option<Timestamp> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let (sign, digits) = whole.strip_prefix('-').map_or((1, whole), |digits| (-1, digits));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(digits) || !is_number(places) || places.len() > 9 {
            return None;
        }
        let nanoseconds: i128 = format!("{places:0<9}").parse().ok()?;
        let total = sign * (digits.parse::<i128>().ok()?.checked_mul(1_000_000_000)? + nanoseconds);
        let seconds = i64::try_from(total.div_euclid(1_000_000_000)).ok()?;
        Some(Timestamp { seconds, nanoseconds: total.rem_euclid(1_000_000_000) as u32 })
    }

    /// Seconds that a time zone is ahead of UTC at this time.
    pub fn offset(self, zone: &TimeZone) -> i32 {
        jiff::Timestamp::try_from(self).map_or(0, |time| zone.to_offset(time).seconds())
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Timestamp {
        let nanoseconds = time.as_nanosecond();
        Timestamp {
            seconds: nanoseconds.div_euclid(1_000_000_000) as i64,
            nanoseconds: nanoseconds.rem_euclid(1_000_000_000) as u32,
        }
    }
}

/// Fails outside the years -9999 to 9999.
impl TryFrom<Timestamp> for jiff::Timestamp {
    type Error = jiff::Error;
    fn try_from(time: Timestamp) -> Result<jiff::Timestamp, jiff::Error> {
        jiff::Timestamp::from_nanosecond(i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_and_after_2106_are_exact() {
        for (seconds, nanoseconds, text) in [
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (9_223_372_037, 1, "2262-04-11T23:47:17.000000001Z"),
        ] {
            let time = Timestamp { seconds, nanoseconds };
            assert_eq!(time.to_rfc3339(), text);
            assert_eq!(Timestamp::from(jiff::Timestamp::try_from(time).unwrap()), time);
        }
    }

    #[test]
    fn decimal_seconds_round_trip() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "0.000000000"),
            (1_767_571_200, 5, "1767571200.000000005"),
            (-1, 999_999_999, "-0.000000001"),
            (-2, 500_000_000, "-1.500000000"),
            (-3, 0, "-3.000000000"),
            (i64::MAX, 999_999_999, "9223372036854775807.999999999"),
            (i64::MIN, 1, "-9223372036854775807.999999999"),
            (i64::MIN, 0, "-9223372036854775808.000000000"),
        ] {
            let time = Timestamp { seconds, nanoseconds };
            assert_eq!(time.to_decimal(), text);
            assert_eq!(Timestamp::parse_decimal(text), Some(time));
        }
        assert_eq!(Timestamp::parse_decimal("7.25"), Some(Timestamp { seconds: 7, nanoseconds: 250_000_000 }));
        for bad in ["", "-", ".5", "1.", "1.0000000000", "1e3", "+1", "1.-5", "9223372036854775808"] {
            assert_eq!(Timestamp::parse_decimal(bad), None, "{bad}");
        }
    }
}
