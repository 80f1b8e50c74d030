//! The command that made what a commit holds: kept in the commit's extras (`docs/format.md`, "Commit").

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{Commit, Extras};
use crate::quote::shell_word;

/// The command line: its words, a NUL between two.
const COMMAND: &str = "run.command";

/// How long it ran: milliseconds in decimal digits.
const DURATION: &str = "run.duration";

/// How it ended: its exit status in decimal digits.
const EXIT: &str = "run.exit";

/// Letters of a command line that people are shown in a sentence.
const SHORT: usize = 100;

/// A command that ran, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The program and its arguments; no word has a NUL.
    pub command: Vec<Vec<u8>>,
    /// Its exit status; 128 + N if signal N ended it.
    pub exit: u8,
    /// How long it ran, in milliseconds.
    pub duration: u64,
}

impl Ran {
    /// As extras of a commit.
    pub fn extras(&self) -> Extras {
        let mut extras = Extras::default();
        extras.set(COMMAND, self.command.join(&0));
        extras.set(DURATION, self.duration.to_string());
        extras.set(EXIT, self.exit.to_string());
        extras
    }

    /// Of a commit; `None` if it was not made by a command, or what it says of that cannot be understood.
    pub fn of(commit: &Commit) -> Option<Ran> {
        let number = |key| std::str::from_utf8(commit.extras.get(key)?).ok()?.parse::<u64>().ok();
        let command = commit.extras.get(COMMAND)?.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
        Some(Ran { command, exit: u8::try_from(number(EXIT)?).ok()?, duration: number(DURATION)? })
    }

    /// The command as it can be typed into a shell; bytes that are not UTF-8 become U+FFFD.
    pub fn line(&self) -> String {
        line(&self.command)
    }

    /// The same for a sentence: cut where it is long.
    pub fn short(&self) -> String {
        short(&self.command)
    }
}

/// The words of a command line as a commit keeps them.
pub fn words<W: AsRef<OsStr>>(command: &[W]) -> Vec<Vec<u8>> {
    command.iter().map(|word| word.as_ref().as_bytes().to_vec()).collect()
}

fn line(command: &[Vec<u8>]) -> String {
    command.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// A command as it can be typed, on one line, and cut where it is long.
pub fn short(command: &[Vec<u8>]) -> String {
    let line: String = line(command).chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match line.char_indices().nth(SHORT) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    fn ran(words: &[&[u8]], exit: u8) -> Ran {
        Ran { command: words.iter().map(|word| word.to_vec()).collect(), exit, duration: 1500 }
    }

    #[test]
    fn what_ran_survives_a_commit_byte_for_byte() {
        for ran in [ran(&[b"make"], 0), ran(&[b"a b", b"", b"\xff\n", b""], 255)] {
            let commit = Commit { extras: ran.extras(), ..samples::commit() };
            assert_eq!(Ran::of(&Commit::decode(&commit.encode()).unwrap()), Some(ran));
        }
        assert_eq!(Ran::of(&samples::commit()), None);
    }

    #[test]
    fn what_cannot_be_understood_is_nothing() {
        for (key, value) in [(EXIT, &b"256"[..]), (EXIT, b"x"), (DURATION, b"-1"), (DURATION, b"\xff")] {
            let mut extras = ran(&[b"make"], 0).extras();
            extras.set(key, value);
            assert_eq!(Ran::of(&Commit { extras, ..samples::commit() }), None, "{key}");
        }
    }

    #[test]
    fn a_line_can_be_typed_again() {
        assert_eq!(ran(&[b"sed", b"-i", b"s/it's/x/", b"", b"a.txt"], 0).line(), r"sed -i 's/it'\''s/x/' '' a.txt");
        assert_eq!(ran(&[b"sh", b"-c", b"a\nb"], 0).short(), "sh -c 'a b'");
        assert_eq!(ran(&[&[b'x'; 101]], 0).short(), format!("{}…", "x".repeat(100)));
    }
}
