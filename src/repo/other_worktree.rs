//! An unfinished checkout in another directory that shares the repository. Only that directory can finish it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::fs;
use crate::object::operation::Intent;
use crate::quote::shell_path;
use crate::repo::layout::Layout;
use crate::repo::membership::uses;

/// An unfinished checkout in another directory.
#[derive(Clone, Copy, Debug)]
pub struct OtherCheckout<'r> {
    intent: &'r Intent,
    /// The other directory.
    worktree: &'r Path,
}

impl<'r> OtherCheckout<'r> {
    /// The checkout of an intent.
    pub(super) fn of(intent: &'r Intent) -> OtherCheckout<'r> {
        OtherCheckout { intent, worktree: Path::new(OsStr::from_bytes(&intent.worktree)) }
    }

    /// Whether the directory is a different one that still exists and shares the repository. A directory that was moved
    /// is not found; its checkout can be finished anywhere.
    pub(super) fn is_there(&self, layout: &Layout) -> bool {
        let is_same = || fs::is_same_dir(self.worktree, &layout.worktree).unwrap_or(false);
        self.worktree != layout.worktree && !is_same() && uses(self.worktree, None, &layout.repository)
    }

    /// Describes the checkout: "checkout of 3f2a91bc in `/data`, which has the same repository,".
    pub fn describe(&self) -> String {
        format!("{} in `{}`, which has the same repository,", self.intent.describe(), self.worktree.display())
    }

    /// A command to run in the other directory.
    pub fn command(&self, rest: &str) -> String {
        format!("undo -C {} {rest}", shell_path(self.worktree))
    }

    /// [`ErrorKind::Refused`]: an operation recorded here would come between.
    pub(super) fn refusal(&self) -> Error {
        Error::new(ErrorKind::Refused, format!("the {} is unfinished", self.describe()))
            .hint(format!("finish it first: {}", self.command("checkout --continue")))
    }
}
