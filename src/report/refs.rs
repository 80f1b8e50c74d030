//! Branches and tags, the current position, and settings.

use std::borrow::Cow;

use serde::Serialize;

use crate::id::CommitId;
use crate::object::Commit;
use crate::object::operation::View;
use crate::report::copies::CopyRecord;
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// A branch or a tag.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "ref")]
pub struct RefRecord {
    /// `branch` or `tag`.
    pub kind: &'static str,
    /// Short name.
    pub name: String,
    /// Its commit.
    pub id: CommitId,
    /// Whether it is the current branch.
    pub current: bool,
    /// Time of the commit.
    pub time: Timestamp,
    /// Message of the commit.
    pub message: String,
}

/// The current branch.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "current-branch")]
pub struct CurrentBranch {
    /// Name.
    pub name: String,
    /// Its commit; empty before the first one.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<CommitId>,
}

/// A branch or a tag that was created, moved, deleted or renamed.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "ref-changed")]
pub struct RefChanged {
    /// `branch` or `tag`.
    pub kind: &'static str,
    /// `created`, `moved`, `deleted` or `renamed`.
    pub action: &'static str,
    /// Short name, the new one after a renaming.
    pub name: String,
    /// The commit that it is or was at.
    pub id: CommitId,
}

/// A new or attached repository.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "init")]
pub struct InitRecord {
    /// The recorded directory.
    pub worktree: String,
    /// The repository.
    pub repository: String,
    /// Whether the repository has commits already.
    pub commits: bool,
    /// Whether the repository was created, not attached.
    #[serde(skip)]
    pub is_new: bool,
    /// Owner of the repository.
    pub owner: String,
    /// Whether the owner is not the current user.
    #[serde(skip)]
    pub is_given: bool,
    /// Current branch of the directory.
    pub branch: String,
    /// Whether the repository is a new one in the user's state directory.
    #[serde(skip)]
    pub is_outside: bool,
    /// Whether the repository has another main directory.
    #[serde(skip)]
    pub is_secondary: bool,
}

/// The current branch and commit.
#[derive(Clone, Debug, Serialize)]
pub struct Position {
    /// Current branch.
    pub branch: String,
    /// Current commit; empty for none.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<CommitId>,
    /// Its time and subject.
    #[serde(skip)]
    pub commit: Option<(Timestamp, String)>,
}

impl Position {
    /// The refs, and the commit at `@`, if there is one.
    pub fn new(view: &View, at: Option<&Commit>) -> Position {
        let subject = |commit: &Commit| commit.message.lines().next().unwrap_or_default().to_owned();
        let commit = at.map(|commit| (commit.time, subject(commit)));
        Position { branch: view.current.clone(), id: view.at(), commit }
    }
}

/// The answer to `undo` without a command.
#[derive(Serialize)]
#[serde(tag = "type", rename = "home")]
pub struct Overview {
    /// Whether there is a repository.
    pub repository: bool,
    /// `None` without a repository.
    #[serde(flatten)]
    pub position: Option<Position>,
    /// Whether there are no unsaved changes.
    pub clean: bool,
    /// Number of unsaved changes.
    pub changes: u64,
    /// Copies in targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<CopyRecord>,
    /// Commands to try next.
    pub next: Vec<Cow<'static, str>>,
    /// The state in words.
    #[serde(skip)]
    pub state: String,
}

/// A setting.
#[derive(Serialize)]
#[serde(tag = "type", rename = "setting")]
pub struct SettingRecord {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Whether the value is the default.
    pub default: bool,
    /// Where the value comes from: `default`, `user` or `repository`.
    pub source: &'static str,
    /// Description; `None` shows only the value.
    #[serde(skip)]
    pub about: Option<&'static str>,
}
