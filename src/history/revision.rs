//! Resolves revisions: `@`, `@~3`, `main~2`, an id prefix, a branch or tag, `latest`, `-`, `@{10 minutes ago}`, `@{prompt}`, `REV:path`,
//! `A..B`.
//!
//! A branch or tag name takes precedence over an id prefix. Any number of steps may follow the name: `~N` is the N-th ancestor
//! along first parents, `^N` the N-th parent.

use std::cmp::Ordering;

use crate::error::{Error, ErrorKind, Result};
use crate::history::agent_revisions;
use crate::history::reflog::{self, no_commit};
use crate::history::suggestions;
use crate::history::walk::{WalkOptions, WalkedCommit, walk};
use crate::history::when::{self, Day};
use crate::id::{CommitId, IdPrefix};
use crate::object::{ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf, is_name};
use crate::repo::Repository;
use crate::time::Timestamp;

/// Resolves a revision to a commit. The errors for unknown and ambiguous revisions list candidates.
pub fn resolve(repository: &Repository, text: &str) -> Result<CommitId> {
    if let Some(colon) = find_outside_braces(text, ":") {
        let message = format!("`{}` names a path in a commit, not a commit", text.escape_debug());
        let hint = format!("name the commit alone: `{}`", or_current(&text[..colon]).escape_debug());
        return Err(Error::new(ErrorKind::Usage, message).hint(hint));
    }
    if find_range(text).is_some() {
        let message = format!("`{}` is a range, not a single commit", text.escape_debug());
        return Err(Error::new(ErrorKind::Usage, message).hint("`undo log` and `undo diff` take ranges"));
    }
    let (name, steps) = split_name(text);
    let (start, steps) = match steps.strip_prefix("@{") {
        Some(rest) => {
            let Some((state, steps)) = rest.split_once('}') else { return Err(malformed(text, "a `}` is missing")) };
            let found = match agent_revisions::parse(state) {
                Some((kind, number)) if matches!(name, "" | "@") => {
                    agent_revisions::state_before(repository, kind, number)?
                }
                None if agent_revisions::begins_with_kind(state) => return Err(agent_revisions::malformed(text)),
                _ => resolve_past(repository, name, state)?,
            };
            (existing(repository, found)?, steps)
        }
        None if name.is_empty() => return Err(malformed(text, "it names nothing")),
        None => (resolve_name(repository, name)?, steps),
    };
    take_steps(repository, start, steps, text)
}

/// Resolves `REV:path` or `REV` to a commit and an optional path in it. `REV:` means the root, `:path` and `:/path` a path in
/// `@`. The path starts at the root of the worktree, unless it begins with `./` or `../`. It need not be UTF-8.
pub fn resolve_path(repository: &Repository, text: impl AsRef<[u8]>) -> Result<(CommitId, Option<RepoPathBuf>)> {
    match split_path(text.as_ref()) {
        Some((revision, path)) => resolve_in(repository, revision, path).map(|(id, path)| (id, Some(path))),
        None => Ok((resolve(repository, &String::from_utf8_lossy(text.as_ref()))?, None)),
    }
}

/// Resolves a revision and a path in it, which need not be UTF-8.
pub fn resolve_in(repository: &Repository, revision: &str, path: &[u8]) -> Result<(CommitId, RepoPathBuf)> {
    let is_from_root = revision.is_empty() && path.starts_with(b"/");
    let name = parse_path(&path[usize::from(is_from_root)..], &repository.layout.start).ok_or_else(|| {
        let message = format!("`{}` is not a valid path in a commit", String::from_utf8_lossy(path).escape_debug());
        let hint = "write it from the root of the worktree, as in `@:folder/file`, or relative, as in `@:./file`";
        Error::new(ErrorKind::Usage, message).hint(hint)
    })?;
    Ok((resolve(repository, or_current(revision))?, name))
}

/// Parses the path of `REV:path`, which starts at the root of the worktree, or with `./` or `../` in `directory`.
pub fn parse_path(text: &[u8], directory: &RepoPath) -> Option<RepoPathBuf> {
    let end = text.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let names = || text[..end].split(|&byte| byte == b'/');
    if !names().next().is_some_and(|first| matches!(first, b"." | b"..")) {
        return RepoPathBuf::new(text[..end].to_vec());
    }
    let mut path = directory.to_owned();
    for name in names() {
        match name {
            b"." => {}
            b".." if path.is_root() => return None,
            b".." => path.pop(),
            name if is_name(name) => path.push(name),
            _ => return None,
        }
    }
    Some(path)
}

