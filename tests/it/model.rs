//! Random histories against plain copies: after any sequence of edits, commits and checkouts, each commit brings back the
//! tree that it recorded, and every content that was ever there is still there or in a commit.
//!
//! Seeds are printed. `UNDO_TEST_SEED=N` runs one again, `UNDO_TEST_ROUNDS=N` runs more of them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::env::TestEnv;
use crate::tree::{Tree, assert_same};

/// xorshift64*: enough randomness for choosing edits, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = match self.below(10) {
            0 => 0,
            1 => (1 << 20) + self.below(1 << 20),
            _ => self.below(3000),
        };
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&self.below(1 << 30).to_le_bytes()).finalize_xof().fill(&mut bytes);
        bytes
    }
}

struct Model {
    env: TestEnv,
    random: Random,
    commits: Vec<(String, Tree)>,
    /// Every content that was in the directory when a command ran. (What one edit makes and the next replaces is gone.)
    contents: BTreeSet<[u8; 32]>,
}

impl Model {
    /// One of a few paths, so that kinds meet each other.
    fn path(&mut self) -> PathBuf {
        let names = ["a", "b", "c", "d"];
        let mut path = self.env.path();
        for _ in 0..=self.random.below(3) {
            path.push(names[self.random.below(names.len())]);
        }
        path
    }

    fn edit(&mut self) {
        let path = self.path();
        let other = self.path();
        let clear = |path: &PathBuf| {
            let _ = fs::remove_file(path);
            let _ = fs::remove_dir_all(path);
        };
        match self.random.below(11) {
            0..=2 => {
                let bytes = self.random.bytes();
                let _ = path.parent().map(fs::create_dir_all);
                let _ = fs::write(&path, bytes);
            }
            3 => {
                if let Ok(mut bytes) = fs::read(&path) {
                    let at = self.random.below(bytes.len() + 1);
                    bytes.splice(at..at, *b"inserted");
                    let _ = fs::write(&path, bytes);
                }
            }
            4 => {
                if let Ok(file) = fs::File::options().write(true).open(&path) {
                    let _ = file.set_len(self.random.below(2 << 20) as u64);
                }
            }
            5 => {
                let mode = [0o600, 0o644, 0o755, 0o400][self.random.below(4)];
                if !path.is_dir() && !path.is_symlink() {
                    let _ = fs::set_permissions(&path, fs::Permissions::from_mode(mode));
                }
            }
            6 => {
                let _ = fs::rename(&path, &other);
            }
            7 => {
                let _ = fs::hard_link(&path, &other);
            }
            8 => clear(&path),
            9 => {
                let _ = fs::create_dir_all(&path);
            }
            _ => {
                clear(&path);
                let _ = symlink("../a", &path);
            }
        }
    }

    fn step(&mut self) {
        let met = Tree::read(&self.env.path()).contents();
        match self.random.below(8) {
            0 | 1 => {
                let commit = &self.env.undo("commit -m step --json").ok().json()[0];
                self.contents.extend(met);
                // Times alone are no change: what is here may have other times than the commit.
                if commit["created"] == true {
                    let id = commit["id"].as_str().expect("a commit has an id").to_owned();
                    self.commits.push((id, Tree::read(&self.env.path())));
                }
            }
            2 if !self.commits.is_empty() => {
                let (id, tree) = self.commits[self.random.below(self.commits.len())].clone();
                self.env.undo(&format!("checkout {id}")).ok();
                self.contents.extend(met);
                assert_same(&tree, &Tree::read(&self.env.path()));
            }
            3 if !self.commits.is_empty() => {
                let (id, tree) = self.commits[self.random.below(self.commits.len())].clone();
                let path = self.path();
                self.contents.extend(met);
                let relative = path.strip_prefix(self.env.path()).unwrap().to_owned();
                let restored = self.env.undo(&format!("restore --from {id} {}", relative.display()));
                if restored.code == 0 && tree.nodes.contains_key(relative.as_os_str().as_encoded_bytes()) {
                    assert_same(&tree.below(&relative), &Tree::read(&self.env.path()).below(&relative));
                }
            }
            _ => (0..=self.random.below(6)).for_each(|_| self.edit()),
        }
    }

    /// Contents of all commits, by going to each.
    fn recorded(&mut self) -> BTreeSet<[u8; 32]> {
        self.env.undo("commit -m last").ok();
        let log = self.env.undo("log --json").ok().json();
        let ids = log.iter().filter_map(|line| line["id"].as_str());
        let mut contents = BTreeSet::new();
        for id in ids {
            let out = self.env.root().join(id);
            self.env.undo(&format!("export {id} {}", out.display())).ok();
            contents.extend(Tree::read(&out).contents());
        }
        contents
    }
}

#[test]
fn random_histories_lose_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = number("UNDO_TEST_ROUNDS").unwrap_or(6);
    let first = number("UNDO_TEST_SEED");
    for round in 0..first.map_or(rounds, |_| 1) {
        let seed = first.unwrap_or(round * 7919 + 1);
        println!("UNDO_TEST_SEED={seed}");
        let env = TestEnv::new();
        env.undo("init").ok();
        let mut model = Model {
            env,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            commits: Vec::new(),
            contents: BTreeSet::new(),
        };
        for _ in 0..60 {
            model.step();
        }
        let recorded = model.recorded();
        let lost: Vec<_> = model.contents.iter().filter(|content| !recorded.contains(*content)).collect();
        assert!(lost.is_empty(), "seed {seed}: {} contents are in no commit: {lost:02x?}", lost.len());
        for (id, tree) in model.commits.clone() {
            model.env.undo(&format!("checkout {id}")).ok();
            assert_same(&tree, &Tree::read(&model.env.path()));
        }
    }
}
