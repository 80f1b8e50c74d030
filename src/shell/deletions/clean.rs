//! What `git clean` and `hg purge` delete.

use super::super::word::{Word, quoted};
use super::{joined, names_repository};

/// The directories from which `git clean` removes ignored files. `.undo/.gitignore` makes the history one; without `-x` and `-X`, git
/// keeps it.
pub(super) fn git_clean(arguments: &[Word]) -> Option<Vec<Word>> {
    let mut arguments = arguments.iter();
    let mut directory = Word::default();
    loop {
        let word = arguments.next()?;
        match &word.text()[..] {
            b"clean" => break,
            b"-C" => directory = joined(&directory, arguments.next()?),
            b"-c" | b"--git-dir" | b"--work-tree" | b"--namespace" => drop(arguments.next()?),
            option if option.starts_with(b"-") => {}
            _ => return None,
        }
    }
    let (mut runs, mut is_dry, mut is_recursive) = (false, false, false);
    let (mut removes_ignored, mut keeps_excluded, mut excludes) = (false, true, false);
    let mut paths: Vec<&Word> = Vec::new();
    while let Some(word) = arguments.next() {
        let text = word.text();
        match (text.strip_prefix(b"--"), text.strip_prefix(b"-")) {
            (Some(b""), _) => paths.extend(arguments.by_ref()),
            (Some(b"exclude"), _) => excludes |= arguments.next().is_some_and(|value| names_repository(&value.text())),
            (Some(long), _) if long.starts_with(b"exclude=") => excludes |= names_repository(&long[8..]),
            // Git accepts each beginning of an option.
            (Some(long), _) => {
                runs |= b"force".starts_with(long) || b"interactive".starts_with(long);
                is_dry |= b"dry-run".starts_with(long);
            }
            (None, Some(group)) if !group.is_empty() => {
                let end = group.iter().position(|&letter| letter == b'e');
                for letter in &group[..end.unwrap_or(group.len())] {
                    match letter {
                        b'f' | b'i' => runs = true,
                        b'n' => is_dry = true,
                        b'd' => is_recursive = true,
                        b'x' => removes_ignored = true,
                        // Removes only ignored files: `-e` then adds to them.
                        b'X' => (removes_ignored, keeps_excluded) = (true, false),
                        _ => {}
                    }
                }
                if let Some(end) = end {
                    let value = &group[end + 1..];
                    let next = if value.is_empty() { arguments.next().map(Word::text) } else { None };
                    excludes |= names_repository(next.as_deref().unwrap_or(value));
                }
            }
            _ => paths.push(word),
        }
    }
    // Without `-d`, only named directories are entered.
    let deletes = runs && !is_dry && removes_ignored && (is_recursive || !paths.is_empty());
    (deletes && !(excludes && keeps_excluded)).then(|| within(&directory, &paths))
}

/// The directories that `hg purge --all` empties of all that Mercurial does not track.
pub(super) fn hg_purge(arguments: &[Word]) -> Option<Vec<Word>> {
    let (mut purges, mut is_all, mut is_dry, mut excludes) = (false, false, false, false);
    let mut paths: Vec<&Word> = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(word) = arguments.next() {
        let text = word.text();
        let excluded = [&b"--exclude="[..], b"-X"].iter().find_map(|option| text.strip_prefix(*option));
        match &text[..] {
            b"purge" if !purges => purges = true,
            b"--all" => is_all = true,
            b"-p" | b"--print" | b"-n" | b"--dry-run" => is_dry = true,
            b"-X" | b"--exclude" => excludes |= arguments.next().is_some_and(|value| is_excluded(&value.text())),
            option if option.starts_with(b"-") => excludes |= excluded.is_some_and(is_excluded),
            _ => paths.push(word),
        }
    }
    (purges && is_all && !is_dry && !excludes).then(|| within(&Word::default(), &paths))
}

/// Whether a pattern of Mercurial, such as `path:.undo`, leaves out `.undo`.
fn is_excluded(pattern: &[u8]) -> bool {
    names_repository(pattern.rsplit(|&byte| byte == b':').next().unwrap_or_default())
}

/// Paths relative to a directory, or the directory itself if no paths are given.
fn within(directory: &Word, paths: &[&Word]) -> Vec<Word> {
    if !paths.is_empty() {
        return paths.iter().map(|path| joined(directory, path)).collect();
    }
    let here = || Word::known(vec![quoted(b'.')]);
    vec![if directory == &Word::default() { here() } else { directory.clone() }]
}
