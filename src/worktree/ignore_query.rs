//! Which ignore rule of the worktree decides about a path, asked for one path after the other.

use crate::error::Result;
use crate::fs::Dir;
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::ignore::{self, IgnoreWarning, Rule, Rules, RulesFile};

/// The rules of the worktree as it is now. It keeps those of the directories that the last path is in, so paths in path
/// order cost least.
pub struct Deciding<'w> {
    root: &'w Dir,
    /// From the root down. A list and not recursion: a path may have more names than a stack has room.
    levels: Vec<Level>,
    /// Rules without effect in the visited directories.
    pub ignore_warnings: Vec<IgnoreWarning>,
}

/// What is known of a directory.
struct Level {
    path: RepoPathBuf,
    /// Open while it is the deepest. `None`: not open, not there, or no directory.
    dir: Option<Dir>,
    rules: Rules,
    /// The rule that ignores it, or a directory that it is in: that decides about all in it.
    ignored: Option<Rule>,
}

impl<'w> Deciding<'w> {
    /// For the worktree that is open at its root.
    pub fn new(root: &'w Dir) -> Deciding<'w> {
        Deciding { root, levels: Vec::new(), ignore_warnings: Vec::new() }
    }

    /// The rule that decides about a path: about itself, or about the first ignored directory that it is in. What is not
    /// there is no directory, unless `is_directory` says so.
    pub fn rule(&mut self, path: &RepoPath, is_directory: bool) -> Result<Option<Rule>> {
        let Some(parent) = path.parent() else { return Ok(None) };
        self.enter(parent)?;
        let Some(level) = self.levels.last_mut() else { return Ok(None) };
        if level.ignored.is_some() {
            return Ok(level.ignored.clone());
        }
        // It was closed when a directory in it was opened.
        let dir = level.dir.take().or_else(|| self.root.open_below(parent).ok());
        let stat = path.name().and_then(|name| dir.as_ref()?.stat(name).ok().flatten());
        level.dir = dir;
        Ok(level.rules.deciding(path, is_directory || stat.is_some_and(|stat| stat.kind == Kind::Directory)))
    }

    /// Makes a directory the last level.
    fn enter(&mut self, directory: &RepoPath) -> Result<()> {
        let ignore_warnings = &mut self.ignore_warnings;
        let mut tell = |one: IgnoreWarning| {
            if !ignore_warnings.contains(&one) {
                ignore_warnings.push(one);
            }
        };
        while self.levels.last().is_some_and(|level| !directory.is_within(&level.path)) {
            self.levels.pop();
        }
        if self.levels.is_empty() {
            let dir = self.root.open_below(RepoPath::root())?;
            let rules = Rules::default().enter(RepoPath::root(), &ignore::read_file(&dir)?, &mut tell);
            self.levels.push(Level { path: RepoPathBuf::default(), dir: Some(dir), rules, ignored: None });
        }
        while let Some(above) = self.levels.last_mut()
            && let Some(name) = directory.below(&above.path).and_then(|rest| rest.names().next())
        {
            let path = above.path.join(name);
            let ignored =
                above.ignored.clone().or_else(|| above.rules.deciding(&path, true).filter(|rule| rule.ignores));
            let dir = match above.dir.take() {
                _ if ignored.is_some() => None,
                Some(dir) => dir.open_dir(name).ok(),
                None => self.root.open_below(&path).ok(),
            };
            let file = dir.as_ref().map_or(Ok(RulesFile::Absent), ignore::read_file)?;
            let rules = above.rules.enter(&path, &file, &mut tell);
            self.levels.push(Level { path, dir, rules, ignored });
        }
        Ok(())
    }
}
