//! Root, service users and groups: who owns repository files, what root restores from other users' repositories, and a
//! group that shares a repository. Needs root, to act as several users.

mod group;
mod in_place;
mod postgres;
mod root;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::TestEnv;

/// A user id without a name on this machine, the group with the same id, and additional groups.
#[derive(Clone, Copy)]
pub struct User {
    pub id: u32,
    pub groups: &'static [u32],
}

pub const ADA: User = User { id: 52_001, groups: &[] };

/// Exit status, and stdout followed by stderr.
pub type CommandResult = (i32, String);

/// A worktree used by several users.
pub struct MultiUserEnv {
    pub env: TestEnv,
}

impl MultiUserEnv {
    /// `None` if the test cannot run commands as several users.
    pub fn new() -> Option<MultiUserEnv> {
        if !rustix::process::geteuid().is_root() {
            crate::skip::skip("only root can run commands as several users");
            return None;
        }
        let env = TestEnv::new();
        env.set("USER", "");
        fs::set_permissions(env.root(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(env.root().join("tmp"), Permissions::from_mode(0o1777)).unwrap();
        // Other users may not have access to the build folder.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_undo")).arg(env.root().join("undo")).status();
        assert!(copied.unwrap().success());
        Some(MultiUserEnv { env })
    }

    /// Like [`MultiUserEnv::new`], with a worktree that belongs to a user.
    pub fn of(user: User) -> Option<MultiUserEnv> {
        let users = MultiUserEnv::new()?;
        chown(users.env.path(), Some(user.id), Some(user.id)).unwrap();
        Some(users)
    }

    /// Runs a program as a user.
    pub fn runs(&self, user: User, program: &str, arguments: &[&str]) -> CommandResult {
        let mut command = self.env.command("setpriv");
        let groups: Vec<String> = user.groups.iter().map(u32::to_string).collect();
        let groups =
            if groups.is_empty() { "--clear-groups".to_owned() } else { format!("--groups={}", groups.join(",")) };
        command.args([format!("--reuid={}", user.id), format!("--regid={}", user.id), groups]);
        result_of(command.arg(program).args(arguments))
    }

    /// Runs `undo` as a user; words are split at spaces.
    pub fn undo(&self, user: User, line: &str) -> CommandResult {
        let program = self.env.root().join("undo");
        self.runs(user, program.to_str().unwrap(), &line.split(' ').collect::<Vec<_>>())
    }

    /// Like [`MultiUserEnv::undo`]; the command must succeed.
    #[track_caller]
    pub fn done(&self, user: User, line: &str) -> String {
        let (code, text) = self.undo(user, line);
        assert_eq!(code, 0, "undo {line}\n{text}");
        text
    }

    /// Writes a file of the worktree as a user.
    pub fn write(&self, user: User, path: &str, text: &str) {
        self.env.write(path, text);
        chown(self.env.path().join(path), Some(user.id), Some(user.id)).unwrap();
    }
}

fn result_of(command: &mut Command) -> CommandResult {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// A folder and everything below it.
pub fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    if fs::symlink_metadata(folder).unwrap().is_dir() {
        found.extend(fs::read_dir(folder).unwrap().flat_map(|entry| everything(&entry.unwrap().path())));
    }
    found
}

/// Everything at or below a path must belong to this user and group.
#[track_caller]
pub fn all_belongs_to(folder: &Path, (uid, gid): (u32, u32)) {
    for path in everything(folder) {
        let metadata = fs::symlink_metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (uid, gid), "{}", path.display());
    }
}
