//! `.undoignore`: gitignore patterns, in any directory of the worktree. Deeper files and later lines take precedence,
//! as in git. Unlike in git, a file of that name is recorded whatever the patterns say, unless a parent directory is
//! ignored.

mod lookup;
mod pattern;
mod pattern_list;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::fs::{Dir, is_of_one_entry};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};

pub use lookup::{TreeRules, WorktreeRules};
use pattern::Pattern;
use pattern_list::PatternList;

/// Name of the rules files.
pub const FILE: &[u8] = b".undoignore";

/// Maximum size of a rules file in bytes, far above what a user would write.
pub const LONGEST: u64 = 4 << 20;

/// The rules that apply in one directory: those of its rules file and of its parent directories. Cheap to clone.
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

/// Rules file of a directory.
pub enum RulesFile {
    /// The directory has no rules file.
    Absent,
    /// A regular file with this content.
    Content(Vec<u8>),
    /// Not a regular file, or not readable, for this reason.
    Unusable(String),
}

/// Reads the rules file of an open directory. Does not follow a symbolic link, as git does not.
pub fn read_file(directory: &Dir) -> Result<RulesFile> {
    match read(directory) {
        Err(error) if error.is_not_found() => Ok(RulesFile::Absent),
        Err(error) if is_of_one_entry(&error) => Ok(RulesFile::Unusable(format!("cannot be read: {}", error.reason()))),
        file => file,
    }
}

fn read(directory: &Dir) -> Result<RulesFile> {
    let Some(stat) = directory.stat(FILE)? else { return Ok(RulesFile::Absent) };
    match stat.kind {
        Kind::File => {}
        Kind::Symlink => return Ok(RulesFile::Unusable("a symbolic link, which is not followed".to_owned())),
        kind => return Ok(RulesFile::Unusable(format!("not a file: {}", kind.word()))),
    }
    let mut content = Vec::new();
    if stat.size <= LONGEST {
        let mut file = directory.open_file(FILE)?.take(LONGEST + 1);
        file.read_to_end(&mut content)
            .map_err(|error| Error::io("read", &directory.path().join(".undoignore"), error))?;
    }
    if stat.size.max(content.len() as u64) > LONGEST {
        return Ok(RulesFile::Unusable("larger than 4 MiB".to_owned()));
    }
    Ok(RulesFile::Content(content))
}
