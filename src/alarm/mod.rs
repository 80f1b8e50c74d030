//! Alarms: what the changes between two states tell of an accident or an attack.
//!
//! [`Watch`] sees the changes go by, [`judge()`] says what they look like. File content is looked at only where many files
//! were replaced, and then of a few of them: `docs/decisions/0008-report-suspicious-changes.md` has the thresholds and their reasons.

mod baseline;
mod content;
mod file_heads;
mod file_types;
mod judge;
mod moved;
mod names;
mod sample;
mod watch;

use crate::fs::Dir;
use crate::object::{Commit, Mark};
use crate::path::RepoPathBuf;
use crate::store::Store;

use baseline::Habit;
use content::Fate;
use file_heads::Heads;
use judge::{extrapolate, is_large_share, is_many};
use watch::Replaced;

pub use watch::Watch;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A large share of the files is gone.
    Deleted,
    /// Many files have nothing in them any more.
    Truncated,
    /// Many files hold what cannot be compressed and is of no known type.
    Encrypted,
    /// The same under longer names that end alike.
    RenamedSuffix,
    /// Many files are no longer of the type that their names say.
    Type,
}

/// Something that looks like an accident or an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub kind: Kind,
    /// How many files; a good guess if not all of them were looked at.
    pub count: u64,
    /// How many there were before.
    pub of: u64,
    /// Not all of them were looked at.
    pub is_estimated: bool,
    /// What was added to their names.
    pub suffix: Vec<u8>,
    /// Some of them.
    pub paths: Vec<RepoPathBuf>,
}

/// Something that could look like an alarm, and is ordinary work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// So many pictures, sounds and films were written anew.
    Rewritten(u64),
    /// So many files were compressed.
    Compressed(u64),
}

/// What the changes look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Told as warnings.
    pub alarms: Vec<Alarm>,
    /// Told by the way.
    pub work: Vec<Work>,
}

/// Where to look for more than the changes tell.
pub struct Evidence<'a> {
    /// The state before.
    pub before: &'a Commit,
    /// Its content.
    pub store: &'a Store,
    /// The root of the directory, for content that the store does not hold yet.
    pub live: &'a Dir,
}

/// Paths that an alarm names.
const NAMED: usize = 3;

/// What the changes look like that were seen since the state before.
pub fn judge(mut watch: Watch, evidence: &Evidence<'_>) -> Findings {
    watch.finish();
    let judge = Judge {
        habit: Habit::new(evidence.store, evidence.before),
        heads: Heads::new(evidence.store, evidence.live),
        of: evidence.before.totals.files,
    };
    let mut findings = Findings::default();
    findings.alarms.extend(judge.lost(&watch));
    findings.alarms.extend(judge.emptied(&watch));
    judge.changed(&watch, &mut findings);
    judge.renamed(&watch, &mut findings);
    findings
}

struct Judge<'a> {
    habit: Habit<'a>,
    heads: Heads<'a>,
    /// Files that there were.
    of: u64,
}

impl Judge<'_> {
    fn lost(&self, watch: &Watch) -> Option<Alarm> {
        let count = watch.lost();
        let is_alarm = is_large_share(count, self.of) && !self.habit.has(Kind::Deleted, count);
        is_alarm.then(|| self.alarm(Kind::Deleted, count, watch.lost_paths()))
    }

    fn emptied(&self, watch: &Watch) -> Option<Alarm> {
        let count = watch.emptied();
        let is_alarm = is_many(count, self.of) && !self.habit.has(Kind::Truncated, count);
        is_alarm.then(|| self.alarm(Kind::Truncated, count, watch.emptied_paths()))
    }

    /// Files whose content was replaced in place.
    fn changed(&self, watch: &Watch, findings: &mut Findings) {
        let all = watch.changed.offered();
        if !is_many(all, self.of) {
            return;
        }
        let fate = |file: &Replaced| {
            let new = self.heads.now(&file.path, file.new)?;
            let fate = content::fate(&file.extension, || self.heads.before(file.old), &new)?;
            Some((file.path.clone(), fate))
        };
        let fates: Vec<(RepoPathBuf, Fate)> = watch.changed.kept().iter().filter_map(fate).collect();
        let like = |fate: Fate| {
            let like: Vec<RepoPathBuf> = fates.iter().filter(|it| it.1 == fate).map(|(path, _)| path.clone()).collect();
            (extrapolate(like.len(), fates.len(), all), like)
        };
        for (kind, fate) in [(Kind::Encrypted, Fate::Encrypted), (Kind::Type, Fate::Mistyped)] {
            let (count, paths) = like(fate);
            let is_estimated = (fates.len() as u64) < all;
            let alarm = |count| Alarm { is_estimated, ..self.alarm(kind, count, paths) };
            findings.alarms.extend(count.map(alarm));
        }
        findings.work.extend(like(Fate::Rewritten).0.map(Work::Rewritten));
    }

    /// Files that came back with another content under a longer name.
    fn renamed(&self, watch: &Watch, findings: &mut Findings) {
        let mut kinds: Vec<_> = watch.renamed.iter().filter(|(_, files)| is_many(files.offered(), self.of)).collect();
        kinds.sort_by_key(|(suffix, _)| *suffix);
        for (suffix, files) in kinds {
            let heads = files.kept().iter().filter_map(|file| Some((file, self.heads.now(&file.path, file.new)?)));
            let heads: Vec<_> = heads.collect();
            let scrambled = heads.iter().filter(|(_, head)| content::is_scrambled(head));
            let like: Vec<RepoPathBuf> = scrambled.map(|(file, _)| file.path.clone()).collect();
            match extrapolate(like.len(), heads.len(), files.offered()) {
                Some(count) => {
                    let is_estimated = (heads.len() as u64) < files.offered();
                    let alarm = self.alarm(Kind::RenamedSuffix, count, like);
                    findings.alarms.push(Alarm { is_estimated, suffix: suffix.clone(), ..alarm });
                }
                None if file_types::is_compressed(&suffix.get(1..).unwrap_or_default().to_ascii_lowercase()) => {
                    findings.work.push(Work::Compressed(files.offered()));
                }
                None => {}
            }
        }
    }

    fn alarm(&self, kind: Kind, count: u64, paths: Vec<RepoPathBuf>) -> Alarm {
        Alarm { kind, count, of: self.of, is_estimated: false, suffix: Vec::new(), paths: spread(paths) }
    }
}

/// The first, the last and one in the middle.
fn spread(paths: Vec<RepoPathBuf>) -> Vec<RepoPathBuf> {
    if paths.len() <= NAMED {
        return paths;
    }
    (0..NAMED).map(|n| paths[n * (paths.len() - 1) / (NAMED - 1)].clone()).collect()
}

impl Kind {
    /// The word in JSON and in commits.
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
    /// What a commit of this state remembers.
    pub fn marks(&self) -> Vec<Mark> {
        let mark = |alarm: &Alarm| Mark { kind: alarm.kind.word().to_owned(), count: alarm.count, of: alarm.of };
        self.alarms.iter().map(mark).collect()
    }
}
