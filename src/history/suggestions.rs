//! Builds the errors for revisions that match no commit, or several, with suggestions.

use crate::error::{Error, ErrorKind};
use crate::id::{CommitId, IdPrefix, ObjectId};
use crate::object::operation::View;
use crate::object::{ObjectKind, Objects};
use crate::repo::Repository;

/// Maximum number of candidates that an error lists.
pub const MOST_CANDIDATES: usize = 10;

/// Maximum number of names that a hint suggests.
const MOST_NAMES: usize = 3;

/// The error for an unknown revision; its hint suggests similar names.
pub fn unknown_revision(name: &str, view: &View) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("revision `{}` does not exist", name.escape_debug()));
    let names: Vec<&str> = view.branches.keys().chain(view.tags.keys()).map(String::as_str).chain(["latest"]).collect();
    if matches!(name, "HEAD" | "head") {
        return error.hint("the current commit is `@`, its parent `@~`");
    }
    let close = close_names(name, &names);
    if close.is_empty() {
        return error.hint("list commits with `undo log`, and names with `undo branch` and `undo tag`");
    }
    let quoted: Vec<String> = close.iter().map(|name| format!("`{name}`")).collect();
    error.hint(format!("did you mean {}?", quoted.join(" or ")))
}

/// A forgotten commit with this prefix, whose content a sweep has removed.
pub fn swept_commit(prefix: &IdPrefix, view: &View) -> Option<CommitId> {
    let swept = view.forgotten.iter().filter(|(_, forgotten)| forgotten.time.is_none());
    swept.map(|(id, _)| *id).find(|id| prefix.matches(&id.0))
}

/// Whether a commit was forgotten and a sweep has removed its content. After a sweep, the journal may no longer say that it was
/// forgotten.
pub fn is_swept(repository: &Repository, id: CommitId) -> bool {
    let was_forgotten = repository.view().forgotten.contains_key(&id) || repository.state().sweep.is_some();
    was_forgotten && !repository.store().contains(ObjectKind::Commit, id.object_id())
}

/// The error for a forgotten commit whose content a sweep has removed.
pub fn no_longer_exists(id: CommitId) -> Error {
    let message = format!("commit {} was forgotten and no longer exists", id.short());
    Error::new(ErrorKind::NotFound, message).hint("to list forgotten commits that can be recalled: undo recall")
}

/// The error for an id prefix that several commits share; lists them with time and subject.
pub fn ambiguous_commits(prefix: &str, ids: &[ObjectId], repository: &Repository) -> Error {
    let description = |id: &ObjectId| {
        let Ok(commit) = repository.store().commit(CommitId(id.0)) else { return String::new() };
        let line: String =
            commit.message.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
        let mark = if repository.view().forgotten.contains_key(&CommitId(id.0)) { "  (forgotten)" } else { "" };
        format!("{}  {line}{mark}", commit.time.to_local(repository.environment.time_zone()))
    };
    ambiguous(prefix, "commits", ids.iter().map(|id| (*id, description(id))).collect())
}

/// The error for an id prefix that several objects share; lists them with a description each.
pub fn ambiguous(prefix: &str, plural: &str, mut found: Vec<(ObjectId, String)>) -> Error {
    let is_all = found.len() <= MOST_CANDIDATES;
    found.truncate(MOST_CANDIDATES);
    let digits = distinct_digits(found.iter().map(|(id, _)| *id));
    let count = if is_all { found.len().to_string() } else { format!("more than {}", found.len()) };
    let mut message = format!("`{prefix}` is ambiguous: it matches {count} {plural}");
    for (id, description) in &found {
        message.push_str(format!("\n  {}  {description}", &id.to_string()[..digits]).trim_end());
    }
    Error::new(ErrorKind::Ambiguous, message).hint("use more digits")
}

/// The number of digits, at least 8, that makes these sorted ids distinct.
fn distinct_digits(ids: impl Iterator<Item = ObjectId>) -> usize {
    let texts: Vec<String> = ids.map(|id| id.to_string()).collect();
    let common = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    texts.windows(2).map(|pair| common(&pair[0], &pair[1]) + 1).max().unwrap_or(0).clamp(8, 64)
}

/// Names that start with the typed text or are at most two edits away from it (one for a short text), nearest first. Two
/// swapped letters are one edit; of names equally near, those of the same length come first.
pub fn close_names<'n>(typed: &str, names: &[&'n str]) -> Vec<&'n str> {
    // Beyond any valid name; bounds the time.
    if typed.len() > 300 {
        return Vec::new();
    }
    let mut close: Vec<(usize, bool, &str)> = names
        .iter()
        .filter_map(|&name| {
            let (distance, length) = (strsim::osa_distance(typed, name), typed.chars().count());
            let is_close = distance <= if length > 4 { 2 } else { 1 } && distance < length;
            let begins = typed.len() >= 2 && name.starts_with(typed);
            (is_close || begins).then_some((if begins { 0 } else { distance }, name.len() != typed.len(), name))
        })
        .collect();
    close.sort_unstable();
    close.truncate(MOST_NAMES);
    close.into_iter().map(|(.., name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_similar_names_nearest_first() {
        let names = ["main", "maintenance", "release/1.0", "x", "latest"];
        for (typed, expected) in [
            ("mian", &["main"][..]),
            ("mai", &["main", "maintenance"]),
            ("lates", &["latest"]),
            ("release/1.1", &["release/1.0"]),
            ("maxx", &[]),
            ("y", &[]),
            ("mainn", &["main"]),
            ("something", &[]),
        ] {
            assert_eq!(close_names(typed, &names), expected, "{typed}");
        }
    }

    #[test]
    fn shows_enough_digits_to_distinguish_ids() {
        let id = |last: u8| ObjectId([[7; 31].as_slice(), &[last]].concat().try_into().unwrap());
        assert_eq!(distinct_digits([id(0x10), id(0x20)].into_iter()), 63);
        assert_eq!(distinct_digits([ObjectId([1; 32]), ObjectId([2; 32])].into_iter()), 8);
    }
}
