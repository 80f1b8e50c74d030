//! What `rsync` deletes.

use super::super::word::{Word, quoted};
use super::{joined, names_repository};

/// Letters of options with a value.
const VALUE_LETTERS: &[u8] = b"efTBM@";

/// Options whose value may be the next word.
const VALUES: [&[u8]; 50] = [
    b"--address",
    b"--backup-dir",
    b"--block-size",
    b"--bwlimit",
    b"--checksum-choice",
    b"--checksum-seed",
    b"--chmod",
    b"--chown",
    b"--compare-dest",
    b"--compress-choice",
    b"--compress-level",
    b"--contimeout",
    b"--copy-as",
    b"--copy-dest",
    b"--debug",
    b"--exclude",
    b"--exclude-from",
    b"--files-from",
    b"--filter",
    b"--groupmap",
    b"--iconv",
    b"--include",
    b"--include-from",
    b"--info",
    b"--link-dest",
    b"--log-file",
    b"--log-file-format",
    b"--max-alloc",
    b"--max-delete",
    b"--max-size",
    b"--min-size",
    b"--modify-window",
    b"--out-format",
    b"--partial-dir",
    b"--password-file",
    b"--port",
    b"--protocol",
    b"--read-batch",
    b"--remote-option",
    b"--rsh",
    b"--rsync-path",
    b"--skip-compress",
    b"--sockopts",
    b"--stop-after",
    b"--stop-at",
    b"--suffix",
    b"--temp-dir",
    b"--timeout",
    b"--usermap",
    b"--write-batch",
];

/// A command line of `rsync`.
#[derive(Default)]
struct Command<'w> {
    paths: Vec<&'w Word>,
    deletes: bool,
    deletes_excluded: bool,
    /// Whether it only prints.
    is_dry: bool,
    /// `-R`: the whole path of a source is below the destination.
    is_relative: bool,
    /// Whether the first rule that matches `.undo` excludes it.
    excludes: Option<bool>,
    /// Whether a rule protects `.undo`.
    protects: bool,
}

/// The directories that become copies of others. A `.undo` that the source lacks is deleted, and one that it has is replaced.
pub(super) fn deleted(arguments: &[Word]) -> Option<Vec<Word>> {
    let mut command = Command::parse(arguments);
    let keeps = command.protects || (command.excludes == Some(true) && !command.deletes_excluded);
    let destination = command.paths.pop()?;
    if !command.deletes || command.is_dry || keeps {
        return None;
    }
    let copies = command.paths.iter().filter_map(|source| copy_of(source, destination, command.is_relative));
    Some(copies.collect()).filter(|copies: &Vec<Word>| !copies.is_empty())
}

/// The directory that becomes a copy of a source. `None` if the name of the source is not known.
fn copy_of(source: &Word, destination: &Word, is_relative: bool) -> Option<Word> {
    let text = source.text();
    let path = text.rsplit(|&byte| byte == b':').next().unwrap_or_default();
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let is_content = !path.is_empty() && matches!(name, b"" | b"." | b"..");
    let is_pattern = source.letters.iter().any(|letter| !letter.is_quoted && matches!(letter.byte, b'*' | b'?' | b'['));
    if is_content && !is_relative {
        return Some(destination.clone());
    }
    if source.is_unknown() || is_pattern || path.is_empty() {
        return None;
    }
    let below = if is_relative {
        // `/./` marks where the part begins.
        let marked = path.windows(3).position(|part| part == b"/./");
        let path = marked.map_or(path, |at| &path[at + 3..]);
        path.strip_prefix(b"/").unwrap_or(path)
    } else {
        name
    };
    let letters = below.iter().copied().map(quoted).collect();
    Some(joined(destination, &Word::known(letters)))
}

impl<'w> Command<'w> {
    fn parse(arguments: &'w [Word]) -> Command<'w> {
        let mut command = Command::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let text = word.text();
            if text == b"--" {
                command.paths.extend(words.by_ref());
            } else if text.starts_with(b"--") {
                let equals = text.iter().position(|&byte| byte == b'=');
                let name = &text[..equals.unwrap_or(text.len())];
                let value = match equals {
                    Some(equals) => text[equals + 1..].to_vec(),
                    None if VALUES.contains(&name) => words.next().map(Word::text).unwrap_or_default(),
                    None => Vec::new(),
                };
                command.long_option(name, &value);
            } else if let Some(group) = text.strip_prefix(b"-").filter(|group| !group.is_empty()) {
                let end = group.iter().position(|letter| VALUE_LETTERS.contains(letter)).unwrap_or(group.len());
                command.is_dry |= group[..end].contains(&b'n');
                command.is_relative |= group[..end].contains(&b'R');
                let value = match group.get(end + 1..) {
                    Some(b"") => words.next().map(Word::text).unwrap_or_default(),
                    Some(value) => value.to_vec(),
                    None => Vec::new(),
                };
                if group.get(end) == Some(&b'f') {
                    command.filter(&value);
                }
            } else {
                command.paths.push(word);
            }
        }
        command
    }

    fn long_option(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"--delete-missing-args" => {}
            b"--del" => self.deletes = true,
            name if name.starts_with(b"--delete") => {
                self.deletes = true;
                self.deletes_excluded |= name == b"--delete-excluded";
            }
            b"--dry-run" | b"--list-only" => self.is_dry = true,
            b"--relative" => self.is_relative = true,
            b"--exclude" => self.rule(true, value),
            b"--include" => self.rule(false, value),
            b"--filter" => self.filter(value),
            _ => {}
        }
    }

    fn rule(&mut self, excludes: bool, pattern: &[u8]) {
        if self.excludes.is_none() && names_repository(pattern) {
            self.excludes = Some(excludes);
        }
    }

    /// A rule such as `- PATTERN`, `-s PATTERN` or `protect PATTERN`. A `_` may stand for the space.
    fn filter(&mut self, rule: &[u8]) {
        let rule = rule.trim_ascii_start();
        let Some(space) = rule.iter().position(|byte| matches!(byte, b' ' | b'_')) else { return };
        let (kind, pattern) = (&rule[..space], &rule[space + 1..]);
        let modifiers = kind.strip_prefix(b"-").or_else(|| kind.strip_prefix(b"exclude,")).unwrap_or_default();
        match kind {
            b"P" | b"protect" => self.protects |= names_repository(pattern),
            b"+" | b"include" => self.rule(false, pattern),
            // `s`: only for the side that sends.
            _ if kind.starts_with(b"-") || kind.starts_with(b"exclude") => {
                if modifiers.contains(&b'r') {
                    self.protects |= names_repository(pattern);
                } else if !modifiers.contains(&b's') {
                    self.rule(true, pattern);
                }
            }
            _ => {}
        }
    }
}
