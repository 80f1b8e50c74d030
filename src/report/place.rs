//! Where you are, as it is shown: a repository that was made, the current branch and commit, and what to do next.

use std::io;

use serde::Serialize;

use crate::object::Commit;
use crate::object::operation::View;
use crate::report::{Report, json_id};
use crate::terminal::{Page, Role, sanitize};
use crate::time::Timestamp;

/// A repository that was made or attached.
#[derive(Clone, Debug, Serialize)]
pub struct Initialised {
    /// The directory.
    pub worktree: String,
    /// Where its history is.
    pub repository: String,
    /// It has history already.
    pub commits: bool,
    /// Owner of the repository.
    pub owner: String,
    /// Whether the owner is not the user who runs the command.
    #[serde(skip)]
    pub is_given: bool,
    /// Current branch of the directory.
    pub branch: String,
    /// Whether the directory is not the repository's main one.
    #[serde(skip)]
    pub is_beside: bool,
}

impl Report for Initialised {
    const TYPE: &'static str = "init";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let what = if self.commits { "attached to the repository" } else { "made the repository" };
        page.line(format_args!("{what} {}", sanitize::text(&self.repository)))?;
        if self.is_beside {
            page.line(format_args!("the directory is on its own branch `{}`", sanitize::text(&self.branch)))?;
        }
        if !self.is_given {
            return Ok(());
        }
        page.line(format_args!("it belongs to `{}`, like the directory", sanitize::text(&self.owner)))
    }
}

/// The branch and the commit you are on.
#[derive(Clone, Debug, Serialize)]
pub struct Where {
    branch: String,
    id: String,
    #[serde(skip)]
    commit: Option<(String, Timestamp, String)>,
}

impl Where {
    /// The refs, and the commit that `@` is, if there is one.
    pub fn new(view: &View, at: Option<&Commit>) -> Where {
        let commit = view.at().zip(at).map(|(id, commit)| {
            (id.short(), commit.time, commit.message.lines().next().unwrap_or_default().to_owned())
        });
        Where { branch: view.current.clone(), id: json_id(view.at()), commit }
    }
}

impl Report for Where {
    const TYPE: &'static str = "where";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let branch = page.paint(Role::Branch, sanitize::name(self.branch.as_bytes()));
        match &self.commit {
            None => page.line(format_args!("on {branch}, no commits yet")),
            Some((short, time, subject)) => {
                let (id, age) = (page.paint(Role::Id, short), page.age(*time));
                let line = format!("on {branch} at {id}, {age}  {}", sanitize::name(subject.as_bytes()));
                page.line(line.trim_end())
            }
        }
    }
}
