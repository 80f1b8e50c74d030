//! Restores the newest commit of a target into a scratch directory, to prove that it can be restored.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::diff::trees::Side;
use crate::diff::{self, Status};
use crate::environment::LockWait;
use crate::error::Result;
use crate::export::{self, Exported, Source};
use crate::fs::{self, Interrupts, ScratchDirectory};
use crate::history::listing::{self, ListOptions};
use crate::id::{BlobId, CommitId};
use crate::object::references::Reference;
use crate::object::{ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::store::Store;
use crate::transfer::association::Association;
use crate::transfer::fetch::Totals;
use crate::workspace::Workspace;
use crate::worktree::{HashSink, Index, Overlay, Worktree, scan};

use super::OpenTarget;
use super::ahead::{Needs, scratch_store};
use super::cancel::CancelledBySignals;

/// How to drill.
#[derive(Clone, Debug, Default)]
pub struct DrillOptions {
    /// Restore only the content of this share of the files, chosen at random. `None` means all of them.
    pub sample: Option<f64>,
    /// A command of the shell to run in the restored directory.
    pub command: Option<String>,
}

/// What a drill has restored and found.
#[derive(Clone, Debug)]
pub struct DrillOutcome {
    /// The restored commit.
    pub commit: CommitId,
    /// Whether the repository has this commit, too.
    pub is_local: bool,
    /// What was fetched.
    pub fetched: Totals,
    /// Number of restored files, and of all files of the commit.
    pub files: (u64, u64),
    /// Number of restored bytes, and of all bytes of files of the commit.
    pub bytes: (u64, u64),
    /// Paths that differ from the commit, and how.
    pub differences: Vec<(RepoPathBuf, String)>,
    /// Paths that this machine cannot restore exactly, with reasons.
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths of the commit whose content was purged, which nothing restores.
    pub purged: Vec<RepoPathBuf>,
    /// Time that the restore took.
    pub duration: Duration,
    /// Time that restoring all files would take, of a sample.
    pub estimate: Option<Duration>,
    /// Exit status of the command, if one was run.
    pub exit: Option<u8>,
}

impl DrillOutcome {
    /// Whether everything was restored as recorded, and the command succeeded.
    pub fn is_success(&self) -> bool {
        self.differences.is_empty() && self.exit.is_none_or(|exit| exit == 0)
    }
}

/// A file of the commit.
struct File {
    path: RepoPathBuf,
    blob: BlobId,
    size: u64,
}

impl Workspace {
    /// Restores the newest commit of this directory in a target, without the objects of this repository, and compares it with what was
    /// recorded. Remembers when a drill succeeded. The restored files are removed.
    ///
    /// [`crate::error::ErrorKind::NoSpace`] if the file system for temporary files has too little free space.
    pub fn drill(&self, target: OpenTarget, options: &DrillOptions, progress: &dyn Progress) -> Result<DrillOutcome> {
        let name = target.settings.name.clone();
        let stream = self.stream_in(&target, None)?;
        target.target.check_opens_elsewhere().map_err(|error| match error.hint_text() {
            Some(_) => error,
            None => error.hint(format!("undo repair --target {name}")),
        })?;
        let environment = self.repository.environment.clone();
        let restored = Workspace::of_target(target, Some(&stream.to_string()), environment.clone())?;
        let outcome = restored.restore_scratch(options, progress)?;
        let is_local = self.repository.store().contains(ObjectKind::Commit, outcome.commit.object_id());
        if outcome.is_success() {
            // Another process may be pushing.
            let _lock = self.lock_association(&name, LockWait::Forever)?;
            if let Some(association) = Association::load(&self.repository, &name)? {
                Association { drilled: Some(environment.now()), ..association }.save(&self.repository, &name)?;
            }
        }
        Ok(DrillOutcome { is_local, ..outcome })
    }

    fn restore_scratch(&self, options: &DrillOptions, progress: &dyn Progress) -> Result<DrillOutcome> {
        let (_interrupts, progress) =
            (Interrupts::watch(), &CancelledBySignals { progress, left: "the restored files were removed" });
        let history = self.remote_history.as_ref().expect("the workspace shows a target");
        let (scratch, begin) = (ScratchDirectory::new()?, Instant::now());
        let mut store = scratch_store(&scratch.path().join("store"), self.repository.store())?;
        store.set_purged(self.repository.store().purged().clone());
        let commit = self.newest_commit()?;
        let root = Reference::Object(ObjectKind::Commit, commit.object_id());
        let metadata = Needs { present: None, roots: vec![root], is_wanted: &|_| false, space: 0 };
        let mut fetched = history.fetch(&mut store, metadata, progress)?;
        let (files, purged) = files_of(&store, commit)?;
        let chosen = choose(&files, options.sample)?;
        let metadata_done = begin.elapsed();
        let bytes = chosen.iter().map(|file| file.size).sum();
        let roots = chosen.iter().map(|file| Reference::Blob(file.blob)).collect();
        let content = Needs { present: None, roots, is_wanted: &|_| true, space: bytes };
        fetched += history.fetch(&mut store, content, progress)?;
        let paths: Option<Vec<RepoPathBuf>> =
            options.sample.map(|_| chosen.iter().map(|file| file.path.clone()).collect());
        let source = || Source::directory(&store, commit, RepoPath::root(), paths.as_deref());
        let directory = scratch.path().join("restored");
        let exported = export::export(&store, source()?, export::Destination::Directory(&directory), progress)?;
        let duration = begin.elapsed();
        let differences = differences(&store, &source()?, &directory, &exported, progress)?;
        let exit = options.command.as_ref().map(|command| run_in(&directory, command)).transpose()?;
        let all = files.iter().map(|file| file.size).sum();
        let estimate = options.sample.map(|_| {
            let content = duration.saturating_sub(metadata_done);
            metadata_done + content.mul_f64(all as f64 / (bytes as f64).max(1.0))
        });
        Ok(DrillOutcome {
            commit,
            is_local: false,
            fetched,
            files: (chosen.len() as u64, files.len() as u64),
            bytes: (bytes, all),
            differences,
            inexact: exported.inexact,
            purged,
            duration,
            estimate,
            exit,
        })
    }

    /// The current commit, or if the current branch has none, the newest head.
    fn newest_commit(&self) -> Result<CommitId> {
        match self.view().at() {
            Some(at) => Ok(at),
            None => self.resolve("latest"),
        }
    }
}

/// The files of a commit, and the paths of those whose content was purged.
fn files_of(store: &Store, commit: CommitId) -> Result<(Vec<File>, Vec<RepoPathBuf>)> {
    let (mut files, mut purged) = (Vec::new(), Vec::new());
    let Some(tree) = store.commit(commit)?.root.tree() else { return Ok((files, purged)) };
    let options = ListOptions { recursive: true, ..ListOptions::default() };
    for found in listing::list(store, tree, options) {
        let (path, entry) = found?;
        match entry.blob() {
            Some(blob) if store.is_purged(blob) => purged.push(path),
            Some(blob) => files.push(File { path, blob, size: entry.size() }),
            None => {}
        }
    }
    Ok((files, purged))
}

/// A share of the files, at least one, chosen at random.
fn choose(files: &[File], sample: Option<f64>) -> Result<Vec<&File>> {
    let Some(share) = sample else { return Ok(files.iter().collect()) };
    let key = fs::random()?;
    let mut ranked: Vec<&File> = files.iter().collect();
    ranked.sort_by_cached_key(|file| *blake3::keyed_hash(&key, file.path.as_bytes()).as_bytes());
    let count = (files.len() as f64 * share).ceil() as usize;
    ranked.truncate(count.max(1));
    Ok(ranked)
}

/// Compares a restored directory with its source.
fn differences(
    store: &Store,
    source: &Source,
    directory: &Path,
    exported: &Exported,
    progress: &dyn Progress,
) -> Result<Vec<(RepoPathBuf, String)>> {
    let mut found = exported.damaged.clone();
    let worktree = Worktree::open(directory.to_owned(), true)?;
    let options = scan::Options { despite_rules: vec![RepoPathBuf::default()], ..scan::Options::default() };
    let scan = scan::scan(&worktree, store, &Index::empty(), &options, &HashSink::new, progress)?;
    let recorded = Overlay { below: store, objects: &source.objects };
    let objects = Overlay { below: &recorded, objects: &scan.objects };
    let old = Side { root: Some(&source.root), links: source.links };
    let new = Side { root: Some(&scan.root), links: scan.links };
    let is_known = |path: &RepoPathBuf| {
        let inexact = exported.inexact.iter().chain(&exported.damaged).any(|(known, _)| known == path);
        inexact || exported.purged.contains(path)
    };
    diff::compare(&objects, old, new, &diff::Options { mtimes: true, ..diff::Options::default() }, &mut |change| {
        if !is_known(&change.path) {
            let reason = match change.status {
                Status::Deleted => "was not restored",
                Status::Added => "is not in the commit",
                Status::Metadata => "has other metadata than recorded",
                _ => "has other content than recorded",
            };
            found.push((change.path, reason.to_owned()));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Runs a command of the shell in a directory. What it prints goes to stderr.
fn run_in(directory: &Path, command: &str) -> Result<u8> {
    let script = format!("cd \"$1\" && shift && exec >&2\n{command}");
    let words = ["sh", "-c", &script, "sh"].map(OsString::from).into_iter();
    Ok(fs::run_program(&words.chain([directory.into()]).collect::<Vec<_>>(), &[])?.exit)
}
