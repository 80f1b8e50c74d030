//! Random edits of a directory.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;

use super::Model;

/// Kinds of edits; writing is the most frequent.
pub(super) const EDITS: [&str; 16] = [
    "write", "write", "write", "write", "insert", "append", "truncate", "chmod", "chown", "rename", "link", "delete",
    "mkdir", "xattr", "rules", "symlink",
];

/// Files that rules may ignore: each rule is a line of `.undoignore`.
const RULES: [&str; 4] = ["", "c\n", "/a/b\n", "*.x\n"];

impl Model {
    /// Tries an edit, and logs it if it had an effect.
    pub(super) fn edit(&mut self) {
        let (path, other) = (self.path(), self.path());
        let clear = |path: &PathBuf| fs::remove_file(path).is_ok() || fs::remove_dir_all(path).is_ok();
        let edit = EDITS[self.random.below(EDITS.len())];
        let is_done = match edit {
            "write" => {
                let bytes = self.random.bytes();
                let _ = path.parent().map(fs::create_dir_all);
                fs::write(&path, bytes).is_ok()
            }
            "insert" => fs::read(&path).is_ok_and(|mut bytes| {
                let at = self.random.below(bytes.len() + 1);
                bytes.splice(at..at, *b"inserted");
                fs::write(&path, bytes).is_ok()
            }),
            "append" => {
                let bytes = self.random.bytes();
                let file = fs::File::options().append(true).open(&path);
                file.is_ok_and(|mut file| file.write_all(&bytes).is_ok())
            }
            "truncate" => {
                let file = fs::File::options().write(true).open(&path);
                file.is_ok_and(|file| file.set_len(self.random.below(2 << 20) as u64).is_ok())
            }
            "chmod" => {
                let mode = [0o600, 0o644, 0o755, 0o400][self.random.below(4)];
                let is_ours = !path.is_dir() && !path.is_symlink();
                is_ours && fs::set_permissions(&path, fs::Permissions::from_mode(mode)).is_ok()
            }
            "chown" => {
                let owner = [0, 1000][self.random.below(2)];
                !path.is_symlink() && chown(&path, Some(owner), Some(owner)).is_ok()
            }
            "rename" => {
                let is_moved = fs::rename(&path, &other).is_ok();
                // Sometimes it is old enough to be trusted by a command, and to be moved back.
                if is_moved && self.random.below(2) == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(10));
                }
                is_moved
            }
            "link" => fs::hard_link(&path, &other).is_ok(),
            "delete" => clear(&path),
            "mkdir" => fs::create_dir_all(&path).is_ok(),
            "xattr" => {
                let value = self.random.below(100).to_string();
                let flags = rustix::fs::XattrFlags::empty();
                rustix::fs::lsetxattr(&path, "user.note", value.as_bytes(), flags).is_ok()
            }
            "rules" => {
                self.env.write(".undoignore", RULES[self.random.below(RULES.len())]);
                true
            }
            _ => {
                clear(&path);
                symlink("../a", &path).is_ok()
            }
        };
        self.done.extend(is_done.then(|| edit.to_owned()));
    }
}
