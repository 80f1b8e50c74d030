//! Watches a recorded directory and prints what changed since the last commit.
//!
//! `cargo run --example watch_changes DIRECTORY`

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use undo::environment::Environment;
use undo::progress::Silent;
use undo::workspace::{DiffOptions, Workspace};

const PAUSE: Duration = Duration::from_millis(200);

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args_os().nth(1).ok_or("usage: watch_changes DIRECTORY")?;
    let directory = std::fs::canonicalize(directory)?;
    let mut known = BTreeMap::new();
    loop {
        // Opened again each time, because other commands may have committed meanwhile.
        let workspace = Workspace::open(&directory, Environment::from_process())?;
        let mut changes = BTreeMap::new();
        workspace.status(DiffOptions::default(), &Silent)?.for_each(&mut |change| {
            changes.insert(change.path.display().into_owned(), change);
            Ok(())
        })?;
        for (path, change) in changes.iter().filter(|(path, change)| known.get(*path) != Some(*change)) {
            println!("{:?} {path}", change.status);
        }
        for path in known.keys().filter(|path| !changes.contains_key(*path)) {
            println!("as committed {path}");
        }
        known = changes;
        sleep(PAUSE);
    }
}
