//! A checkout that did not end in another directory with the same repository: it is ended there, and nowhere else.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::object::operation::Intent;
use crate::quote::shell_word;
use crate::repo::layout::Layout;

/// A checkout that did not end in another directory.
#[derive(Clone, Copy, Debug)]
pub struct Foreign<'r> {
    intent: &'r Intent,
    /// That directory.
    worktree: &'r Path,
}

impl<'r> Foreign<'r> {
    /// That of an intent, if it says which directory it is of.
    pub(super) fn of(intent: &'r Intent) -> Option<Foreign<'r>> {
        let worktree = Path::new(OsStr::from_bytes(intent.worktree()?));
        Some(Foreign { intent, worktree })
    }

    /// Whether it is one, seen from this layout: that directory is another one, still there, and with the same repository.
    /// One that was moved is found by nobody but itself: what began in a directory that is gone is everyone's.
    pub(super) fn is_there(&self, layout: &Layout) -> bool {
        self.worktree != layout.worktree && self.shares(layout).unwrap_or(false)
    }

    fn shares(&self, layout: &Layout) -> Result<bool> {
        if fs::is_same_dir(self.worktree, &layout.worktree)? {
            return Ok(false);
        }
        let Some(other) = Layout::at(self.worktree)? else { return Ok(false) };
        fs::is_same_dir(&other.repository, &layout.repository)
    }

    /// What it is: "checkout to 3f2a91bc in `/data`, which has the same repository,".
    pub fn describe(&self) -> String {
        let Intent { verb, to, .. } = self.intent;
        format!("{verb} to {} in `{}`, which has the same repository,", to.short(), self.worktree.display())
    }

    /// A command as it is run there.
    pub fn command(&self, rest: &str) -> String {
        format!("undo -C {} {rest}", shell_word(self.worktree.as_os_str().as_bytes()))
    }

    /// [`ErrorKind::Refused`]: what would be recorded here would come between.
    pub(super) fn refusal(&self) -> Error {
        Error::new(ErrorKind::Refused, format!("the {} did not end", self.describe()))
            .hint(format!("finish it first: {}", self.command("checkout --continue")))
    }
}
