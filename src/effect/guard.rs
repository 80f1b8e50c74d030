//! Guards: limits for the changes that a command may make.

use std::fmt;
use std::str::FromStr;

use super::Effect;

/// A limit that the effect must stay below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    measure: Measure,
    limit: Limit,
    /// The guard as the user wrote it.
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Added,
    Deleted,
    /// Added, deleted, renamed and modified paths.
    Changed,
    /// Growth of all files in bytes.
    Grown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Number(u64),
    /// Percentage of the paths, or bytes, before the command.
    Percent(u64),
}

impl Measure {
    fn word(self) -> &'static str {
        match self {
            Measure::Added => "added",
            Measure::Deleted => "deleted",
            Measure::Changed => "changed",
            Measure::Grown => "grown",
        }
    }
}

impl Guard {
    /// Whether the effect stays below the limit.
    pub fn allows(&self, effect: &Effect) -> bool {
        let value = u128::from(self.value(effect));
        match self.limit {
            Limit::Number(limit) => value < u128::from(limit),
            Limit::Percent(limit) => value * 100 < u128::from(limit) * u128::from(self.whole(effect)),
        }
    }

    /// Whether the guard measures bytes instead of paths.
    pub fn measures_bytes(&self) -> bool {
        self.measure == Measure::Grown
    }

    /// What the guard limits: `added`, `deleted`, `changed` or `grown`.
    pub fn word(&self) -> &'static str {
        self.measure.word()
    }

    /// The measured value.
    pub fn value(&self, effect: &Effect) -> u64 {
        match self.measure {
            Measure::Added => effect.counts.added - effect.renamed,
            Measure::Deleted => effect.counts.deleted - effect.renamed,
            Measure::Changed => effect.changed(),
            Measure::Grown => effect.after.bytes.saturating_sub(effect.before.bytes),
        }
    }

    /// The value that percentages relate to.
    pub fn whole(&self, effect: &Effect) -> u64 {
        if self.measures_bytes() { effect.before.bytes } else { effect.paths_before() }
    }
}

impl FromStr for Guard {
    type Err = String;

    fn from_str(text: &str) -> Result<Guard, String> {
        let (measure, limit) =
            text.split_once('<').ok_or("a guard has the form `deleted<100`, `changed<5%` or `grown<1G`")?;
        let word = measure.trim();
        let measures = [Measure::Added, Measure::Deleted, Measure::Changed, Measure::Grown];
        let measure = measures.into_iter().find(|measure| measure.word() == word);
        let measure = measure.ok_or_else(|| format!("unknown guard `{word}`: use added, deleted, changed or grown"))?;
        let limit = Limit::parse(limit.trim(), measure == Measure::Grown)?;
        Ok(Guard { measure, limit, text: text.to_owned() })
    }
}

impl Limit {
    fn parse(text: &str, is_size: bool) -> Result<Limit, String> {
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| format!("`{text}` does not start with a valid number"))?;
        let shift = match unit.to_ascii_uppercase().as_str() {
            "%" => return Ok(Limit::Percent(number)),
            "" => 0,
            "K" | "KIB" if is_size => 10,
            "M" | "MIB" if is_size => 20,
            "G" | "GIB" if is_size => 30,
            "T" | "TIB" if is_size => 40,
            _ if is_size => return Err(format!("unknown unit `{unit}`: use K, M, G, T or %")),
            _ => return Err(format!("unknown unit `{unit}`: use %")),
        };
        let number = number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))?;
        Ok(Limit::Number(number))
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::commit::{Counts, Totals};

    /// 2 of 100 paths were added, 3 changed and 5 deleted, and 1000 bytes grew by 500.
    fn effect() -> Effect {
        Effect {
            before: Totals { files: 80, directories: 15, others: 5, bytes: 1000 },
            after: Totals { bytes: 1500, ..Totals::default() },
            counts: Counts { added: 2, modified: 3, deleted: 5 },
            ..Effect::default()
        }
    }

    #[test]
    fn allows_only_values_below_the_limit() {
        for (text, allowed) in [
            ("deleted<6", true),
            ("deleted<5", false),
            ("deleted<0", false),
            ("added<3", true),
            ("added<2%", false),
            ("added<3%", true),
            ("changed<10", false),
            ("changed<11", true),
            ("changed < 10%", false),
            ("changed<11%", true),
            ("grown<500", false),
            ("grown<1k", true),
            ("grown<1KiB", true),
            ("grown<50%", false),
            ("grown<16777215T", true),
        ] {
            let guard: Guard = text.parse().unwrap();
            assert_eq!(guard.allows(&effect()), allowed, "{text}");
            assert_eq!(guard.to_string(), text);
        }
    }

    #[test]
    fn handles_shrinking_and_empty_directories() {
        let shrunk = Effect { after: Totals::default(), ..effect() };
        assert!("grown<1".parse::<Guard>().unwrap().allows(&shrunk));
        let from_nothing = Effect { before: Totals::default(), ..effect() };
        assert!(!"changed<1000%".parse::<Guard>().unwrap().allows(&from_nothing));
    }

    #[test]
    fn rejects_invalid_guards() {
        for text in ["", "deleted", "<5", "deleted>5", "removed<5", "deleted<", "deleted<x", "deleted<-1", "deleted<5K"]
        {
            assert!(text.parse::<Guard>().is_err(), "{text}");
        }
        for text in ["grown<1X", "grown<99999999999999999999", "grown<16777216T", "deleted<5%%", "deleted<=5"] {
            assert!(text.parse::<Guard>().is_err(), "{text}");
        }
    }
}
