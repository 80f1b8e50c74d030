//! Recognises changes that look like an accident or an attack.
//!
//! [`Watch`] collects the changes between two states, and [`judge()`] judges them. Files are read only if many of them were
//! replaced, and then only a sample. `docs/decisions/0008-report-suspicious-changes.md` has the reasons.

mod content;
mod file_heads;
mod file_types;
mod moved;
mod names;
mod sample;
mod thresholds;
mod watch;

use crate::fs::Dir;
use crate::object::{Commit, Mark};
use crate::path::RepoPathBuf;
use crate::store::Store;

use content::ContentChange;
use thresholds::{extrapolate, is_large_share, is_many};
use watch::ReplacedFile;

pub use watch::Watch;

/// Kind of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A large share of the files was deleted.
    Deleted,
    /// Many files are empty now.
    Truncated,
    /// Many files became incompressible and have no known type.
    Encrypted,
    /// Many files were replaced by such files with a longer name and a common suffix.
    RenamedSuffix,
    /// Many files no longer have the type of their name.
    Type,
}

/// A change that looks like an accident or an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Kind of the alarm.
    pub kind: Kind,
    /// Number of affected files.
    pub count: u64,
    /// Number of files in the old state.
    pub of: u64,
    /// Whether `count` is extrapolated from a sample.
    pub is_estimated: bool,
    /// The common suffix of the new names; empty for other kinds.
    pub suffix: Vec<u8>,
    /// Examples.
    pub paths: Vec<RepoPathBuf>,
}

/// Ordinary work that is similar to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrdinaryWork {
    /// Number of media files that were rewritten.
    Rewritten(u64),
    /// Number of files that were compressed.
    Compressed(u64),
}

/// The result of judging changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Alarms, reported as warnings.
    pub alarms: Vec<Alarm>,
    /// Ordinary work, reported as notes.
    pub work: Vec<OrdinaryWork>,
}

/// Sources of file contents and of previous commits.
pub struct Evidence<'a> {
    /// The old state.
    pub before: &'a Commit,
    /// Contains the content of the old state.
    pub store: &'a Store,
    /// The root of the worktree, for content that is not stored yet.
    pub live: &'a Dir,
}

/// Maximum number of examples in an alarm.
const EXAMPLES: usize = 3;

/// Judges the changes that the watch has seen since the old state.
pub fn judge(mut watch: Watch, evidence: &Evidence<'_>) -> Findings {
    watch.finish();
    let mut judge = Judge { evidence, of: evidence.before.totals.files, findings: Findings::default() };
    judge.deleted(&watch);
    judge.emptied(&watch);
    judge.replaced(&watch);
    judge.renamed(&watch);
    judge.findings
}

struct Judge<'a> {
    evidence: &'a Evidence<'a>,
    /// Number of files in the old state.
    of: u64,
    findings: Findings,
}

impl Judge<'_> {
    fn deleted(&mut self, watch: &Watch) {
        let count = watch.lost();
        if is_large_share(count, self.of) && !self.is_usual(Kind::Deleted, count) {
            self.raise(Kind::Deleted, count, watch.lost_paths());
        }
    }

    fn emptied(&mut self, watch: &Watch) {
        let count = watch.emptied();
        if is_many(count, self.of) && !self.is_usual(Kind::Truncated, count) {
            self.raise(Kind::Truncated, count, watch.emptied_paths());
        }
    }

    fn is_usual(&self, kind: Kind, count: u64) -> bool {
        thresholds::is_usual(self.evidence.store, self.evidence.before, kind, count)
    }

    /// Judges files whose content was replaced under the same name.
    fn replaced(&mut self, watch: &Watch) {
        let all = watch.replaced.offered();
        if !is_many(all, self.of) {
            return;
        }
        let judged = |file: &ReplacedFile| {
            let new = self.evidence.new_head(&file.path, file.new)?;
            let old = || self.evidence.old_head(file.old);
            Some((file.path.clone(), content::judge(&file.extension, old, &new)?))
        };
        let judged: Vec<(RepoPathBuf, ContentChange)> = watch.replaced.kept().iter().filter_map(judged).collect();
        let find = |wanted: ContentChange| {
            let found = judged.iter().filter(|(_, change)| *change == wanted);
            let paths: Vec<RepoPathBuf> = found.map(|(path, _)| path.clone()).collect();
            (extrapolate(paths.len(), judged.len(), all), paths)
        };
        for (kind, change) in [(Kind::Encrypted, ContentChange::Encrypted), (Kind::Type, ContentChange::Mistyped)] {
            if let (Some(count), paths) = find(change) {
                self.raise(kind, count, paths).is_estimated = (judged.len() as u64) < all;
            }
        }
        self.findings.work.extend(find(ContentChange::Rewritten).0.map(OrdinaryWork::Rewritten));
    }

    /// Judges files that were replaced by a file with other content and a longer name.
    fn renamed(&mut self, watch: &Watch) {
        let mut suffixes: Vec<_> =
            watch.renamed.iter().filter(|(_, files)| is_many(files.offered(), self.of)).collect();
        suffixes.sort_by_key(|(suffix, _)| *suffix);
        for (suffix, files) in suffixes {
            let heads =
                files.kept().iter().filter_map(|file| Some((file, self.evidence.new_head(&file.path, file.new)?)));
            let heads: Vec<_> = heads.collect();
            let scrambled = heads.iter().filter(|(_, head)| content::is_scrambled(head));
            let paths: Vec<RepoPathBuf> = scrambled.map(|(file, _)| file.path.clone()).collect();
            match extrapolate(paths.len(), heads.len(), files.offered()) {
                Some(count) => {
                    let alarm = self.raise(Kind::RenamedSuffix, count, paths);
                    alarm.is_estimated = (heads.len() as u64) < files.offered();
                    alarm.suffix.clone_from(suffix);
                }
                None if file_types::is_compressed(&suffix.get(1..).unwrap_or_default().to_ascii_lowercase()) => {
                    self.findings.work.push(OrdinaryWork::Compressed(files.offered()));
                }
                None => {}
            }
        }
    }

    fn raise(&mut self, kind: Kind, count: u64, paths: Vec<RepoPathBuf>) -> &mut Alarm {
        let alarm = Alarm { kind, count, of: self.of, is_estimated: false, suffix: Vec::new(), paths: examples(paths) };
        self.findings.alarms.push(alarm);
        self.findings.alarms.last_mut().expect("an alarm was added")
    }
}

/// The first path, the last, and one in the middle.
fn examples(paths: Vec<RepoPathBuf>) -> Vec<RepoPathBuf> {
    if paths.len() <= EXAMPLES {
        return paths;
    }
    (0..EXAMPLES).map(|n| paths[n * (paths.len() - 1) / (EXAMPLES - 1)].clone()).collect()
}

impl Kind {
    /// The name in JSON and in commits.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Deleted => "deleted",
            Kind::Truncated => "truncated",
            Kind::Encrypted => "encrypted",
            Kind::RenamedSuffix => "renamed-suffix",
            Kind::Type => "type",
        }
    }
}

impl Findings {
    /// The marks that a commit of the new state records.
    pub fn marks(&self) -> Vec<Mark> {
        let mark = |alarm: &Alarm| Mark { kind: alarm.kind.word().to_owned(), count: alarm.count, of: alarm.of };
        self.alarms.iter().map(mark).collect()
    }
}