/// Splits `REV:path` into its parts. The path need not be UTF-8.
pub fn split_path(name: &[u8]) -> Option<(&str, &[u8])> {
    let text = name.utf8_chunks().next()?.valid();
    let colon = find_outside_braces(text, ":")?;
    Some((&text[..colon], &name[colon + 1..]))
}

/// Whether the text is of the form `REV:path`.
pub fn has_path(text: &str) -> bool {
    find_outside_braces(text, ":").is_some()
}

/// Resolves both ends of `A..B`; a missing end is `@`. `None` if the text is not a range.
pub fn resolve_range(repository: &Repository, text: &str) -> Result<Option<(CommitId, CommitId)>> {
    let Some(dots) = find_range(text) else { return Ok(None) };
    let (from, to) = (&text[..dots], &text[dots + 2..]);
    Ok(Some((resolve(repository, or_current(from))?, resolve(repository, or_current(to))?)))
}

/// Offset of the `..` of a range. `../a` and `a/../b` are paths: no revision has such a name.
fn find_range(text: &str) -> Option<usize> {
    let is_path = text.contains('/') && text.split('/').any(|name| name == "..");
    if is_path { None } else { find_outside_braces(text, "..") }
}

fn or_current(text: &str) -> &str {
    if text.is_empty() { "@" } else { text }
}

/// Offset of the first `what` outside `{…}`.
fn find_outside_braces(text: &str, what: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth <= 0 && text[at..].starts_with(what) => return Some(at),
            _ => {}
        }
        None
    })
}

/// Splits a revision into the name and the steps after it.
fn split_name(text: &str) -> (&str, &str) {
    let marks = [text.find('~'), text.find('^'), text.find("@{")];
    text.split_at(marks.into_iter().flatten().min().unwrap_or(text.len()))
}

fn malformed(text: &str, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("`{}` is not a valid revision: {why}", text.escape_debug()))
        .hint("see how to name commits with `undo help revisions`")
}

fn resolve_name(repository: &Repository, name: &str) -> Result<CommitId> {
    let view = repository.view();
    match name {
        "@" => return view.at().ok_or_else(|| no_commit(view)),
        "-" => return existing(repository, reflog::before_last_move(repository)?),
        "latest" => return newest_head(repository),
        _ => {}
    }
    if let Some(id) = view.branches.get(name).or_else(|| view.tags.get(name)) {
        return Ok(*id);
    }
    let prefix = IdPrefix::parse(name);
    let found = prefix.as_ref().map_or_else(Vec::new, |prefix| {
        repository.store().find(ObjectKind::Commit, prefix, suggestions::MOST_CANDIDATES + 1)
    });
    match found.as_slice() {
        [id] => Ok((*id).into()),
        [] if view.heads.is_empty() && name == view.current => {
            Err(Error::new(ErrorKind::NotFound, format!("branch `{name}` has no commits yet"))
                .hint("create one with `undo commit`"))
        }
        [] if view.heads.is_empty() || name == view.current => Err(no_commit(view)),
        [] => {
            // The id may be in a pack that cannot be read.
            if let Some(id) = prefix.as_ref().and_then(|prefix| suggestions::swept_commit(prefix, view)) {
                return Err(suggestions::no_longer_exists(id));
            }
            if let Some(id) = prefix.as_ref().and_then(|prefix| lost_commit(repository, prefix)) {
                return Ok(id);
            }
            let damage = if prefix.is_some() { repository.store().damage().pop() } else { None };
            Err(damage.unwrap_or_else(|| suggestions::unknown_revision(name, view)))
        }
        several => Err(suggestions::ambiguous_commits(name, several, repository)),
    }
}

/// A commit of the history that cannot be found in the store.
fn lost_commit(repository: &Repository, prefix: &IdPrefix) -> Option<CommitId> {
    let mut walk = walk(repository, WalkOptions::default()).ok()?;
    let mut ids = std::iter::from_fn(|| walk.next_or_unreadable()).filter_map(|walked| walked.err()?.0);
    ids.find(|id| prefix.matches(&id.0))
}

/// [`ErrorKind::NotFound`] for a commit of an earlier state that was forgotten and no longer exists.
fn existing(repository: &Repository, id: CommitId) -> Result<CommitId> {
    match suggestions::is_swept(repository, id) {
        true => Err(suggestions::no_longer_exists(id)),
        false => Ok(id),
    }
}

