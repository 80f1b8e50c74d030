//! Forgets commits, named or selected by a policy, and recalls them.

use std::collections::{BTreeMap, HashSet};

use crate::amount::Amount;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::candidates::{self, DescribedCandidate};
use crate::history::retention::{self, Candidate, Pins, Policy, Reason, Space, Verdict};
use crate::history::stored_size;
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::maintain::stats::DiskUsage;
use crate::number::plural;
use crate::object::Objects;
use crate::object::operation::{ForgottenCommit, HistoryEdit, Verb};
use crate::path::glob::{Glob, Slashes};
use crate::progress::{Progress, Unit};
use crate::quote::shell_word;
use crate::repo::config::Config;
use crate::repo::{NewOperation, Repository};
use crate::time::Timestamp;

use super::Workspace;

/// The commits to forget.
#[derive(Clone, Debug)]
pub enum ForgetSelection {
    /// These commits, or with the flag those of them that are automatic.
    Commits(Vec<CommitId>, bool),
    /// All commits that a policy does not keep.
    Policy(Policy),
}

/// A commit that was or would be kept or forgotten.
#[derive(Clone, Debug)]
pub struct JudgedCommit {
    /// Id of the commit.
    pub id: CommitId,
    /// Time of the commit.
    pub time: Timestamp,
    /// First line of the message.
    pub subject: String,
    /// Whether a command made the commit before it replaced unsaved content.
    pub is_automatic: bool,
    /// The reasons to keep the commit. Empty if it is forgotten.
    pub reasons: Vec<Reason>,
}

/// The judged commits, newest first.
#[derive(Clone, Debug)]
pub struct ForgetOutcome {
    /// Whether the rest is larger than the policy permits: what stays always needs more space.
    pub is_too_large: bool,
    /// All commits of the history if a policy judged them, else the named ones.
    pub commits: Vec<JudgedCommit>,
    edit: HistoryEdit,
}

/// A commit that was forgotten and can be recalled.
#[derive(Clone, Debug)]
pub struct ForgottenRecord {
    /// Id of the commit.
    pub id: CommitId,
    /// Time of the commit.
    pub time: Timestamp,
    /// First line of the message.
    pub subject: String,
    /// When it was forgotten.
    pub forgotten: Timestamp,
}

impl ForgetOutcome {
    /// Number of forgotten commits.
    pub fn forgotten(&self) -> u64 {
        self.edit.forgets.len() as u64
    }

    /// The forgotten commits.
    #[cfg(feature = "targets")]
    pub(super) fn forgotten_commits(&self) -> impl Iterator<Item = CommitId> {
        self.edit.forgets.iter().map(|commit| commit.id)
    }

    /// Number of commits that stay.
    pub fn kept(&self) -> u64 {
        self.commits.len() as u64 - self.forgotten()
    }
}

impl Workspace {
    /// The tags that match these patterns. [`ErrorKind::Usage`] if a pattern matches no tag: after a typing error, commits
    /// would be forgotten that were meant to stay.
    pub fn tags_matching(&self, patterns: &[String]) -> Result<Vec<String>> {
        let mut matching = Vec::new();
        for pattern in patterns {
            let glob = Glob::parse(pattern.as_bytes(), Slashes::Ordinary).map_err(|invalid| {
                let (pattern, reason) = (pattern.escape_debug(), invalid.describe());
                Error::new(ErrorKind::Usage, format!("`{pattern}` is not a valid pattern: {reason}"))
            })?;
            let before = matching.len();
            matching.extend(self.view().tags.keys().filter(|name| glob.matches(name.as_bytes())).cloned());
            if matching.len() == before {
                let message = format!("no tag matches `{}`", pattern.escape_debug());
                return Err(Error::new(ErrorKind::Usage, message).hint("to list tags: undo tag"));
            }
        }
        Ok(matching)
    }

    /// Judges commits without changing anything. Fails as [`Workspace::forget`] would.
    pub fn preview_forget(&self, selection: &ForgetSelection, progress: &dyn Progress) -> Result<ForgetOutcome> {
        judge(&self.repository, selection, progress)
    }

