//! Decides which commits a retention policy keeps, and names the reasons. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::tz::TimeZone;

use crate::amount::Amount;
use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::keep_rule::{KeepRule, Limit};
use crate::object::operation::{Intent, Refs};
use crate::time::Timestamp;
use crate::time::age::Age;

/// How long an alarm keeps its commit and the commit before it.
pub const ALARM: Age = Age::days(90);

/// A commit that a policy judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Id of the commit.
    pub id: CommitId,
    /// Its nearest parents that are not forgotten.
    pub parents: Vec<CommitId>,
    /// Time of the commit.
    pub time: Timestamp,
    /// Whether a command made the commit before it replaced unsaved content.
    pub is_automatic: bool,
    /// Whether the commit raised an alarm.
    pub is_suspicious: bool,
}

/// Rules for commits. A commit stays if one of the rules keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Rules for periods.
    pub rules: Vec<KeepRule>,
    /// Tags whose commits stay.
    pub tags: Vec<String>,
    /// Judge automatic commits alone; all others stay.
    pub only_automatic: bool,
    /// Space that the repository and its file system should have after `gc`. The oldest commits go until it fits, automatic
    /// ones first, even if a rule keeps them.
    pub space: Space,
}

/// Limits of disk space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// Maximum size of the repository.
    pub max_size: Option<Amount>,
    /// Minimum free space of the file system.
    pub min_free: Option<Amount>,
}

impl Space {
    /// Whether there is a limit.
    pub fn is_limited(&self) -> bool {
        self.max_size.is_some() || self.min_free.is_some()
    }
}

/// A reason to keep a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A branch is at the commit.
    Branch(String),
    /// A tag names the commit.
    Tag(String),
    /// An unfinished checkout needs the commit.
    UnfinishedCheckout,
    /// Undoing the changes of a running command needs the commit.
    RunningCommand,
    /// The commit raised an alarm not long ago.
    Alarm,
    /// The commit is the last one before an alarm.
    BeforeAlarm,
    /// The policy judges automatic commits alone.
    NotAutomatic,
    /// The policy has no rule, only a size, and the commit fits.
    Fits,
    /// A rule of the policy keeps the commit.
    Rule(KeepRule),
}

/// A commit and the reasons to keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Id of the commit.
    pub id: CommitId,
    /// The reasons. Empty if the commit goes.
    pub reasons: Vec<Reason>,
}

/// Commits that no policy may forget, with the reasons.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    reasons: BTreeMap<CommitId, Vec<Reason>>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Branch(name) => write!(f, "branch {name}"),
            Reason::Tag(name) => write!(f, "tag {name}"),
            Reason::UnfinishedCheckout => f.write_str("unfinished checkout"),
            Reason::RunningCommand => f.write_str("before a running command"),
            Reason::Alarm => f.write_str("alarm"),
            Reason::BeforeAlarm => f.write_str("before an alarm"),
            Reason::NotAutomatic => f.write_str("not automatic"),
            Reason::Fits => f.write_str("fits"),
            Reason::Rule(rule) => rule.fmt(f),
        }
    }
}

impl Pins {
    /// The commits that refs and an unfinished checkout name.
    pub fn of(refs: &Refs, intent: Option<&Intent>) -> Pins {
        let mut pins = Pins::default();
        for (name, id) in &refs.branches {
            pins.add(*id, Reason::Branch(name.clone()));
        }
        for (name, id) in &refs.tags {
            pins.add(*id, Reason::Tag(name.clone()));
        }
        if let Some(intent) = intent {
            for id in intent.from.into_iter().chain([intent.to]).chain(intent.edits.iter().filter_map(|edit| edit.new))
            {
                pins.add(id, Reason::UnfinishedCheckout);
            }
        }
        pins
    }

    /// Adds the commits that raised an alarm within [`ALARM`] before `now`, and their parents.
    pub fn add_alarms(&mut self, candidates: &[Candidate], now: Timestamp, zone: &TimeZone) {
        let since = ALARM.before(now, zone);
        for candidate in candidates.iter().filter(|candidate| candidate.is_suspicious && candidate.time > since) {
            self.add(candidate.id, Reason::Alarm);
            for parent in &candidate.parents {
                self.add(*parent, Reason::BeforeAlarm);
            }
        }
    }

    /// Adds commits that undoing the changes of running commands needs.
    pub fn add_running(&mut self, commits: impl IntoIterator<Item = CommitId>) {
        commits.into_iter().for_each(|id| self.add(id, Reason::RunningCommand));
    }

