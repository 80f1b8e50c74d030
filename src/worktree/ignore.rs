//! `.undoignore`: gitignore syntax, in any directory of the worktree, deeper files and later lines deciding. A file of that
//! name is left out by no rule but one that leaves out the directory it is in.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use ::ignore::Match;
use ::ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::{Error, Result};
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

/// A line that makes no sense: it leaves out nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoRule {
    /// The `.undoignore` it is in.
    pub file: RepoPathBuf,
    /// Which line, from 1; 0: all of them together.
    pub line: usize,
    /// Why, and what it is taken as if that is something.
    pub reason: String,
}

/// What a `!` line that makes no sense is taken as: what it would keep is not known.
const KEEP_ALL: &str = "!*";

impl Rules {
    /// The rules inside the directory at `path`, whose `.undoignore` has this content (`None`: it has none). Lines that make
    /// no sense are told; where they could keep something, all is kept that is not left out further on.
    pub fn enter(&self, path: &RepoPath, content: Option<&[u8]>, tell: &mut dyn FnMut(NoRule)) -> Rules {
        let Some(content) = content else { return self.clone() };
        let mut tell = |line, reason| tell(NoRule { file: path.join(FILE), line, reason });
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let matcher = matcher(content, &mut tell).or_else(|error| {
            tell(0, format!("all lines, taken as `{KEEP_ALL}`: {error}"));
            matcher(KEEP_ALL.as_bytes(), &mut tell)
        });
        match matcher {
            Ok(matcher) if !matcher.is_empty() => {
                let level = Level { above: self.deepest.clone(), directory: path.to_owned(), matcher };
                Rules { deepest: Some(Arc::new(level)) }
            }
            _ => self.clone(),
        }
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

/// The matcher of a file's lines.
fn matcher(content: &[u8], tell: &mut dyn FnMut(usize, String)) -> Result<Gitignore, ::ignore::Error> {
    let mut builder = GitignoreBuilder::new("");
    for (at, bytes) in content.split(|&b| b == b'\n').enumerate() {
        let number = at + 1;
        // The matcher keeps "where a line is from" as a path: the line's number, which it would not tell otherwise.
        let from = || Some(PathBuf::from(number.to_string()));
        let added = match str::from_utf8(bytes) {
            Ok(line) => builder.add_line(from(), line).map(drop).map_err(|error| error.to_string()),
            Err(_) if bytes.starts_with(b"#") => Ok(()),
            Err(_) => Err("it is not UTF-8".to_owned()),
        };
        let Err(why) = added else { continue };
        if bytes.starts_with(b"!") {
            builder.add_line(from(), KEEP_ALL)?;
            tell(number, format!("line {number}, taken as `{KEEP_ALL}`: {why}"));
        } else {
            tell(number, format!("line {number}: {why}"));
        }
    }
    builder.build()
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
        let rules = above.enter(path, content.as_deref(), &mut |_| {});
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

    /// The rules, and the lines that are none.
    fn told(content: &[u8]) -> (Rules, Vec<String>) {
        let mut wrong = Vec::new();
        let rules = Rules::default().enter(RepoPath::root(), Some(content), &mut |one| wrong.push(one.reason));
        (rules, wrong)
    }

    fn rules(text: &str) -> Rules {
        told(text.as_bytes()).0
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
        let deeper = upper.enter(path("sub"), Some(b"!*.bin\n/x\n"), &mut |_| {});
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
    fn a_line_that_is_no_rule_leaves_out_nothing_and_the_others_hold() {
        let (rules, wrong) = told(b"*.a\n{a,b\ncaf\xe9\n# caf\xe9\n*.b\n");
        assert!(rules.ignores(path("x.a"), false) && rules.ignores(path("x.b"), false));
        assert!(!rules.ignores(path("a"), false) && !rules.ignores(RepoPath::new(b"caf\xe9").unwrap(), false));
        assert!(rules.ignores(RepoPath::new(b"caf\xe9.a").unwrap(), false));
        assert!(wrong[0].starts_with("line 2: error parsing glob '{a,b'"), "{wrong:?}");
        assert_eq!(wrong[1..], ["line 3: it is not UTF-8"]);
        assert!(told(b"{a,b\n").0.is_empty());
    }

    #[test]
    fn what_a_line_would_keep_is_not_known_if_it_is_no_rule_so_all_is_kept() {
        let (rules, wrong) = told(b"*.a\n!caf\xe9\n*.b\n");
        assert!(!rules.ignores(path("x.a"), false) && rules.ignores(path("x.b"), false));
        assert_eq!(wrong, ["line 2, taken as `!*`: it is not UTF-8"]);
    }

    #[test]
    fn more_lines_than_the_matcher_takes_leave_out_nothing() {
        let content: String = (0..60_000).map(|n| format!("{n}[ab]*?c*{n}\n")).collect();
        let (rules, wrong) = told(format!("*.a\n{content}").as_bytes());
        assert!(!rules.ignores(path("x.a"), false));
        assert!(wrong[0].starts_with("all lines, taken as `!*`: "), "{wrong:?}");
    }
}
