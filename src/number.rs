//! Formats numbers in sentences.

use std::fmt;

/// Bytes with three significant digits: `512 B`, `1.20 KiB`, `12.3 MiB`.
#[derive(Clone, Copy, Debug)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        // 1023.9 would round to 1024, which belongs to the next unit.
        while value >= 1023.5 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
        f.pad(&format!("{value:.digits$} {}", UNITS[unit]))
    }
}

/// A number with thousands separators: `1,234,567`.
#[derive(Clone, Copy, Debug)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

/// A number and its noun: `1 file`, `2 days`, `3 entries`, `4 branches`.
pub fn plural(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    let count = Count(count);
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{count} {stem}ies"),
        _ if noun.ends_with("ch") => format!("{count} {noun}es"),
        _ => format!("{count} {noun}s"),
    }
}

/// Selects the singular or plural text for a count.
pub fn pluralize<'t>(count: usize, one: &'t str, several: &'t str) -> &'t str {
    if count == 1 { one } else { several }
}

/// Text after the first of `count` items: ` and 2 more`, or nothing.
pub fn and_more(count: usize) -> String {
    match count.saturating_sub(1) {
        0 => String::new(),
        others => format!(" and {} more", Count(others as u64)),
    }
}

/// Lists the counts that are not zero: `3 added, 1,200 deleted`.
pub fn listed(counts: &[(u64, &str)]) -> String {
    let nonzero = counts.iter().filter(|(count, _)| *count > 0);
    nonzero.map(|(count, word)| format!("{} {word}", Count(*count))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_plurals_are_formatted() {
        assert_eq!(Count(1_234_567).to_string(), "1,234,567");
        assert_eq!(Count(999).to_string(), "999");
        assert_eq!(plural(1, "entry"), "1 entry");
        assert_eq!(plural(2000, "entry"), "2,000 entries");
        assert_eq!(plural(0, "file"), "0 files");
        assert_eq!(plural(2, "branch"), "2 branches");
        assert_eq!((pluralize(1, "it is", "they are"), pluralize(2, "it is", "they are")), ("it is", "they are"));
        assert_eq!((and_more(1), and_more(1001)), (String::new(), " and 1,000 more".to_owned()));
        assert_eq!(listed(&[(1, "added"), (0, "modified"), (5033, "deleted")]), "1 added, 5,033 deleted");
    }
}
