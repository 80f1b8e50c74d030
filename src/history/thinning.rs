//! Selects the automatic commits that the setting `history.keep` no longer keeps.

use std::collections::HashSet;

use crate::error::Result;
use crate::history::candidates::{self, DescribedCandidate};
use crate::history::retention::{self, Candidate, Pins, Policy};
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::keep_rule::{KeepRule, Limit};
use crate::object::operation::ForgottenCommit;
use crate::repo::Repository;
use crate::time::Timestamp;
use crate::time::age::Age;

/// Seconds between two thinnings, and that the clock may differ from the newest record.
const DAY: i64 = 24 * 3600;

/// The commits to forget now. `None` if the last thinning was less than a day ago, if all commits stay, or if clock and newest
/// record are more than a day apart, since one of them may be wrong. `named` are commits that the next operation needs.
///
/// A commit goes when it reaches the age of a rule and no other rule keeps it. A commit that reached that age before the last
/// thinning stays: it was kept then, or recalled since. So only history that is younger than the highest age is read.
pub fn due(repository: &Repository, named: &[CommitId]) -> Result<Option<Vec<ForgottenCommit>>> {
    let (rules, state) = (&repository.config.keep, repository.state());
    let (clock, zone) = (repository.environment.now(), repository.environment.time_zone());
    let now = clock.max(state.time);
    let is_recent = state.thinned.is_some_and(|thinned| now.seconds < thinned.seconds + DAY);
    let is_wrong = state.operation.is_some() && (clock.seconds - state.time.seconds).abs() > DAY;
    if rules.is_empty() || is_recent || is_wrong {
        return Ok(None);
    }
    let ages: Vec<Age> = rules.iter().filter_map(age).collect();
    let boundaries = |time: Timestamp| ages.iter().map(|age| age.before(time, zone)).collect::<Vec<_>>();
    let (after, until) = (state.thinned.map(boundaries), boundaries(now));
    let since = after.as_ref().and_then(|after| after.iter().min().copied());
    if after.is_some() && since.is_none() {
        // Without an age, no commit reaches one.
        return Ok(Some(Vec::new()));
    }
    let described = candidates::candidates(repository, WalkOptions { since, ..WalkOptions::default() })?;
    let candidates: Vec<Candidate> = described.iter().map(|one| one.candidate.clone()).collect();
    let mut pins = Pins::of(repository.view(), state.intent.as_ref());
    pins.add_running(repository.commits_before_runs()?);
    pins.add_alarms(&candidates, now, zone);
    let policy = Policy { rules: rules.clone(), only_automatic: true, ..Policy::default() };
    let verdicts = retention::judge(&candidates, &policy, &pins, now, zone);
    let has_aged = |time: Timestamp| match &after {
        Some(after) => after.iter().zip(&until).any(|(after, until)| time > *after && time <= *until),
        None => true,
    };
    let kept = verdicts.into_iter().filter(|verdict| !verdict.reasons.is_empty()).map(|verdict| verdict.id);
    let kept: HashSet<CommitId> = kept.chain(named.iter().copied()).collect();
    let goes = |one: &DescribedCandidate| !kept.contains(&one.candidate.id) && has_aged(one.candidate.time);
    let going = described.into_iter().filter(goes);
    Ok(Some(going.map(|one| ForgottenCommit { id: one.candidate.id, parents: one.named_parents }).collect()))
}

fn age(rule: &KeepRule) -> Option<Age> {
    match rule.limit {
        Limit::Within(age) => Some(age),
        Limit::Count(_) | Limit::Forever => None,
    }
}
