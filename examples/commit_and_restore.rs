//! Commits a directory, changes a file in it, and restores the file.
//!
//! `cargo run --example commit_and_restore DIRECTORY`; the directory must not have a repository yet.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;

use undo::environment::Environment;
use undo::progress::Silent;
use undo::workspace::{CheckoutMode, CommitOptions, Workspace};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = fs::canonicalize(std::env::args_os().nth(1).ok_or("usage: commit_and_restore DIRECTORY")?)?;
    let mut workspace = Workspace::init(&directory, None, Environment::from_process())?;

    let file = directory.join("notes.txt");
    fs::write(&file, "first version\n")?;
    let options = CommitOptions { message: "first version".into(), ..CommitOptions::default() };
    let committed = workspace.commit(&options, &Silent)?;
    println!("committed {} files", committed.totals.files);

    fs::write(&file, "second version\n")?;
    let paths = workspace.resolve_paths(&["notes.txt".into()])?;
    let prepared = workspace.prepare_restore("@", paths, CheckoutMode::default(), &Silent)?;
    println!("restoring {} paths", prepared.actions().count());

    // The second version is in no commit, so `apply` saves it before it restores the first one.
    let restored = prepared.apply(&Silent)?;
    println!("restored: {}", fs::read_to_string(&file)?.trim_end());
    println!("saved first: {}", restored.saved.is_some());
    Ok(())
}