    /// Number of stored bytes that only the commits of a preview need: after the grace period, `gc` can free them. `None` if
    /// objects are damaged.
    pub fn freed_by(&self, outcome: &ForgetOutcome, progress: &dyn Progress) -> Result<Option<u64>> {
        let task = progress.start("measuring", Unit::Items, None);
        let going: HashSet<CommitId> = outcome.edit.forgets.iter().map(|commit| commit.id).collect();
        let all = candidates::candidates(&self.repository, WalkOptions::default())?;
        let kept = all.into_iter().map(|one| one.candidate.id).filter(|id| !going.contains(id));
        let forgotten = self.view().forgotten.iter().filter(|(_, forgotten)| forgotten.time.is_some());
        let kept = kept.chain(forgotten.map(|(id, _)| *id));
        match stored_size::own_bytes(&self.repository, kept, going.iter().copied(), &*task) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            bytes => bytes.map(Some),
        }
    }

    /// Removes commits from the history. They can be recalled until a sweep removes what only they need.
    ///
    /// [`ErrorKind::Refused`] for a named commit that a branch, a tag or an unfinished checkout needs, or that is the last one
    /// before an alarm; and for a policy that keeps nothing but the current commit.
    pub fn forget(&mut self, selection: &ForgetSelection, progress: &dyn Progress) -> Result<ForgetOutcome> {
        let mut transaction = self.repository.begin()?;
        let outcome = judge(transaction.repository(), selection, progress)?;
        if outcome.forgotten() > 0 {
            let history = outcome.edit.clone();
            let description = description(&history.forgets);
            transaction.record(NewOperation { verb: Verb::Forget, description, history, ..Default::default() })?;
        }
        Ok(outcome)
    }

    /// Forgets the oldest commits, automatic ones first, until the repository keeps to the settings `history.max_size` and
    /// `history.min_free`. `None` without these settings.
    pub fn forget_for_space(&mut self, progress: &dyn Progress) -> Result<Option<ForgetOutcome>> {
        let Config { max_size, min_free, .. } = self.repository.config;
        let policy = Policy { space: Space { max_size, min_free }, ..Policy::default() };
        match policy.space.is_limited() {
            true => self.forget(&ForgetSelection::Policy(policy), progress).map(Some),
            false => Ok(None),
        }
    }

    /// Adds forgotten commits to the history again, and returns those that were forgotten. [`ErrorKind::NotFound`] for a
    /// commit whose content is gone.
    pub fn recall(&mut self, commits: &[CommitId]) -> Result<Vec<CommitId>> {
        let mut transaction = self.repository.begin()?;
        let view = transaction.repository().view();
        let mut recalls: Vec<ForgottenCommit> = Vec::new();
        for &id in commits {
            if let Some(forgotten) = view.forgotten.get(&id).filter(|_| recalls.iter().all(|commit| commit.id != id)) {
                recalls.push(ForgottenCommit { id, parents: forgotten.parents.clone() });
            }
        }
        let ids: Vec<CommitId> = recalls.iter().map(|commit| commit.id).collect();
        if !recalls.is_empty() {
            let description = description(&recalls);
            let history = HistoryEdit { recalls, ..HistoryEdit::default() };
            transaction.record(NewOperation { verb: Verb::Recall, description, history, ..Default::default() })?;
        }
        Ok(ids)
    }

    /// The forgotten commits that can be recalled, newest first.
    pub fn forgotten(&self) -> Vec<ForgottenRecord> {
        let store = self.repository.store();
        let record = |(id, time): (CommitId, Timestamp)| {
            let DescribedCandidate { candidate, subject, .. } =
                candidates::describe(id, store.commit(id).ok()?, Vec::new());
            Some(ForgottenRecord { id, time: candidate.time, subject, forgotten: time })
        };
        let forgotten = self.view().forgotten.iter().filter_map(|(id, forgotten)| Some((*id, forgotten.time?)));
        let mut records: Vec<ForgottenRecord> = forgotten.filter_map(record).collect();
        records.sort_by_key(|record| std::cmp::Reverse((record.time, record.id)));
        records
    }
}

/// The operation's description: the id of a single commit, or the number of commits.
fn description(commits: &[ForgottenCommit]) -> String {
    match commits {
        [commit] => commit.id.short(),
        several => plural(several.len() as u64, "commit"),
    }
}

fn judge(repository: &Repository, selection: &ForgetSelection, progress: &dyn Progress) -> Result<ForgetOutcome> {
    let zone = repository.environment.time_zone();
    let now = repository.environment.now();
    let mut pins = Pins::of(repository.view(), repository.state().intent.as_ref());
    pins.add_running(repository.commits_before_runs()?);
    match selection {
        ForgetSelection::Policy(policy) => {
            let candidates = candidates::candidates(repository, WalkOptions::default())?;
            let bare: Vec<Candidate> = candidates.iter().map(|one| one.candidate.clone()).collect();
            pins.add_alarms(&bare, now, zone);
            // A commit in the future, made with a wrong clock, must not age all others.
            let clock = repository.environment.now();
            let newest =
                bare.iter().map(|candidate| candidate.time).filter(|time| *time <= clock).max().unwrap_or(clock);
            let mut verdicts = retention::judge(&bare, policy, &pins, newest, zone);
            let mut is_too_large = false;
            if policy.space.is_limited() {
                is_too_large = remove_for_space(repository, policy.space, (&bare, &pins), &mut verdicts, progress)?;
            }
            retention::check(&verdicts, policy, repository.view().at())?;
            Ok(ForgetOutcome { is_too_large, ..outcome(candidates, verdicts) })
        }
        ForgetSelection::Commits(commits, only_automatic) => {
            let since = Some(retention::ALARM.before(now, zone));
            let recent = candidates::candidates(repository, WalkOptions { since, ..WalkOptions::default() })?;
            pins.add_alarms(&recent.into_iter().map(|one| one.candidate).collect::<Vec<_>>(), now, zone);
            let mut named = Vec::new();
            for &id in commits.iter().filter(|id| !repository.view().forgotten.contains_key(id)) {
                let commit = match repository.store().commit(id) {
                    Err(error) if error.kind() == ErrorKind::Damaged => {
                        if !only_automatic {
                            named.push(candidates::describe_lost(repository, id)?);
                        }
                        continue;
                    }
                    commit => commit?,
                };
                let parents = repository.parents(&commit);
                if commit.automatic || !only_automatic {
                    named.push(candidates::describe(id, commit, parents));
                }
            }
            let verdict = |id: CommitId| Verdict { id, reasons: pins.reasons(id).to_vec() };
            let verdicts: Vec<Verdict> = named.iter().map(|one| verdict(one.candidate.id)).collect();
            match verdicts.iter().find(|verdict| !verdict.reasons.is_empty()) {
                Some(pinned) => Err(refusal(pinned)),
                None => Ok(outcome(named, verdicts)),
            }
        }
    }
}

