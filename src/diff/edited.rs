//! Pairs deleted and added files whose contents are similar.

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::Result;

use super::similarity::Fingerprint;

/// Score of equal contents.
const MAX_SCORE: u64 = 60_000;

/// Maximum number of files on each side, if both sides have as many: as `diff.renameLimit` of git.
const LIMIT: usize = 1_000;

/// Candidates that are kept for each added file, as in git.
const KEPT: usize = 4;

/// A file larger than this is compared by chunks.
const MAX_LINES_LENGTH: u64 = 16 << 20;

/// A deleted or added file.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'c> {
    /// Position in the list of changes.
    pub number: usize,
    /// File name without directories.
    pub name: &'c [u8],
    pub size: u64,
}

/// Unit of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// For files that fit into memory.
    Lines,
    /// For large files.
    Chunks,
}

/// Makes the fingerprint of a file by its number. `None` if the file cannot be read within the limits.
pub(super) type Read<'r> = dyn FnMut(usize, Unit) -> Result<Option<Fingerprint>> + 'r;

/// A deleted and an added file, and the similarity in percent.
pub(super) type EditedPair = (usize, usize, u8);

/// Finds the most similar pairs.
pub(super) struct Matcher<'m, 'r> {
    minimum: u64,
    read: &'m mut Read<'r>,
    known: HashMap<(usize, Unit), Option<Rc<Fingerprint>>>,
    pairs: Vec<EditedPair>,
    /// Whether files were left out because of limits.
    pub is_incomplete: bool,
}

impl<'m, 'r> Matcher<'m, 'r> {
    pub fn new(minimum_percent: u8, read: &'m mut Read<'r>) -> Matcher<'m, 'r> {
        let minimum = u64::from(minimum_percent) * MAX_SCORE / 100;
        Matcher { minimum, read, known: HashMap::new(), pairs: Vec::new(), is_incomplete: false }
    }

    /// Pairs files as git does: first those whose name occurs once on each side, if they are similar enough; then the most
    /// similar ones.
    pub fn run(&mut self, mut deleted: Vec<Candidate<'_>>, mut added: Vec<Candidate<'_>>) -> Result<Vec<EditedPair>> {
        self.pair_by_name(&deleted, &added)?;
        let is_left = |pairs: &[EditedPair], file: &Candidate<'_>| {
            !pairs.iter().any(|(from, to, _)| file.number == *from || file.number == *to)
        };
        deleted.retain(|file| is_left(&self.pairs, file));
        added.retain(|file| is_left(&self.pairs, file));
        if deleted.len().saturating_mul(added.len()) > LIMIT * LIMIT {
            self.is_incomplete = true;
        } else {
            self.pair_by_similarity(&deleted, &added)?;
        }
        Ok(std::mem::take(&mut self.pairs))
    }

    fn pair_by_name(&mut self, deleted: &[Candidate<'_>], added: &[Candidate<'_>]) -> Result<()> {
        let added = unique_names(added);
        let mut deleted: Vec<_> = unique_names(deleted).into_values().flatten().collect();
        deleted.sort_by_key(|file| file.number);
        let minimum = self.minimum + (MAX_SCORE - self.minimum) / 2;
        for from in deleted {
            let Some(Some(to)) = added.get(from.name) else { continue };
            if let Some(score) = self.score(&from, to, minimum)? {
                self.add(&from, to, score);
            }
        }
        Ok(())
    }

    fn pair_by_similarity(&mut self, deleted: &[Candidate<'_>], added: &[Candidate<'_>]) -> Result<()> {
        let mut found = Vec::new();
        for to in added {
            let mut best = Vec::new();
            for from in deleted {
                if let Some(score) = self.score(from, to, self.minimum)? {
                    best.push((score, from.name == to.name, from, to));
                }
            }
            best.sort_by_key(|pair| std::cmp::Reverse((pair.0, pair.1)));
            best.truncate(KEPT);
            found.extend(best);
        }
        found.sort_by_key(|pair| std::cmp::Reverse((pair.0, pair.1)));
        for (score, _, from, to) in found {
            let is_used = |number| self.pairs.iter().any(|(from, to, _)| *from == number || *to == number);
            if !is_used(from.number) && !is_used(to.number) {
                self.add(from, to, score);
            }
        }
        Ok(())
    }

    fn add(&mut self, from: &Candidate<'_>, to: &Candidate<'_>, score: u64) {
        self.pairs.push((from.number, to.number, (score * 100 / MAX_SCORE) as u8));
    }

    /// The score of two files, if it reaches the minimum. Files whose sizes differ too much are not read.
    fn score(&mut self, from: &Candidate<'_>, to: &Candidate<'_>, minimum: u64) -> Result<Option<u64>> {
        let (smaller, larger) = (from.size.min(to.size), from.size.max(to.size));
        let score = |shared: u64| (u128::from(shared) * u128::from(MAX_SCORE) / u128::from(larger)) as u64;
        if smaller == 0 || score(smaller) < minimum {
            return Ok(None);
        }
        let unit = if larger > MAX_LINES_LENGTH { Unit::Chunks } else { Unit::Lines };
        let (Some(old), Some(new)) = (self.fingerprint(from.number, unit)?, self.fingerprint(to.number, unit)?) else {
            self.is_incomplete = true;
            return Ok(None);
        };
        Ok(Some(score(old.shared(&new))).filter(|score| *score >= minimum))
    }

    fn fingerprint(&mut self, number: usize, unit: Unit) -> Result<Option<Rc<Fingerprint>>> {
        if let Some(known) = self.known.get(&(number, unit)) {
            return Ok(known.clone());
        }
        let made = (self.read)(number, unit)?.map(Rc::new);
        self.known.insert((number, unit), made.clone());
        Ok(made)
    }
}

