//! Root, service users and groups: who owns a repository's files, what root restores of what others recorded, and a group
//! that shares a repository. Needs root, to be several users.

mod group;
mod in_place;
mod postgres;
mod root;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::env::TestEnv;

/// A user without a name on this machine, with a group of the same number and further ones.
#[derive(Clone, Copy)]
pub struct Person {
    pub id: u32,
    pub groups: &'static [u32],
}

pub const ADA: Person = Person { id: 52_001, groups: &[] };

/// What a command did: its exit status, and stdout followed by stderr.
pub type Told = (i32, String);

/// A worktree and its users.
pub struct Office {
    pub env: TestEnv,
}

impl Office {
    /// `None` where only one user can be had.
    pub fn new() -> Option<Office> {
        if !rustix::process::geteuid().is_root() {
            crate::skip::skip("only root can run commands as several users");
            return None;
        }
        let env = TestEnv::new();
        env.set("USER", "");
        fs::set_permissions(env.root(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(env.root().join("tmp"), Permissions::from_mode(0o1777)).unwrap();
        // The build folder need not be open to everyone.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_undo")).arg(env.root().join("undo")).status();
        assert!(copied.unwrap().success());
        Some(Office { env })
    }

    /// The same with a worktree that belongs to a user.
    pub fn of(person: Person) -> Option<Office> {
        let office = Office::new()?;
        chown(office.env.path(), Some(person.id), Some(person.id)).unwrap();
        Some(office)
    }

    /// Runs a program as a user.
    pub fn runs(&self, person: Person, program: &str, arguments: &[&str]) -> Told {
        let mut command = self.env.command("setpriv");
        let groups: Vec<String> = person.groups.iter().map(u32::to_string).collect();
        let groups =
            if groups.is_empty() { "--clear-groups".to_owned() } else { format!("--groups={}", groups.join(",")) };
        command.args([format!("--reuid={}", person.id), format!("--regid={}", person.id), groups]);
        told(command.arg(program).args(arguments))
    }

    /// Runs `undo` as a user; words are split at spaces.
    pub fn undo(&self, person: Person, line: &str) -> Told {
        let program = self.env.root().join("undo");
        self.runs(person, program.to_str().unwrap(), &line.split(' ').collect::<Vec<_>>())
    }

    /// The same, which must end with 0.
    #[track_caller]
    pub fn done(&self, person: Person, line: &str) -> String {
        let (code, text) = self.undo(person, line);
        assert_eq!(code, 0, "undo {line}\n{text}");
        text
    }

    /// Writes a file of the worktree as a user.
    pub fn write(&self, person: Person, path: &str, text: &str) {
        self.env.write(path, text);
        chown(self.env.path().join(path), Some(person.id), Some(person.id)).unwrap();
    }
}

fn told(command: &mut Command) -> Told {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
}

/// A folder and all below it.
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
