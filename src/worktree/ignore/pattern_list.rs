//! The patterns of one rules file, indexed so that a path is not matched against thousands of patterns.

use super::pattern::{BytePairs, Pattern};
use crate::path::glob::Invalid;

/// The patterns of a file; later ones take precedence.
pub struct PatternList {
    patterns: Vec<Pattern>,
    /// Index of the patterns that are matched against the name.
    by_name: Index,
    /// Index of the patterns that are matched against the path.
    by_path: Index,
}

/// Finds the patterns that may match a text, by their literal prefix or suffix.
struct Index {
    starts: PrefixMap,
    /// Keys are reversed suffixes.
    ends: PrefixMap,
}

/// Finds the keys that are prefixes of a text.
struct PrefixMap {
    /// Sorted by key.
    entries: Vec<PrefixEntry>,
}

struct PrefixEntry {
    key: Box<[u8]>,
    /// Index of the entry with the longest key that is a proper prefix of this one.
    shorter: Option<usize>,
    /// Numbers of patterns, ascending.
    patterns: Vec<usize>,
}

impl PrefixMap {
    fn new(mut keys: Vec<(Box<[u8]>, usize)>) -> PrefixMap {
        keys.sort();
        let mut entries: Vec<PrefixEntry> = Vec::new();
        for (key, number) in keys {
            if let Some(last) = entries.last_mut()
                && last.key == key
            {
                last.patterns.push(number);
                continue;
            }
            let mut shorter = entries.len().checked_sub(1);
            while let Some(at) = shorter
                && !key.starts_with(&entries[at].key)
            {
                shorter = entries[at].shorter;
            }
            entries.push(PrefixEntry { key, shorter, patterns: vec![number] });
        }
        PrefixMap { entries }
    }

    /// The patterns of all keys that are prefixes of a text.
    fn find<'m, 't: 'm>(
        &'m self,
        text: impl Iterator<Item = &'t u8> + Clone + 'm,
    ) -> impl Iterator<Item = &'m Vec<usize>> {
        // Any string that sorts between a key and a text with that prefix also has the prefix. All matching keys are
        // therefore reachable from the last key before the text.
        let after = self.entries.partition_point(|entry| entry.key.iter().le(text.clone()));
        let entry_at = |at: Option<usize>| at.map(|at| &self.entries[at]);
        let entries = std::iter::successors(entry_at(after.checked_sub(1)), move |entry| entry_at(entry.shorter));
        let is_start = move |key: &[u8]| {
            let mut text = text.clone();
            key.iter().all(|byte| text.next() == Some(byte))
        };
        entries.filter(move |entry| is_start(&entry.key)).map(|entry| &entry.patterns)
    }
}

impl Index {
    /// Indexes the patterns that satisfy a condition.
    fn new(patterns: &[Pattern], is_wanted: impl Fn(&Pattern) -> bool) -> Index {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for (number, pattern) in patterns.iter().enumerate().filter(|(_, pattern)| is_wanted(pattern)) {
            let (start, end) = (pattern.glob().literal_start(), pattern.glob().literal_end_reversed());
            if start.len() >= end.len() { starts.push((start, number)) } else { ends.push((end, number)) }
        }
        Index { starts: PrefixMap::new(starts), ends: PrefixMap::new(ends) }
    }

    fn candidates<'k>(&'k self, text: &'k [u8]) -> impl Iterator<Item = &'k Vec<usize>> {
        self.starts.find(text.iter()).chain(self.ends.find(text.iter().rev()))
    }
}

impl PatternList {
    /// Parses a file. Reports invalid lines with their number; they match nothing.
    pub fn parse(content: &[u8], report: &mut dyn FnMut(u64, Invalid)) -> PatternList {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let mut patterns = Vec::new();
        for (line, number) in content.split(|&byte| byte == b'\n').zip(1..) {
            match Pattern::parse(line, number) {
                None => {}
                Some(Err(invalid)) => report(number, invalid),
                Some(Ok(pattern)) => patterns.push(pattern),
            }
        }
        PatternList {
            by_name: Index::new(&patterns, |pattern| !pattern.is_anchored),
            by_path: Index::new(&patterns, |pattern| pattern.is_anchored),
            patterns,
        }
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The last pattern that matches a path. `path` is relative to the directory of the file, and `name` is its last
    /// component.
    pub fn last_match(&self, path: &[u8], name: &[u8], is_directory: bool) -> Option<&Pattern> {
        let mut last = None;
        for (text, index) in [(name, &self.by_name), (path, &self.by_path)] {
            let mut pairs = None;
            for numbers in index.candidates(text) {
                let mut newer =
                    numbers.iter().rev().copied().take_while(|&number| last.is_none_or(|last| number > last));
                let matching = newer.find(|&number| {
                    let pattern = &self.patterns[number];
                    (is_directory || !pattern.only_directories)
                        && pattern.may_match(*pairs.get_or_insert_with(|| BytePairs::of(text)))
                        && pattern.matches(text)
                });
                last = matching.or(last);
            }
        }
        last.map(|number| &self.patterns[number])
    }
}
