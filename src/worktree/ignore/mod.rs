//! `.undoignore`: gitignore patterns, in any directory of the worktree. Deeper files and later lines win, as in git. Unlike
//! in git, a file of that name is recorded whatever the patterns say, unless a directory that it is in is ignored.

mod file;
mod pattern;
mod pattern_list;
#[cfg(test)]
mod tests;
mod tree_rules;

use std::sync::Arc;

use crate::path::{RepoPath, RepoPathBuf};

pub use file::{RulesFile, read_file};
use pattern::Pattern;
use pattern_list::PatternList;
pub use tree_rules::TreeRules;

/// The name of the files that hold the rules.
pub const FILE: &[u8] = b".undoignore";

/// The longest rules file that is read, in bytes: far more than anybody writes.
pub const LONGEST: u64 = 4 << 20;

/// The rules in force in one directory: its own file's and those of the directories above it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rules {
    deepest: Option<Arc<Level>>,
}

/// The rules of one file.
struct Level {
    above: Option<Arc<Level>>,
    directory: RepoPathBuf,
    patterns: PatternList,
}

/// The rule that decides about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The `.undoignore` it is in.
    pub file: RepoPathBuf,
    /// The number of its line, from 1.
    pub line: u64,
    /// Its line, without what git cuts off (trailing spaces, a CR).
    pub pattern: Vec<u8>,
    /// Whether it ignores the path; `false`: it is a `!` line, which keeps it.
    pub ignores: bool,
}

/// A line of a rules file, or a whole file, that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoreWarning {
    /// The `.undoignore`.
    pub file: RepoPathBuf,
    /// The number of the line, from 1; 0 if it is the whole file.
    pub line: u64,
    /// Why it has no effect.
    pub reason: String,
}

impl Rules {
    /// The rules inside the directory at `path`, with the `.undoignore` that is in it.
    pub fn enter(&self, path: &RepoPath, file: &RulesFile, warn: &mut dyn FnMut(IgnoreWarning)) -> Rules {
        let mut warn = |line, reason| warn(IgnoreWarning { file: path.join(FILE), line, reason });
        let patterns = match file {
            RulesFile::Absent => return self.clone(),
            RulesFile::Unusable(reason) => {
                warn(0, reason.clone());
                return self.clone();
            }
            RulesFile::Content(content) => PatternList::parse(content, &mut |line, invalid| {
                warn(line, format!("line {line}: {}", invalid.describe()))
            }),
        };
        if patterns.is_empty() {
            return self.clone();
        }
        let level = Level { above: self.deepest.clone(), directory: path.to_owned(), patterns };
        Rules { deepest: Some(Arc::new(level)) }
    }

    /// Whether there are none, here and above.
    pub fn is_empty(&self) -> bool {
        self.deepest.is_none()
    }

    /// Whether the rules ignore `path`, a direct child of the directory they are in force in.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> bool {
        self.last_match(path, is_directory).is_some_and(|(_, pattern)| !pattern.is_negated)
    }

    /// The rule that decides about `path`, a direct child of the directory they are in force in.
    pub fn deciding(&self, path: &RepoPath, is_directory: bool) -> Option<Rule> {
        let (level, pattern) = self.last_match(path, is_directory)?;
        Some(Rule {
            file: level.directory.join(FILE),
            line: pattern.line,
            pattern: pattern.text.to_vec(),
            ignores: !pattern.is_negated,
        })
    }

    fn last_match(&self, path: &RepoPath, is_directory: bool) -> Option<(&Level, &Pattern)> {
        let name = path.name()?;
        if !is_directory && name == FILE {
            // Going back restores the rules too, so they must be recorded.
            return None;
        }
        let mut level = self.deepest.as_deref();
        while let Some(here) = level {
            let below = path.below(&here.directory)?;
            if let Some(pattern) = here.patterns.last_match(below.as_bytes(), name, is_directory) {
                return Some((here, pattern));
            }
            level = here.above.as_deref();
        }
        None
    }
}
