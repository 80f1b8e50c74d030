//! `.undoignore`: gitignore patterns, in any directory of the worktree. Deeper files and later lines take precedence,
//! as in git. Unlike in git, a file of that name is recorded whatever the patterns say, unless a parent directory is
//! ignored.

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

/// Name of the rules files.
pub const FILE: &[u8] = b".undoignore";

/// Maximum size of a rules file in bytes, far above what a user would write.
pub const LONGEST: u64 = 4 << 20;

/// The rules that apply in one directory: those of its own rules file and of its parent directories. Cheap to clone.
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

/// The rule that decides whether a path is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Path of the `.undoignore` that contains the rule.
    pub file: RepoPathBuf,
    /// Line number, from 1.
    pub line: u64,
    /// The line, without the parts that git strips (trailing spaces, a CR).
    pub pattern: Vec<u8>,
    /// Whether the rule ignores the path. `false` for a `!` line, which keeps it.
    pub ignores: bool,
}

/// A rules file, or a line of one, that has no effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IgnoreWarning {
    /// Path of the `.undoignore`.
    pub file: RepoPathBuf,
    /// Line number, from 1; 0 for the whole file.
    pub line: u64,
    /// Why the line or file has no effect.
    pub reason: String,
}

impl Rules {
    /// Extends the rules by those of the `.undoignore` in the directory at `path`.
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

    /// Whether no rule applies in this directory.
    pub fn is_empty(&self) -> bool {
        self.deepest.is_none()
    }

    /// Whether the rules ignore `path`, a direct child of the directory in which they apply.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> bool {
        self.last_match(path, is_directory).is_some_and(|(_, pattern)| !pattern.is_negated)
    }

    /// The rule that decides about `path`, a direct child of the directory in which the rules apply.
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
            // A checkout restores the rules too, so they must be recorded.
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