/// The head with the newest time; of several with the same time, the one recorded last.
fn newest_head(repository: &Repository) -> Result<CommitId> {
    let mut newest: (Option<Timestamp>, Vec<CommitId>) = (None, Vec::new());
    for &id in &repository.view().heads {
        let commit = repository.store().commit(id)?;
        if commit.is_beside() {
            return newest_not_beside(repository);
        }
        let time = Some(commit.time);
        match time.cmp(&newest.0) {
            Ordering::Less => {}
            Ordering::Equal => newest.1.push(id),
            Ordering::Greater => newest = (time, vec![id]),
        }
    }
    match newest.1.as_slice() {
        [] => Err(no_commit(repository.view())),
        [id] => Ok(*id),
        several => recorded_last(repository, several),
    }
}

/// The newest commit that no hook has made, or that a branch or tag names. The newest of all if there are no others.
fn newest_not_beside(repository: &Repository) -> Result<CommitId> {
    let view = repository.view();
    let is_named = |id: CommitId| view.branches.values().chain(view.tags.values()).any(|named| *named == id);
    let mut newest = None;
    for walked in walk(repository, WalkOptions::default())? {
        let WalkedCommit { id, commit, .. } = walked?;
        if !commit.is_beside() || is_named(id) {
            return Ok(id);
        }
        newest.get_or_insert(id);
    }
    newest.ok_or_else(|| no_commit(view))
}

/// The one of these commits that was made by the newest operation.
fn recorded_last(repository: &Repository, commits: &[CommitId]) -> Result<CommitId> {
    for operation in repository.operations() {
        let made = operation?.1.commits;
        if let Some(found) = made.iter().rev().find(|made| commits.contains(&made.id)) {
            return Ok(found.id);
        }
    }
    Ok(commits[0])
}

/// Resolves `@` or a branch as of an earlier time.
fn resolve_past(repository: &Repository, name: &str, text: &str) -> Result<CommitId> {
    let view = repository.view();
    let is_known = view.branches.contains_key(name) || view.tags.contains_key(name);
    let time = when::parse(text, Day::End, &repository.environment)?;
    let shown = time.to_local(repository.environment.time_zone());
    let refs = reflog::refs_at(repository, time)?;
    let found = match name {
        "" | "@" => refs.at(),
        name => refs.branches.get(name).or_else(|| refs.tags.get(name)).copied(),
    };
    found.ok_or_else(|| match name {
        "" | "@" => Error::new(ErrorKind::NotFound, format!("there was no commit at {shown}"))
            .hint("to see when commits were made: undo log"),
        name if is_known => Error::new(ErrorKind::NotFound, format!("`{name}` did not exist at {shown}"))
            .hint("to see when commits were made: undo log"),
        name => suggestions::unknown_revision(name, view),
    })
}

/// Follows `~N` and `^N`.
fn take_steps(repository: &Repository, start: CommitId, steps: &str, text: &str) -> Result<CommitId> {
    let mut id = start;
    for (mark, number) in parse_steps(steps, text)? {
        let found = match mark {
            '~' => nth_ancestor(repository, id, number)?,
            _ => nth_parent(repository, id, number)?,
        };
        id = found.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("revision `{text}` does not exist: history does not go back that far"),
            )
            .hint("list commits with `undo log`")
        })?;
    }
    Ok(id)
}

/// Parses `~` and `^`, each with its number, by default 1.
fn parse_steps(mut steps: &str, text: &str) -> Result<Vec<(char, usize)>> {
    let mut parsed = Vec::new();
    while let Some(mark) = steps.chars().next() {
        if !matches!(mark, '~' | '^') {
            return Err(malformed(text, "only `~` and `^` can follow"));
        }
        let digits = steps[1..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = steps[1..].split_at(digits);
        let number = if digits == 0 { Ok(1) } else { number.parse() };
        parsed.push((mark, number.map_err(|_| malformed(text, "the number is too large"))?));
        steps = rest;
    }
    Ok(parsed)
}

/// The ancestor that many steps back along first parents.
fn nth_ancestor(repository: &Repository, mut id: CommitId, steps: usize) -> Result<Option<CommitId>> {
    for _ in 0..steps {
        let Some(parent) = nth_parent(repository, id, 1)? else { return Ok(None) };
        id = parent;
    }
    Ok(Some(id))
}

/// The n-th parent, counted from 1; 0 is the commit itself.
fn nth_parent(repository: &Repository, id: CommitId, number: usize) -> Result<Option<CommitId>> {
    let Some(at) = number.checked_sub(1) else { return Ok(Some(id)) };
    Ok(repository.parents(&repository.store().commit(id)?).get(at).copied())
}