    /// The reasons to keep a commit.
    pub fn reasons(&self, id: CommitId) -> &[Reason] {
        self.reasons.get(&id).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, id: CommitId, reason: Reason) {
        let reasons = self.reasons.entry(id).or_default();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
}

/// Judges commits, newest first. Ages count back from `now`. As in restic, periods without commits do not count.
pub fn judge(candidates: &[Candidate], policy: &Policy, pins: &Pins, now: Timestamp, zone: &TimeZone) -> Vec<Verdict> {
    let fits = policy.rules.is_empty() && policy.tags.is_empty() && policy.space.is_limited();
    let mut keepers: Vec<Keeper> = policy.rules.iter().map(|rule| Keeper::new(*rule, now, zone)).collect();
    let mut sorted: Vec<&Candidate> = candidates.iter().collect();
    // Stable: of the same time, the commit given first is the newest one.
    sorted.sort_by_key(|candidate| std::cmp::Reverse(candidate.time));
    let verdict = |candidate: &Candidate| {
        let mut reasons = pins.reasons(candidate.id).to_vec();
        if policy.only_automatic && !candidate.is_automatic {
            reasons.push(Reason::NotAutomatic);
        } else {
            reasons.extend(fits.then_some(Reason::Fits));
            let keeping = keepers.iter_mut().filter_map(|keeper| keeper.keeps(candidate.time, zone));
            reasons.extend(keeping.map(Reason::Rule));
        }
        Verdict { id: candidate.id, reasons }
    };
    sorted.into_iter().map(verdict).collect()
}

/// [`ErrorKind::Refused`] if a policy keeps nothing but the current commit, which is never forgotten.
pub fn check(verdicts: &[Verdict], policy: &Policy, current: Option<CommitId>) -> Result<()> {
    let is_by_rule = |reason: &Reason| match reason {
        Reason::Rule(_) | Reason::NotAutomatic | Reason::Fits => true,
        Reason::Tag(name) => policy.tags.contains(name),
        _ => false,
    };
    let kept = || verdicts.iter().filter(|verdict| !verdict.reasons.is_empty());
    let keeps_nothing = !verdicts.iter().any(|verdict| verdict.reasons.iter().any(is_by_rule));
    let keeps_current_alone = kept().all(|verdict| Some(verdict.id) == current);
    let is_forgetting = verdicts.iter().any(|verdict| verdict.reasons.is_empty());
    if is_forgetting && (keeps_nothing || keeps_current_alone) {
        let message = "this policy would forget every commit but the current one";
        let message = if keeps_current_alone { message } else { "no rule of this policy keeps a commit" };
        let hint = match policy.space.is_limited() {
            true => "leave more space to the history, for example: undo forget --max-size 10G -n",
            false => "keep more, for example: undo forget --keep-daily 7 --keep-monthly 12 -n",
        };
        return Err(Error::new(ErrorKind::Refused, message).hint(hint));
    }
    Ok(())
}

/// The commits that may go for lack of space, in the order in which they go: automatic ones first, of each kind the oldest
/// first.
pub fn removal_order(candidates: &[Candidate], verdicts: &[Verdict], pins: &Pins) -> Vec<CommitId> {
    let may_go: BTreeSet<CommitId> = verdicts
        .iter()
        .filter(|verdict| !verdict.reasons.is_empty() && !verdict.reasons.contains(&Reason::NotAutomatic))
        .map(|verdict| verdict.id)
        .filter(|id| pins.reasons(*id).is_empty())
        .collect();
    let mut going: Vec<&Candidate> =
        candidates.iter().rev().filter(|candidate| may_go.contains(&candidate.id)).collect();
    going.sort_by_key(|candidate| (!candidate.is_automatic, candidate.time));
    going.into_iter().map(|candidate| candidate.id).collect()
}

/// The state of a rule while commits are judged.
struct Keeper {
    rule: KeepRule,
    /// Number of periods that the rule may still keep.
    left: u64,
    /// Commits must be newer than this.
    after: Option<Timestamp>,
    /// The last period that was counted.
    last: Option<i64>,
}

impl Keeper {
    fn new(rule: KeepRule, now: Timestamp, zone: &TimeZone) -> Keeper {
        let (left, after) = match rule.limit {
            Limit::Count(count) => (count, None),
            Limit::Within(age) => (u64::MAX, Some(age.before(now, zone))),
            Limit::Forever => (u64::MAX, None),
        };
        Keeper { rule, left, after, last: None }
    }

    /// The rule, if it keeps the commit of this time. Expects the commits newest first.
    fn keeps(&mut self, time: Timestamp, zone: &TimeZone) -> Option<KeepRule> {
        if self.left == 0 || self.after.is_some_and(|after| time <= after) {
            return None;
        }
        let period = self.rule.period.number(time, zone);
        if period.is_some() && period == self.last {
            return None;
        }
        self.last = period;
        self.left -= 1;
        Some(self.rule)
    }
}

#[cfg(test)]
mod tests;