/// The files by name; `None` for a name that several have.
fn unique_names<'c>(files: &[Candidate<'c>]) -> HashMap<&'c [u8], Option<Candidate<'c>>> {
    let mut names = HashMap::new();
    for file in files {
        names.entry(file.name).and_modify(|found| *found = None).or_insert(Some(*file));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs texts: (name, content) on each side.
    fn paired(deleted: &[(&str, &str)], added: &[(&str, &str)]) -> (Vec<EditedPair>, usize) {
        let all: Vec<_> = deleted.iter().chain(added).collect();
        let candidates = |range: std::ops::Range<usize>| -> Vec<Candidate<'_>> {
            let file = |number: usize| (number, all[number].0.as_bytes(), all[number].1.len() as u64);
            range.map(file).map(|(number, name, size)| Candidate { number, name, size }).collect()
        };
        let mut reads = 0;
        let mut read = |number: usize, _| {
            reads += 1;
            Ok(Some(Fingerprint::of_lines(all[number].1.as_bytes(), true)))
        };
        let mut matcher = Matcher::new(50, &mut read);
        let pairs = matcher.run(candidates(0..deleted.len()), candidates(deleted.len()..all.len())).unwrap();
        assert!(!matcher.is_incomplete);
        (pairs, reads)
    }

    #[test]
    fn pairs_the_most_similar_files() {
        let text = "one\ntwo\nthree\nfour\n";
        let pairs = paired(&[("a", text), ("b", "five\nsix\n")], &[("c", "one\ntwo\nthree\n"), ("d", text)]).0;
        assert_eq!(pairs, [(0, 3, 100)]);
        assert_eq!(paired(&[("a", "one\ntwo\n")], &[("b", "one\n2\n")]).0, [(0, 1, 50)]);
    }

    #[test]
    fn a_unique_name_wins_if_the_contents_are_similar_enough() {
        let text = "one\ntwo\nthree\nfour\nfive\n";
        let edited = text.replace("five", "5");
        assert_eq!(paired(&[("a", text), ("b", &edited)], &[("b", text)]).0, [(1, 2, 79)]);
        let edited = text.replace("three", "3");
        assert_eq!(paired(&[("a", text), ("b", &edited)], &[("b", text)]).0, [(1, 2, 75)]);
        assert_eq!(paired(&[("a", text), ("b", "other\n")], &[("b", text)]).0, [(0, 2, 100)]);
    }

    #[test]
    fn files_of_too_different_sizes_are_not_read() {
        let long = "line\n".repeat(100);
        assert_eq!(paired(&[("a", &long)], &[("b", "line\n"), ("c", "")]), (Vec::new(), 0));
    }
}