/// Removes reasons until the rest fits. Returns whether it still does not fit.
fn remove_for_space(
    repository: &Repository,
    space: Space,
    (candidates, pins): (&[Candidate], &Pins),
    verdicts: &mut [Verdict],
    progress: &dyn Progress,
) -> Result<bool> {
    let order = retention::removal_order(candidates, verdicts, pins);
    let may_go: HashSet<CommitId> = order.iter().copied().collect();
    let stays = verdicts.iter().filter(|verdict| !verdict.reasons.is_empty()).map(|verdict| verdict.id);
    let stays: Vec<CommitId> = stays.filter(|id| !may_go.contains(id)).collect();
    let (limit, task) = (bytes_for_packs(repository, space)?, progress.start("measuring", Unit::Items, None));
    let count = stored_size::excess(repository, stays.into_iter(), &order, limit, &*task)?;
    let going: HashSet<CommitId> = order[..count].iter().copied().collect();
    verdicts.iter_mut().filter(|verdict| going.contains(&verdict.id)).for_each(|verdict| verdict.reasons.clear());
    Ok(count == order.len() && count > 0)
}

/// The bytes that packs may have so that the repository keeps to its limits.
fn bytes_for_packs(repository: &Repository, space: Space) -> Result<u64> {
    let usage = DiskUsage::measure(repository)?;
    let packs = usage.packs.allocated + usage.unneeded.allocated;
    let others = usage.total.allocated - packs;
    let directory = fs::Dir::open(&repository.layout.repository)?;
    let (total, free) = directory.disk_space()?;
    let for_size = space.max_size.map(|size| size.bytes(total).saturating_sub(others));
    let missing = |size: Amount| size.bytes(total).saturating_sub(free);
    let for_free = space.min_free.map(|size| packs.saturating_sub(missing(size)));
    Ok(for_size.into_iter().chain(for_free).min().unwrap_or(u64::MAX))
}

fn outcome(candidates: Vec<DescribedCandidate>, verdicts: Vec<Verdict>) -> ForgetOutcome {
    let mut described: BTreeMap<CommitId, DescribedCandidate> =
        candidates.into_iter().map(|one| (one.candidate.id, one)).collect();
    let mut edit = HistoryEdit::default();
    let mut commits = Vec::new();
    for Verdict { id, reasons } in verdicts {
        let Some(DescribedCandidate { candidate, subject, named_parents }) = described.remove(&id) else { continue };
        if reasons.is_empty() {
            edit.forgets.push(ForgottenCommit { id, parents: named_parents });
        }
        commits.push(JudgedCommit { id, time: candidate.time, subject, is_automatic: candidate.is_automatic, reasons });
    }
    ForgetOutcome { commits, edit, is_too_large: false }
}

/// The error for a commit that must stay.
fn refusal(Verdict { id, reasons }: &Verdict) -> Error {
    let words: Vec<String> = reasons.iter().map(Reason::to_string).collect();
    let message = format!("{} cannot be forgotten: {}", id.short(), words.join(", "));
    let error = Error::new(ErrorKind::Refused, message);
    match reasons.as_slice() {
        [Reason::Tag(name)] => error.hint(format!("to delete the tag: undo tag -d {}", shell_word(name.as_bytes()))),
        [Reason::Branch(_), ..] => error.hint("the commit of a branch stays, and so does the current commit"),
        [Reason::UnfinishedCheckout, ..] => error.hint("to finish the checkout: undo checkout --continue"),
        [Reason::RunningCommand, ..] => error.hint("wait until the command of `undo run` has ended"),
        _ => error.hint("see the alarm: undo log"),
    }
}
