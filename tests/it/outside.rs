//! Histories in the user's state directory: they survive the removal of the directory, and follow it when it moves.

mod hints;
mod interrupted;
mod killed;
mod listed;
mod lost;
mod moved;
mod places;
mod runs;
mod spelled;

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::{Output, TestEnv};
use crate::tree::Tree;

/// A directory `work/shop`, whose history is outside.
struct Shop {
    env: TestEnv,
}

impl Shop {
    /// Not recorded yet.
    fn empty() -> Shop {
        let shop = Shop { env: TestEnv::new() };
        fs::create_dir(shop.path()).unwrap();
        shop
    }

    /// With two commits.
    fn new() -> Shop {
        let shop = Shop::empty();
        shop.undo("init --outside").ok();
        shop.env.write("shop/stock/apples", "12\n");
        shop.env.write("shop/prices", "apples 3\n");
        shop.undo("commit -m one").ok();
        shop.env.write("shop/prices", "apples 4\n");
        shop.undo("commit -m two").ok();
        shop
    }

    fn path(&self) -> PathBuf {
        self.env.path().join("shop")
    }

    /// Runs `undo` in the directory.
    #[must_use = "check the exit status"]
    fn undo(&self, line: &str) -> Output {
        self.in_directory("shop", line)
    }

    /// Runs `undo` in a directory beside it.
    #[must_use = "check the exit status"]
    fn in_directory(&self, name: &str, line: &str) -> Output {
        self.env.undo(&format!("-C {name} {line}"))
    }

    fn tree(&self) -> Tree {
        Tree::read(&self.path())
    }

    fn remove(&self) {
        fs::remove_dir_all(self.path()).unwrap();
    }

    /// Moves the directory.
    fn rename(&self, name: &str) {
        fs::rename(self.path(), self.env.path().join(name)).unwrap();
    }

    /// Copies the directory with all metadata.
    fn copy(&self, name: &str) {
        let copied = self.env.command("cp").args(["-a", "shop", name]).status().unwrap();
        assert!(copied.success());
    }

    /// The stores, sorted by path.
    fn stores(&self) -> Vec<PathBuf> {
        stores(&self.env.root().join("home/.local/state/undo"))
    }

    fn store(&self) -> PathBuf {
        let [store] = self.stores().try_into().unwrap();
        store
    }

    /// Messages of the commits of the current branch, newest first.
    fn messages(&self, name: &str) -> Vec<String> {
        let log = self.in_directory(name, "log @ --format %s").ok();
        String::from_utf8(log.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn stores(folder: &Path) -> Vec<PathBuf> {
    let mut stores: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    stores.sort();
    stores
}
