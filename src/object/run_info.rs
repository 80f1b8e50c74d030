//! The command that made the state of a commit, in the extras of the commit (`docs/format.md`, "Commit").

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{Commit, Extras};
use crate::quote::{one_line, shell_word};

/// Key of the command line: words separated by NUL.
const COMMAND: &str = "run.command";

/// Key of the duration: milliseconds in decimal digits.
const DURATION: &str = "run.duration";

/// Key of the exit status in decimal digits.
const EXIT: &str = "run.exit";

/// Maximum length of a command line in a sentence, in bytes.
const SHORT: usize = 100;

/// A command and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Program and arguments. No word contains NUL.
    pub command: Vec<Vec<u8>>,
    /// Exit status; 128 + N if signal N ended the command.
    pub exit: u8,
    /// Duration in milliseconds.
    pub duration: u64,
}

impl RunInfo {
    /// Encodes the command as extras of a commit.
    pub fn extras(&self) -> Extras {
        let mut extras = Extras::default();
        extras.set(COMMAND, self.command.join(&0));
        extras.set(DURATION, self.duration.to_string());
        extras.set(EXIT, self.exit.to_string());
        extras
    }

    /// The command of a commit. `None` if there is none, or it cannot be decoded.
    pub fn of(commit: &Commit) -> Option<RunInfo> {
        let number = |key| std::str::from_utf8(commit.extras.get(key)?).ok()?.parse::<u64>().ok();
        let command = commit.extras.get(COMMAND)?.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        Some(RunInfo { command, exit: u8::try_from(number(EXIT)?).ok()?, duration: number(DURATION)? })
    }

    /// The command in shell syntax. Bytes that are not UTF-8 become U+FFFD.
    pub fn line(&self) -> String {
        line(&self.command)
    }

    /// Like [`RunInfo::line`], but shortened for a sentence.
    pub fn short(&self) -> String {
        short(&self.command)
    }
}

/// Converts a command line to words.
pub fn words<W: AsRef<OsStr>>(command: &[W]) -> Vec<Vec<u8>> {
    command.iter().map(|word| word.as_ref().as_bytes().to_vec()).collect()
}

fn line(command: &[Vec<u8>]) -> String {
    command.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// A command in shell syntax on one line, shortened if it is long.
pub fn short(command: &[Vec<u8>]) -> String {
    one_line(&line(command), SHORT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    fn ran(words: &[&[u8]], exit: u8) -> RunInfo {
        RunInfo { command: words.iter().map(|word| word.to_vec()).collect(), exit, duration: 1500 }
    }

    #[test]
    fn run_info_round_trips_through_a_commit() {
        for ran in [ran(&[b"make"], 0), ran(&[b"a b", b"", b"\xff\n", b""], 255)] {
            let commit = Commit { extras: ran.extras(), ..samples::commit() };
            assert_eq!(RunInfo::of(&Commit::decode(&commit.encode()).unwrap()), Some(ran));
        }
        assert_eq!(RunInfo::of(&samples::commit()), None);
    }

    #[test]
    fn invalid_extras_are_ignored() {
        for (key, value) in [(EXIT, &b"256"[..]), (EXIT, b"x"), (DURATION, b"-1"), (DURATION, b"\xff")] {
            let mut extras = ran(&[b"make"], 0).extras();
            extras.set(key, value);
            assert_eq!(RunInfo::of(&Commit { extras, ..samples::commit() }), None, "{key}");
        }
    }

    #[test]
    fn command_line_is_shell_quoted() {
        assert_eq!(ran(&[b"sed", b"-i", b"s/it's/x/", b"", b"a.txt"], 0).line(), r"sed -i 's/it'\''s/x/' '' a.txt");
        assert_eq!(ran(&[b"sh", b"-c", b"a\nb"], 0).short(), "sh -c 'a…");
        assert_eq!(ran(&[&[b'x'; 101]], 0).short(), format!("{}…", "x".repeat(100)));
    }
}
