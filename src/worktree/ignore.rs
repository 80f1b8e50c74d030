//! `.undoignore`: gitignore syntax, in any directory of the worktree, deeper files and later lines deciding. A file of that
//! name is left out by no rule but one that leaves out the directory it is in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use ::ignore::Match;
use ::ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::id::{BlobId, TreeId};
use crate::metadata::Kind;
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// The name of the files that hold the rules.
pub const FILE: &[u8] = b".undoignore";

/// The rules in force in one directory: its own file's and those of the directories above it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rules {
    deepest: Option<Arc<Level>>,
}

/// The rules of one file.
struct Level {
    above: Option<Arc<Level>>,
    directory: RepoPathBuf,
    matcher: Gitignore,
}

/// The line that decides about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The `.undoignore` it is in.
    pub file: RepoPathBuf,
    /// Which line, from 1.
    pub line: u64,
    /// The line itself.
    pub pattern: String,
    /// Whether it ignores the path; `false`: it is a `!` line, which keeps it.
    pub ignores: bool,
}

impl Rules {
    /// The rules inside the directory at `path`, whose `.undoignore` has this content (`None`: it has none).
    pub fn enter(&self, path: &RepoPath, content: Option<&[u8]>) -> Result<Rules> {
        let Some(content) = content else { return Ok(self.clone()) };
        let wrong = |line: usize, why: &dyn std::fmt::Display| {
            let file = path.join(FILE);
            Error::new(ErrorKind::Usage, format!("invalid rule in `{}`, line {line}: {why}", file.display()))
                .hint("correct that line; a letter after `\\` is taken as it is")
        };
        let mut builder = GitignoreBuilder::new("");
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        for (number, line) in content.split(|&b| b == b'\n').enumerate() {
            let number = number + 1;
            let line = str::from_utf8(line).map_err(|_| wrong(number, &"it is not UTF-8"))?;
            // The matcher keeps "where a line is from" as a path: the line's number, which it would not tell otherwise.
            let from = PathBuf::from(number.to_string());
            builder.add_line(Some(from), line).map_err(|error| wrong(number, &error))?;
        }
        let matcher = builder.build().map_err(|error| wrong(1, &error))?;
        if matcher.is_empty() {
            return Ok(self.clone());
        }
        let level = Level { above: self.deepest.clone(), directory: path.to_owned(), matcher };
        Ok(Rules { deepest: Some(Arc::new(level)) })
    }

    /// Whether there are none, here and above.
    pub fn is_empty(&self) -> bool {
        self.deepest.is_none()
    }

    /// Whether the rules ignore `path`, a direct child of the directory they are in force in.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> bool {
        let matched = self.matches(path, is_directory);
        matched.is_some_and(|(_, glob)| !glob.is_whitelist())
    }

    /// The rule that decides about `path`, a direct child of the directory they are in force in.
    pub fn deciding(&self, path: &RepoPath, is_directory: bool) -> Option<Rule> {
        let (level, glob) = self.matches(path, is_directory)?;
        let number = glob.from().and_then(|from| from.to_str()?.parse().ok());
        Some(Rule {
            file: level.directory.join(FILE),
            line: number.unwrap_or(0),
            pattern: glob.original().to_owned(),
            ignores: !glob.is_whitelist(),
        })
    }

    fn matches(&self, path: &RepoPath, is_directory: bool) -> Option<(&Level, &::ignore::gitignore::Glob)> {
        if !is_directory && path.name() == Some(FILE) {
            // Who goes back takes the rules back too: they must be recorded.
            return None;
        }
        let mut level = self.deepest.as_deref();
        while let Some(here) = level {
            let below = path.below(&here.directory)?;
            if let Match::Ignore(glob) | Match::Whitelist(glob) = here.matcher.matched(below.as_path(), is_directory) {
                return Some((here, glob));
            }
            level = here.above.as_deref();
        }
        None
    }
}

/// More than any rules file that a person writes; beyond it the file is data of that name.
pub const LONGEST: u64 = 4 << 20;

/// The content of the rules file in an open directory; `None` if there is none, or something else has its name.
pub fn read_file(directory: &Dir) -> Result<Option<Vec<u8>>> {
    match directory.stat(FILE)? {
        Some(stat) if stat.kind == Kind::File && stat.size <= LONGEST => {}
        _ => return Ok(None),
    }
    let file = match directory.open_file(FILE) {
        // Gone since.
        Err(error) if error.is_not_found() => return Ok(None),
        file => file?,
    };
    let mut content = Vec::new();
    let read = file.take(LONGEST).read_to_end(&mut content);
    read.map_err(|error| Error::io("read", &directory.path().join(".undoignore"), error))?;
    Ok(Some(content))
}

/// The rules of a recorded tree, read from it as they are asked for. It keeps those of the directories that the last path
/// is in, so paths in path order cost least.
pub struct TreeRules<'o> {
    objects: &'o dyn Objects,
    root: &'o Entry,
    blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    entered: RefCell<Entered>,
}

/// The directories that the last path is in.
#[derive(Default)]
struct Entered {
    /// The deepest of them.
    path: RepoPathBuf,
    /// From the root down. A list and not recursion, since directories may be deeper than a stack.
    levels: Vec<TreeLevel>,
}

