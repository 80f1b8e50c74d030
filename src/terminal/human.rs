//! Numbers and times as people read them.

use crate::environment::Environment;
use crate::time::Timestamp;

pub use crate::number::{Count, Size, plural};

/// The age of a time: `3 minutes ago`. For a time in the future: `in 3 minutes`.
pub fn age(time: Timestamp, environment: &Environment) -> String {
    const STEPS: [(i64, &str); 7] = [
        (1, "second"),
        (60, "minute"),
        (3600, "hour"),
        (86_400, "day"),
        (7 * 86_400, "week"),
        (30 * 86_400, "month"),
        (365 * 86_400, "year"),
    ];
    let past = environment.now().seconds.saturating_sub(time.seconds);
    let seconds = past.saturating_abs();
    if seconds < 2 {
        return "just now".to_owned();
    }
    // At least two of the unit, so that 90 minutes do not become one hour.
    let fits = |&&(unit, _): &&(i64, &str)| seconds >= 2 * unit;
    let (unit, noun) = STEPS.iter().rev().find(fits).unwrap_or(&STEPS[0]);
    let count = |seconds: i64| plural((seconds / unit) as u64, noun);
    // Rounded, so that a week does not become six days at once.
    if past < 0 { format!("in {}", count(seconds + unit / 2)) } else { format!("{} ago", count(seconds)) }
}

/// Milliseconds as a duration: `340 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Permission bits with the letter of the kind, as `ls -l` shows them: `drwxr-xr-x`.
pub fn mode(kind: crate::metadata::Kind, bits: u16) -> String {
    use crate::metadata::Kind;
    let letter = match kind {
        Kind::File => '-',
        Kind::Directory => 'd',
        Kind::Symlink => 'l',
        Kind::Fifo => 'p',
        Kind::CharDevice => 'c',
        Kind::BlockDevice => 'b',
        Kind::Socket => 's',
    };
    let mut text = String::from(letter);
    for (shift, special, mark) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let class = bits >> shift;
        text.push(if class & 4 != 0 { 'r' } else { '-' });
        text.push(if class & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & special != 0, class & 1 != 0) {
            (true, true) => mark,
            (true, false) => mark.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Kind;

    #[test]
    fn sizes_have_three_significant_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (12_902_728, "12.3 MiB"),
            (1_048_575, "1.00 MiB"),
            (104_857_600, "100 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn ages_use_the_largest_unit_that_fits_twice() {
        let now = Timestamp { seconds: 100_000_000, nanoseconds: 0 };
        let environment = Environment::from_process().with_clock(move || now);
        for (seconds, text) in [
            (0, "just now"),
            (59, "59 seconds ago"),
            (180, "3 minutes ago"),
            (5400, "90 minutes ago"),
            (86_400 * 3, "3 days ago"),
            (86_400 * 800, "2 years ago"),
            (-1, "just now"),
            (-86_400 * 7 + 60, "in 7 days"),
        ] {
            assert_eq!(age(Timestamp { seconds: now.seconds - seconds, nanoseconds: 0 }, &environment), text);
        }
    }

    #[test]
    fn modes_look_like_those_of_ls() {
        assert_eq!(mode(Kind::Directory, 0o1777), "drwxrwxrwt");
        assert_eq!(mode(Kind::File, 0o4644), "-rwSr--r--");
        assert_eq!(duration(200_000), "3 min 20 s");
    }
}
