//! What changed after each event of an agent.

use std::collections::HashMap;

use crate::error::Result;
use crate::id::CommitId;
use crate::object::commit::Counts;
use crate::object::{Mark, ObjectKind};
use crate::progress::Progress;

use super::agent_log::{AgentStep, State};
use super::{DiffOptions, Workspace};

/// What changed after an event.
#[derive(Clone, Debug, Default)]
pub struct StepChanges {
    /// Changes until the next recorded state; of a prompt, until the agent stopped or the session had its next prompt. `None` if a
    /// state no longer exists.
    pub counts: Option<Counts>,
    /// Whether the state before the event no longer exists.
    pub is_forgotten: bool,
    /// Alarms about the changes until the next recorded state.
    pub alarms: Vec<Mark>,
}

/// Compares states, each pair once: the newest prompt and the newest step have the same end, and often the same beginning.
pub struct StepComparison<'w> {
    workspace: &'w Workspace,
    progress: &'w dyn Progress,
    known: HashMap<(CommitId, State), StepChanges>,
}

impl Workspace {
    /// Compares the states before and after events.
    pub fn compare_steps<'w>(&'w self, progress: &'w dyn Progress) -> StepComparison<'w> {
        StepComparison { workspace: self, progress, known: HashMap::new() }
    }
}

impl StepComparison<'_> {
    /// What changed after an event. Reads the directory if no newer state is recorded.
    pub fn changes(&mut self, step: &AgentStep) -> Result<StepChanges> {
        let changes = self.compare(step.event.commit, step.end)?;
        let alarms = if step.next == step.end { changes.alarms.clone() } else { self.recorded_alarms(step)? };
        Ok(StepChanges { alarms, ..changes })
    }

    fn compare(&mut self, old: CommitId, end: State) -> Result<StepChanges> {
        if let Some(known) = self.known.get(&(old, end)) {
            return Ok(known.clone());
        }
        let options = DiffOptions { renames: None, ..DiffOptions::default() };
        let changes = match end {
            Some(new) if new == old => StepChanges { counts: Some(Counts::default()), ..StepChanges::default() },
            _ if !self.exists(old) => StepChanges { is_forgotten: true, ..StepChanges::default() },
            Some(new) if !self.exists(new) => StepChanges::default(),
            Some(new) => {
                let counts = self.workspace.diff_commits(Some(old), Some(new), options)?.count()?;
                StepChanges {
                    counts: Some(counts.recorded()),
                    alarms: self.marks_of(old, new)?,
                    ..StepChanges::default()
                }
            }
            None => {
                let differences = self.workspace.diff_worktree(Some(old), options, self.progress)?;
                let (counts, findings) = differences.for_each_watched(&mut |_| Ok(()))?;
                StepChanges { counts: Some(counts.recorded()), alarms: findings.marks(), ..StepChanges::default() }
            }
        };
        self.known.insert((old, end), changes.clone());
        Ok(changes)
    }

    /// The alarms about the changes of a prompt before its first step: those after it belong to the steps.
    fn recorded_alarms(&self, step: &AgentStep) -> Result<Vec<Mark>> {
        match step.next {
            Some(next) if self.exists(next) => self.marks_of(step.event.commit, next),
            _ => Ok(Vec::new()),
        }
    }

    /// The alarms of a commit, if it follows another one directly: otherwise they are not about these changes.
    fn marks_of(&self, old: CommitId, new: CommitId) -> Result<Vec<Mark>> {
        let commit = self.workspace.read_commit(new)?;
        Ok(if commit.parents.first() == Some(&old) { commit.marks() } else { Vec::new() })
    }

    fn exists(&self, id: CommitId) -> bool {
        self.workspace.repository.store().contains(ObjectKind::Commit, id.object_id())
    }
}
