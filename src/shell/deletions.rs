//! What guarded commands delete with everything below it, which may include a history.

use super::word::{Letter, Word, base_name};

/// The operands that a command deletes with everything below them. `None` if it is not known to delete any.
pub(super) fn deleted(program: &[u8], arguments: &[Word]) -> Option<Vec<Word>> {
    let paths = || operands(arguments).collect();
    match program {
        b"rm" => Some(paths()),
        b"find" => find_deletes(arguments).then(paths),
        // Only the destination loses what the source lacks. Its `.undo` is deleted, or replaced if the source has one too.
        b"rsync" => {
            let deletes = arguments.iter().any(|word| word.text().starts_with(b"--del")) && !rsync_excludes(arguments);
            deletes.then(|| operands(arguments).last().into_iter().collect())
        }
        b"git" => git_clean(arguments),
        b"hg" => hg_purge(arguments),
        _ => None,
    }
}

/// The words that are not options.
pub(super) fn operands(arguments: &[Word]) -> impl Iterator<Item = Word> {
    let mut is_rest = false;
    let is_operand = move |word: &&Word| {
        let is_operand = is_rest || !word.text().starts_with(b"-");
        is_rest |= word.text() == b"--";
        is_operand
    };
    arguments.iter().filter(is_operand).cloned()
}

/// Whether all programs that `find` runs are known to change nothing.
pub(super) fn find_only_reads(arguments: &[Word]) -> bool {
    const READING: [&[u8]; 14] = [
        b"basename",
        b"cat",
        b"du",
        b"echo",
        b"file",
        b"grep",
        b"head",
        b"ls",
        b"md5sum",
        b"printf",
        b"sha256sum",
        b"stat",
        b"tail",
        b"wc",
    ];
    let mut programs = find_programs(arguments).peekable();
    programs.peek().is_some()
        && !find_deletes(arguments)
        && programs.all(|program| READING.contains(&base_name(&program)))
}

/// The programs that `find` runs.
fn find_programs(arguments: &[Word]) -> impl Iterator<Item = Vec<u8>> {
    const OPTIONS: [&[u8]; 4] = [b"-exec", b"-execdir", b"-ok", b"-okdir"];
    arguments.windows(2).filter(|pair| OPTIONS.contains(&&pair[0].text()[..])).map(|pair| pair[1].text())
}

fn find_deletes(arguments: &[Word]) -> bool {
    const DELETING: [&[u8]; 4] = [b"rm", b"rmdir", b"shred", b"unlink"];
    arguments.iter().any(|word| word.text() == b"-delete")
        || find_programs(arguments).any(|program| DELETING.contains(&base_name(&program)))
}

fn rsync_excludes(arguments: &[Word]) -> bool {
    arguments.iter().any(|word| word.text().starts_with(b"-") && names_repository(&word.text()))
        || arguments.windows(2).any(|pair| {
            matches!(&pair[0].text()[..], b"--exclude" | b"-f" | b"--filter") && names_repository(&pair[1].text())
        })
}

/// The directories from which `git clean` removes ignored files. `.undo/.gitignore` makes the history one; without `-x` and `-X`, git
/// keeps it.
fn git_clean(arguments: &[Word]) -> Option<Vec<Word>> {
    let mut arguments = arguments.iter();
    let mut directory: Vec<Letter> = Vec::new();
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
            (Some(long), _) if long.starts_with(b"exclude=") => excludes |= names_repository(long),
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
fn hg_purge(arguments: &[Word]) -> Option<Vec<Word>> {
    let texts: Vec<_> = arguments.iter().map(Word::text).collect();
    let has = |options: &[&[u8]]| texts.iter().any(|text| options.contains(&&text[..]));
    let excludes = arguments.windows(2).any(|pair| pair[0].text() == b"-X" && names_repository(&pair[1].text()))
        || texts.iter().any(|text| text.starts_with(b"-") && names_repository(text));
    let deletes = has(&[b"purge"]) && has(&[b"--all"]) && !has(&[b"-p", b"--print", b"-n", b"--dry-run"]) && !excludes;
    let paths = || arguments.iter().filter(|word| !word.text().starts_with(b"-") && word.text() != b"purge");
    deletes.then(|| within(&[], &paths().collect::<Vec<_>>()))
}

/// Paths relative to a directory, or the directory itself if no paths are given.
fn within(directory: &[Letter], paths: &[&Word]) -> Vec<Word> {
    let word = |letters| Word { letters, is_unknown: false };
    if paths.is_empty() {
        let here = vec![Letter { byte: b'.', is_quoted: true }];
        return vec![word(if directory.is_empty() { here } else { directory.to_owned() })];
    }
    paths.iter().map(|path| word(joined(directory, path))).collect()
}

fn joined(directory: &[Letter], path: &Word) -> Vec<Letter> {
    let is_absolute = matches!(path.letters.first(), Some(letter) if matches!(letter.byte, b'/' | b'~'));
    if directory.is_empty() || is_absolute {
        return path.letters.clone();
    }
    [directory, &[Letter { byte: b'/', is_quoted: true }], &path.letters].concat()
}

/// Whether a pattern is likely to match `.undo`.
fn names_repository(pattern: &[u8]) -> bool {
    pattern.windows(5).any(|part| part == b".undo")
}

#[cfg(test)]
mod tests {
    use super::super::Shell;
    use super::super::line::commands;
    use super::*;

    /// What a line deletes, separated by spaces.
    fn shown(line: &str) -> Option<String> {
        let words = commands(line.as_bytes(), Shell::Bash, &|_| None).remove(0);
        let deleted = deleted(&words[0].text(), &words[1..])?;
        Some(deleted.iter().map(|word| String::from_utf8(word.text()).unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn ignored_files_that_are_removed_may_be_a_history() {
        for (line, expected) in [
            ("git clean -fdx", "."),
            ("git clean -xfd", "."),
            ("git clean -d -x --force", "."),
            ("git clean -idx", "."),
            ("git clean -ffdX -e .undo", "."),
            ("git clean -fdx -e .venv", "."),
            ("git -C shop -c a=b clean -fdx", "shop"),
            ("git -C a -C b clean -fdx c d", "a/b/c a/b/d"),
            ("git -C a -C /b clean -fx -- -c", "/b/-c"),
            ("hg purge --all", "."),
            ("hg purge --all data", "data"),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn histories_that_are_kept_are_not_named() {
        for line in [
            "git clean -fd",
            "git clean -fx",
            "git clean -dx",
            "git clean -fdxn",
            "git clean -fdx --dry",
            "git clean -fdx -e .undo",
            "git clean -fdxe .undo",
            "git clean -fdx -e.undo",
            "git clean -fdx --exclude=.undo",
            "git clean -fdx --exclude .undo",
            "git checkout clean -f -d -x",
            "git",
            "hg purge",
            "hg purge --all -p",
            "hg purge --all -X .undo",
            "rsync -a --delete --exclude .undo a b",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }
}
