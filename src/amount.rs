//! Amounts of disk space, as users write them: `20G`, `512MiB`, `10%`.

use std::fmt;

/// An amount of disk space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A number of bytes.
    Bytes(u64),
    /// A percentage of the file system, at most 100.
    Percent(u8),
}

/// Units of 1024 each. The letter alone is enough.
const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl Amount {
    /// Parses a whole number of bytes, of units of 1024 each in either case, or of percent. `None` if the text is not valid.
    pub fn parse(text: &str) -> Option<Amount> {
        let text = text.trim();
        let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = (&text[..end], text[end..].trim_start());
        let number: u64 = digits.parse().ok()?;
        if unit == "%" {
            return u8::try_from(number).ok().filter(|percent| *percent <= 100).map(Amount::Percent);
        }
        let is_unit = |name: &&str| {
            let letter = &name[..1];
            [letter, name, &format!("{letter}B")].iter().any(|spelling| spelling.eq_ignore_ascii_case(unit))
        };
        let power = if unit.is_empty() { 0 } else { UNITS.iter().position(is_unit)? };
        number.checked_mul(1024_u64.checked_pow(power as u32)?).map(Amount::Bytes)
    }

    /// The number of bytes on a file system of this size.
    pub fn bytes(self, file_system: u64) -> u64 {
        match self {
            Amount::Bytes(bytes) => bytes,
            Amount::Percent(percent) => (u128::from(file_system) * u128::from(percent) / 100) as u64,
        }
    }
}

/// The largest unit that gives a whole number: `20G`, `1536M`, `10%`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            Amount::Percent(percent) => format!("{percent}%"),
            Amount::Bytes(0) => "0".to_owned(),
            Amount::Bytes(bytes) => {
                let power = bytes.trailing_zeros() / 10;
                let unit = if power == 0 { "" } else { &UNITS[power as usize][..1] };
                format!("{}{unit}", bytes >> (10 * power))
            }
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_numbers_with_units_of_1024() {
        for (text, amount, shown) in [
            ("0", Amount::Bytes(0), "0"),
            ("1000", Amount::Bytes(1000), "1000"),
            ("20G", Amount::Bytes(20 << 30), "20G"),
            ("20 GiB", Amount::Bytes(20 << 30), "20G"),
            ("20gb", Amount::Bytes(20 << 30), "20G"),
            ("1536m", Amount::Bytes(1536 << 20), "1536M"),
            ("1024k", Amount::Bytes(1 << 20), "1M"),
            ("7b", Amount::Bytes(7), "7"),
            ("15E", Amount::Bytes(15 << 60), "15E"),
            ("10%", Amount::Percent(10), "10%"),
            ("100 %", Amount::Percent(100), "100%"),
        ] {
            assert_eq!(Amount::parse(text), Some(amount), "{text}");
            assert_eq!(amount.to_string(), shown);
            assert_eq!(Amount::parse(shown), Some(amount));
        }
        for bad in ["", "G", "%", "-1G", "1.5G", "20X", "16E", "101%", "99999999999999999999", "20Gi", "10%%", "1 2"] {
            assert_eq!(Amount::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn percentages_are_of_the_file_system() {
        assert_eq!(Amount::Percent(10).bytes(1000), 100);
        assert_eq!(Amount::Percent(100).bytes(u64::MAX), u64::MAX);
        assert_eq!(Amount::Bytes(5).bytes(1000), 5);
    }
}
