//! The directory in which each command of a line runs, according to `cd`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::line::Connector;
use super::word::Word;

/// Whether a command runs in the directory that the line has entered last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Perhaps: `if a; then cd b; fi; c`.
    Possible,
    /// If that directory exists: `cd a; b`.
    IfEntered,
    /// In any case: `cd a && b`.
    Certain,
}

/// Maximum number of directories in which a command may run.
const MOST_DIRECTORIES: usize = 50;

/// Keywords after which commands may not run.
const KEYWORDS: [&[u8]; 13] = [
    b"begin",
    b"case",
    b"coproc",
    b"for",
    b"foreach",
    b"function",
    b"if",
    b"repeat",
    b"select",
    b"switch",
    b"until",
    b"while",
    b"{",
];

/// The current directory, and those of the subshells around it.
#[derive(Debug, Default)]
pub(super) struct Directories {
    current: Place,
    outer: Vec<Place>,
    /// All directories that were entered.
    pub all: Vec<PathBuf>,
}

#[derive(Clone, Debug)]
struct Place {
    /// In which the current command may run, the last one entered last.
    directories: Vec<PathBuf>,
    /// Whether it runs in the last one.
    certainty: Certainty,
    /// What is known if the next command is not connected with `&&`.
    otherwise: Certainty,
    /// Whether the command before was `cd`.
    follows_cd: bool,
    /// Connector before the current command.
    connector: Connector,
    /// Whether the current command may not run.
    is_conditional: bool,
}

impl Default for Place {
    fn default() -> Place {
        Place {
            directories: vec![PathBuf::new()],
            certainty: Certainty::Certain,
            otherwise: Certainty::Certain,
            follows_cd: false,
            connector: Connector::Sequence,
            is_conditional: false,
        }
    }
}

impl Directories {
    /// A subshell begins.
    pub fn open(&mut self) {
        self.outer.push(self.current.clone());
    }

    /// A subshell ends.
    pub fn close(&mut self) {
        if let Some(outer) = self.outer.pop() {
            self.current = outer;
        }
    }

    /// The next command.
    pub fn follow(&mut self, connector: Connector, words: &[Word]) {
        let place = &mut self.current;
        let is_background = connector == Connector::Background;
        if is_background || (connector == Connector::Pipe && place.follows_cd) {
            place.otherwise = place.otherwise.min(Certainty::Possible);
            place.certainty = place.otherwise;
        } else if !matches!(connector, Connector::And | Connector::Pipe) {
            place.certainty = place.otherwise;
        }
        place.follows_cd = false;
        place.connector = connector;
        place.is_conditional |= words.first().is_some_and(|word| KEYWORDS.contains(&&word.text()[..]));
    }

    /// The command is `cd`, with a directory unless it is unknown.
    pub fn enter(&mut self, directory: Option<Vec<u8>>, is_wrapped: bool) {
        let place = &mut self.current;
        let is_plain = place.connector == Connector::Sequence && !place.is_conditional && !is_wrapped;
        let otherwise = if is_plain { Certainty::IfEntered } else { Certainty::Possible };
        match directory.as_deref().map(|bytes| Path::new(OsStr::from_bytes(bytes))) {
            Some(directory) => {
                let entered = place.directories.last().expect("one is known").join(directory);
                self.all.push(entered.clone());
                place.directories.retain(|known| *known != entered);
                place.directories.truncate(MOST_DIRECTORIES);
                place.directories.push(entered);
                let certainty = if is_wrapped { Certainty::Possible } else { Certainty::Certain };
                // An absolute path does not depend on previous ones.
                let previous = if directory.is_absolute() { Certainty::Certain } else { place.certainty };
                place.certainty = certainty.min(previous);
                place.otherwise = otherwise.min(previous);
            }
            None => (place.certainty, place.otherwise) = (Certainty::Possible, Certainty::Possible),
        }
        place.follows_cd = true;
    }

    /// The directories in which the current command may run, relative to that of the shell. Whether it runs in the last one.
    pub fn current(&self) -> (Vec<PathBuf>, Certainty) {
        let Place { directories, certainty, .. } = &self.current;
        let first = if *certainty == Certainty::Certain { directories.len() - 1 } else { 0 };
        (directories[first..].to_vec(), *certainty)
    }
}
