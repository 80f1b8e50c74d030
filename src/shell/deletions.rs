//! What guarded commands delete with everything below it, which may include a history.

mod clean;
mod find;
mod rsync;

use super::word::{Word, quoted};
use crate::path::glob::{Glob, Slashes};

pub(super) use find::{deleted_by_name as deleted_by_find, only_reads as find_only_reads};

/// The operands that a command deletes with everything below them. `None` if it is not known to delete any.
pub(super) fn deleted(program: &[u8], arguments: &[Word]) -> Option<Vec<Word>> {
    match program {
        b"rm" => Some(operands(arguments).collect()),
        b"find" => find::deleted(arguments),
        b"rsync" => rsync::deleted(arguments),
        b"git" => clean::git_clean(arguments),
        b"hg" => clean::hg_purge(arguments),
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

/// A path relative to a directory.
fn joined(directory: &Word, path: &Word) -> Word {
    let is_absolute = matches!(path.letters.first(), Some(letter) if matches!(letter.byte, b'/' | b'~'));
    if is_absolute || directory == &Word::default() {
        return path.clone();
    }
    let letters = [&directory.letters[..], &[quoted(b'/')], &path.letters].concat();
    let in_path = path.unknown_from.map(|from| directory.letters.len() + 1 + from);
    Word { letters, unknown_from: directory.unknown_from.or(in_path) }
}

/// Whether a pattern of paths matches `.undo`: as one of its components, or by wildcards if it has only one.
fn names_repository(pattern: &[u8]) -> bool {
    let is_name = |part: &&[u8]| !matches!(*part, b"" | b"." | b"**" | b"***");
    let parts: Vec<&[u8]> = pattern.split(|&byte| byte == b'/').filter(is_name).collect();
    match parts[..] {
        [name] => Glob::parse(name, Slashes::Separate).is_ok_and(|glob| glob.matches(b".undo")),
        [] => pattern.contains(&b'*'),
        _ => parts.contains(&&b".undo"[..]),
    }
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
        let known = deleted.iter().filter(|word| !word.is_unknown());
        Some(known.map(|word| String::from_utf8(word.text()).unwrap()).collect::<Vec<_>>().join(" "))
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
            ("git clean -fdx -e .undoignore", "."),
            ("git clean -fdx -e 'data/*'", "."),
            ("git -C shop -c a=b clean -fdx", "shop"),
            ("git -C a -C b clean -fdx c d", "a/b/c a/b/d"),
            ("git -C a -C /b clean -fx -- -c", "/b/-c"),
            ("hg purge --all", "."),
            ("hg purge --all data", "data"),
            ("hg purge --all -X .undoignore", "."),
            ("hg purge --all -X data", "."),
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
            "git clean -fdx -e '.*'",
            "git clean -fdx -e '/.undo/**'",
            "hg purge --all -X .undo",
            "hg purge --all -X path:.undo",
            "hg purge --all --exclude=.undo",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }

    #[test]
    fn unknown_words_are_not_deleted() {
        for line in ["git clean -fdx -- $x", "git -C $x clean -fdx", "find $x -delete", "rsync -a --delete a/ $x"] {
            assert_eq!(shown(line).as_deref(), Some(""), "{line}");
        }
        assert_eq!(shown("rsync -a --delete $x b"), None);
    }

    #[test]
    fn find_deletes_what_its_tests_match() {
        for (line, expected) in [
            ("find -delete", "."),
            ("find -L a b -depth -delete", "a b"),
            ("find . -mindepth 1 -delete", "."),
            ("find . -type f -delete", "."),
            ("find . -mtime +30 -size +1M -delete", "."),
            ("find . -name '*' -delete", "."),
            ("find . -name .undo -exec rm -rf {} +", "."),
            ("find . -maxdepth 1 -iname '.U*' -exec rm -rf {} +", "."),
            ("find . -type d -exec rm -rf {} +", "."),
            ("find . ! -name keep -delete", "."),
            ("find . -not -name '*.md' -delete", "."),
            ("find . -name '*.pyc' -o -delete", "."),
            ("find . -name '*.pyc' -print -o -type f -exec rm {} \\;", "."),
            ("find . -name a -prune -o \\( -type f -o -name b \\) -delete", "."),
            ("find . -delete -name '*.pyc'", "."),
            ("find . -path '*/packs/*' -delete", "."),
            ("find a/ -path 'a/*' -delete", "a/"),
            ("find . -ipath './.U*' -exec rm -rf {} +", "."),
            ("find . ! -path './build/*' -delete", "."),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
        for line in [
            "find . -name '*.pyc' -delete",
            "find . -iname '*.PYC' -exec rm {} +",
            "find . -type d -name __pycache__ -exec rm -rf {} +",
            "find . \\( -name '*.a' -o -name '*.b' \\) -delete",
            "find . -name a \\( -type f -o -type l \\) -delete",
            "find . -path './build/*' -delete",
            "find . -not -path '*/.*' -delete",
            "find . ! -path './.undo/*' -type f -delete",
            "find . -regex '.*[.]o' -delete",
            "find . -name \"$x\" -delete",
            "find . -type l -delete",
            "find . -type d -empty -delete",
            "find . -type d -delete",
            "find . -maxdepth 1 -type f -delete",
            "find . -not -path './.undo/*' -delete",
            "find . ! \\( -name a -o -path './.undo*' \\) -delete",
            "find . -name .undo -prune -o -type f -exec rm {} +",
            "find . -path ./.undo -prune -o -exec rm {} +",
            "find . -exec mv {} a +",
            "find . -name x",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }

    #[test]
    fn rsync_deletes_below_its_destination() {
        for (line, expected) in [
            ("rsync -a --delete a/ b", "b"),
            ("rsync -a --del ./ b", "b"),
            ("rsync -a --delete . b", "b"),
            ("rsync -a --delete a .", "./a"),
            ("rsync -a --delete host:x/a b/", "b//a"),
            ("rsync -a --delete a c/ b", "b/a b"),
            ("rsync -aR --delete x/./y/a/ b", "b/y/a/"),
            ("rsync --delete -av -e 'ssh -n' a/ b", "b"),
            ("rsync -a --delete a/ b --exclude x", "b"),
            ("rsync -a --delete-excluded --exclude .undo a/ b", "b"),
            ("rsync -a --delete --include=.undo a/ b", "b"),
            ("rsync -a --delete --include=.undo --exclude '.*' a/ b", "b"),
            ("rsync -a --delete --exclude .undoignore a/ b", "b"),
            ("rsync -a --delete -f '+ .undo' a/ b", "b"),
            ("rsync -a --delete --filter 'hide .undo' a/ b", "b"),
        ] {
            assert_eq!(shown(line).as_deref(), Some(expected), "{line}");
        }
        for line in [
            "rsync -an --delete /tmp/ .",
            "rsync -a --dry-run --delete a/ b",
            "rsync -a --list-only --delete a/ b",
            "rsync -a --delay-updates a/ b",
            "rsync -a --delete a/* b",
            "rsync -a --delete --exclude .undo a/ b",
            "rsync -a --delete --exclude='/.undo/' a/ b",
            "rsync -a --delete --exclude '.*' a/ b",
            "rsync -a --delete -f '- .undo' a/ b",
            "rsync -a --delete-excluded --filter='P .undo' a/ b",
            "rsync -a --delete --filter=protect_.undo a/ b",
            "rsync -a a/ b",
            "rsync -a --delete b",
        ] {
            assert_eq!(shown(line), None, "{line}");
        }
    }
}
