//! Revisions that name no commit, or several: errors that help to name the right one.

use crate::error::{Error, ErrorKind};
use crate::id::{CommitId, ObjectId};
use crate::object::Objects;
use crate::object::operation::View;
use crate::repo::Repository;

/// Commits that an error lists.
pub const MOST_CANDIDATES: usize = 10;

/// Names that a hint offers.
const MOST_NAMES: usize = 3;

/// No such revision; the hint has names that are nearly the same.
pub fn revision(name: &str, view: &View) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("no revision `{}`", name.escape_debug()));
    let names: Vec<&str> = view.branches.keys().chain(view.tags.keys()).map(String::as_str).chain(["latest"]).collect();
    if matches!(name, "HEAD" | "head") {
        return error.hint("the current commit is `@`, the one before it `@~`");
    }
    let close = close_names(name, &names);
    if close.is_empty() {
        return error.hint("see all commits with `undo log`, and names with `undo branch` and `undo tag`");
    }
    let quoted: Vec<String> = close.iter().map(|name| format!("`{name}`")).collect();
    error.hint(format!("did you mean {}?", quoted.join(" or ")))
}

/// Several commits whose ids begin so, each on a line with its time and subject.
pub fn ambiguous_commits(prefix: &str, ids: &[ObjectId], repository: &Repository) -> Error {
    let told = |id: &ObjectId| {
        let Ok(commit) = repository.store().commit(CommitId(id.0)) else { return String::new() };
        let line: String =
            commit.message.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        format!("{}  {line}", commit.time.to_local(repository.environment.time_zone()))
    };
    ambiguous(prefix, "commits", ids.iter().map(|id| (*id, told(id))).collect())
}

/// Several things whose ids begin so, each with what else is known of it.
pub fn ambiguous(prefix: &str, word: &str, mut found: Vec<(ObjectId, String)>) -> Error {
    let is_all = found.len() <= MOST_CANDIDATES;
    found.truncate(MOST_CANDIDATES);
    let digits = telling_digits(found.iter().map(|(id, _)| *id));
    let count = if is_all { found.len().to_string() } else { format!("more than {}", found.len()) };
    let mut message = format!("`{prefix}` names {count} {word}");
    for (id, told) in &found {
        message.push_str(format!("\n  {}  {told}", &id.to_string()[..digits]).trim_end());
    }
    Error::new(ErrorKind::Ambiguous, message).hint("use more digits")
}

/// How many digits tell all of these apart; 8 or more.
fn telling_digits(ids: impl Iterator<Item = ObjectId>) -> usize {
    let texts: Vec<String> = ids.map(|id| id.to_string()).collect();
    let common = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    texts.windows(2).map(|pair| common(&pair[0], &pair[1]) + 1).max().unwrap_or(0).clamp(8, 64)
}

/// Names that begin so, or are at most two typing errors away, nearest first.
fn close_names<'n>(typed: &str, names: &[&'n str]) -> Vec<&'n str> {
    let mut close: Vec<(usize, &str)> = names
        .iter()
        .filter_map(|&name| {
            let distance = distance(typed, name);
            let is_close = distance <= 2 && distance < typed.chars().count();
            let begins = typed.len() >= 2 && name.starts_with(typed);
            (is_close || begins).then_some((if begins { 0 } else { distance }, name))
        })
        .collect();
    close.sort_unstable();
    close.truncate(MOST_NAMES);
    close.into_iter().map(|(_, name)| name).collect()
}

/// How many letters must be added, removed or replaced to make one of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, from) in a.chars().take(300).enumerate() {
        let mut diagonal = row[0];
        row[0] = n + 1;
        for (m, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[m + 1];
            row[m + 1] = replaced.min(row[m] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_nearly_typed_are_offered_nearest_first() {
        let names = ["main", "maintenance", "release/1.0", "x", "latest"];
        for (typed, expected) in [
            ("mian", &["main"][..]),
            ("mai", &["main", "maintenance"]),
            ("lates", &["latest"]),
            ("release/1.1", &["release/1.0"]),
            ("y", &[]),
            ("something", &[]),
        ] {
            assert_eq!(close_names(typed, &names), expected, "{typed}");
        }
        assert_eq!((distance("kitten", "sitting"), distance("", "ab"), distance("é", "e")), (3, 2, 1));
    }

    #[test]
    fn as_many_digits_are_shown_as_tell_ids_apart() {
        let id = |last: u8| ObjectId([[7; 31].as_slice(), &[last]].concat().try_into().unwrap());
        assert_eq!(telling_digits([id(0x10), id(0x20)].into_iter()), 63);
        assert_eq!(telling_digits([ObjectId([1; 32]), ObjectId([2; 32])].into_iter()), 8);
    }
}