/// What is known of one directory of a recorded tree.
struct TreeLevel {
    rules: Rules,
    ignored: bool,
    directories: HashMap<Vec<u8>, TreeId>,
}

impl<'o> TreeRules<'o> {
    /// The rules of the tree of a root entry. `blob` reads the bytes of the file of rules in a directory.
    pub fn new(
        objects: &'o dyn Objects,
        root: &'o Entry,
        blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    ) -> TreeRules<'o> {
        TreeRules { objects, root, blob, entered: RefCell::default() }
    }

    /// Whether they ignore a path, or a directory that it is in.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> Result<bool> {
        let Some(parent) = path.parent() else { return Ok(false) };
        let mut entered = self.entered.borrow_mut();
        self.enter(&mut entered, parent)?;
        Ok(entered.levels.last().is_some_and(|level| level.ignored || level.rules.ignores(path, is_directory)))
    }

    /// Makes a directory the last level.
    fn enter(&self, entered: &mut Entered, directory: &RepoPath) -> Result<()> {
        if entered.levels.is_empty() {
            let root = self.read(RepoPath::root(), self.root.tree(), &Rules::default(), false)?;
            entered.levels.push(root);
        }
        while !directory.is_within(&entered.path) {
            entered.path.pop();
            entered.levels.pop();
        }
        while let Some(above) = entered.levels.last()
            && let Some(name) = directory.below(&entered.path).and_then(|rest| rest.names().next())
        {
            let path = entered.path.join(name);
            let tree = above.directories.get(name).copied();
            let ignored = above.ignored || above.rules.ignores(&path, true);
            let level = self.read(&path, tree, &above.rules, ignored)?;
            entered.levels.push(level);
            entered.path = path;
        }
        Ok(())
    }

    fn read(&self, path: &RepoPath, tree: Option<TreeId>, above: &Rules, ignored: bool) -> Result<TreeLevel> {
        let tree = match tree {
            Some(tree) => self.objects.tree(tree)?,
            None => return Ok(TreeLevel { rules: above.clone(), ignored, directories: HashMap::new() }),
        };
        let file = tree.find(FILE).filter(|entry| entry.size() <= LONGEST).and_then(Entry::blob);
        let content = file.map(|blob| (self.blob)(path, blob)).transpose()?;
        let rules = above.enter(path, content.as_deref())?;
        let directories = tree
            .entries
            .into_iter()
            .filter_map(|entry| Some((entry.tree()?, entry.name)))
            .map(|(tree, name)| (name, tree));
        Ok(TreeLevel { rules, ignored, directories: directories.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> &RepoPath {
        RepoPath::new(text.as_bytes()).unwrap()
    }

    fn rules(text: &str) -> Rules {
        Rules::default().enter(RepoPath::root(), Some(text.as_bytes())).unwrap()
    }

    #[test]
    fn later_lines_decide_and_negation_keeps() {
        let rules = rules("# a comment\n*.log\n!keep.log\n\n/top\nbuild/\n\\#odd\r\n");
        assert!(rules.ignores(path("a.log"), false) && rules.ignores(path("deep/a.log"), false));
        assert!(!rules.ignores(path("keep.log"), false) && !rules.ignores(path("a.txt"), false));
        assert!(rules.ignores(path("top"), false) && !rules.ignores(path("deep/top"), false));
        assert!(rules.ignores(path("build"), true) && !rules.ignores(path("build"), false));
        assert!(rules.ignores(path("#odd"), false));
    }

    #[test]
    fn a_deeper_file_decides_over_an_upper_one() {
        let upper = rules("*.bin\nsub/*.txt\n");
        let deeper = upper.enter(path("sub"), Some(b"!*.bin\n/x\n")).unwrap();
        assert!(!deeper.ignores(path("sub/a.bin"), false) && upper.ignores(path("sub/a.bin"), false));
        assert!(deeper.ignores(path("sub/x"), false) && !deeper.ignores(path("sub/y/x"), false));
        assert!(deeper.ignores(path("sub/a.txt"), false));
    }

    #[test]
    fn the_deciding_rule_is_told_with_its_place() {
        let rules = rules("*.a\n\n!b.a\n");
        let told = rules.deciding(path("b.a"), false).unwrap();
        assert_eq!(
            (told.line, told.ignores, told.pattern.as_str(), &*told.file),
            (3, false, "!b.a", path(".undoignore"))
        );
        assert_eq!(rules.deciding(path("b.a"), false).map(|rule| rule.line), Some(3));
        assert_eq!(rules.deciding(path("c"), false), None);
    }

    #[test]
    fn a_file_of_rules_is_ignored_by_none() {
        let rules = rules("*\n.undoignore\n");
        assert!(!rules.ignores(path(".undoignore"), false) && !rules.ignores(path("sub/.undoignore"), false));
        assert_eq!(rules.deciding(path(".undoignore"), false), None);
        assert!(rules.ignores(path(".undoignore"), true), "a directory of that name holds no rules");
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = Rules::default().enter(path("sub"), Some(b"fine\n{a,b\n")).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().starts_with("invalid rule in `sub/.undoignore`, line 2"), "{error}");
        assert!(Rules::default().enter(path(""), Some(b"a\n\xff\n")).is_err());
    }
}
