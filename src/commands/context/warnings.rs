//! Reports warnings, alarms and notices of all commands.

use std::path::Path;

use crate::alarm::Findings;
use crate::checkout::HALF_DONE;
use crate::commands::Context;
use crate::commands::context::arguments::go_to;
use crate::error::{Error, Exit, Result};
use crate::number::{plural, pluralize};
use crate::object::commit::{Reason, Uncovered};
use crate::path::RepoPathBuf;
use crate::quote::shell_path;
use crate::report::alarms::{AlarmRecord, NoteRecord};
use crate::report::messages::WarningPath;
use crate::terminal::Stream;
use crate::terminal::human::Size;
use crate::time::Timestamp;
use crate::workspace::{Differences, Notice, Workspace, selection};
use crate::worktree::ignore::IgnoreWarning;
use crate::worktree::{Scan, Worktree, database};

/// Commands that respond to an alarm.
pub struct Remedies {
    /// Shows the changes.
    pub show: &'static str,
    /// Undoes the changes, if the user has asked for a change.
    pub back: Option<&'static str>,
}

impl Remedies {
    /// Commands for unrecorded changes.
    pub const OF_CHANGES: Remedies = Remedies { show: "undo diff --stat", back: None };
}

impl Context<'_> {
    /// Reports the notices of an operation.
    pub fn report_notices(&self, notices: &[Notice]) {
        for notice in notices {
            match notice {
                Notice::DamagedParent(damage) => {
                    self.ui.warning(format_args!("{damage}; the whole directory was recorded again"));
                }
                Notice::DamagedFile(error) | Notice::InvalidSetting(error) => self.ui.warning(error),
                Notice::RepositoryInside { repository, remedy } => {
                    self.ui.warning(format_args!(
                        "the repository `{}` is inside the directory it records: it is never recorded or restored, and \
                         deleting it deletes the history",
                        repository.display()
                    ));
                    self.ui.hint(remedy);
                }
                Notice::UnknownDirectory { state, remedy } => {
                    self.ui.warning(format_args!("{state}; nothing is recorded until this is resolved"));
                    self.ui.hint(remedy);
                }
                Notice::RunningCheckout { checkout, process } => {
                    self.ui.warning(format_args!("a {checkout} is in progress (process {process})"));
                }
                Notice::UnfinishedCheckout { checkout, is_here, finish, undo } => {
                    let ways = format!("finish it with `{finish}`, or undo it with `{undo}`");
                    self.ui.warning(match is_here {
                        true => format!("an unfinished {checkout} {HALF_DONE}; {ways}"),
                        false => format!("the {checkout} is unfinished; {ways}"),
                    });
                }
                Notice::OtherFileSystem { store, copy } => {
                    let free = copy.free.map(|free| format!("; {} are free there", Size(free))).unwrap_or_default();
                    self.ui.warning(format_args!(
                        "`{}` is on another file system than the directory, so files cannot share their blocks: the first commit \
                         copies up to {} ({}){free}",
                        store.display(),
                        Size(copy.bytes),
                        plural(copy.files, "file"),
                    ));
                }
                Notice::FormerHistory { directory, store } => {
                    let (directory, store) = (shell_path(directory), shell_path(store));
                    self.ui.warning(format_args!("{store} contains the history of an earlier directory at this path"));
                    self.ui.hint(format_args!("to continue that one instead: rm {directory}/.undo && undo stores adopt {directory} --from {store}"));
                }
                Notice::NewerHistory { continued, store, directory } => {
                    self.ui.warning(format_args!(
                        "this history was last recorded {}; `{}` has a newer one of a directory that was at this path, and is now `{}`",
                        continued.to_local(self.environment.time_zone()),
                        store.display(),
                        directory.display()
                    ));
                }
                Notice::DeletedMarker { marker, failure } => {
                    let outcome = failure.as_ref().map_or_else(
                        || "it was written again".to_owned(),
                        |error| format!("it could not be written again: {error}"),
                    );
                    self.ui.warning(format_args!(
                        "the command deleted `{}`, which names the store of this directory; {outcome}",
                        marker.display()
                    ));
                }
                Notice::IgnoreRules(warnings) => self.warn_about_rules(warnings),
                Notice::IndexFailure(error) => self.warn_about_index(error),
                Notice::LeftStaged(paths) => {
                    self.report_paths("left by the unfinished checkout and not saved", paths);
                }
                Notice::SavedAgain(paths) => {
                    let one = "the saved copy is damaged, so this file is saved again";
                    let several = "the saved copies are damaged, so these files are saved again";
                    self.report_paths(pluralize(paths.len(), one, several), paths);
                }
                Notice::SideCommitFailed(error) => {
                    self.ui.warning(format_args!("changes made during the checkout are not recorded: {error}"));
                }
            }
        }
    }

    fn warn_about_index(&self, error: &Error) {
        self.ui.warning(format_args!("the index cannot be used, so all files were read: {error}"));
    }

    /// Warns that the current directory of the shell was removed, and names an existing one.
    pub fn warn_directory_removed(&self, worktree: &Path) {
        self.ui.warning("the current directory of this shell was removed");
        self.ui.hint(go_to(worktree));
    }

    /// Lists paths that could not be read, not read consistently, or not read with attributes. Returns whether that
    /// makes the answer incomplete.
    pub fn warn_incomplete(
        &self,
        uncovered: &[Uncovered],
        torn: &[RepoPathBuf],
        without_attributes: &[RepoPathBuf],
    ) -> Exit {
        let failed = reasons(uncovered, Reason::is_failure);
        let they = pluralize(failed.len(), "it", "they");
        self.warn_about(&format!("not covered because {they} cannot be read"), &failed);
        let mixed = "read while it was changing: it may be a mix of two states";
        let several = "read while they were changing: they may be a mix of two states";
        self.report_paths(pluralize(torn.len(), mixed, several), torn);
        self.report_paths("recorded without extended attributes, which cannot be read", without_attributes);
        match failed.is_empty() && torn.is_empty() && without_attributes.is_empty() {
            true => Exit::SUCCESS,
            false => Exit::INCOMPLETE,
        }
    }

    /// Lists recorded paths over which something is mounted. Returns whether that makes the answer incomplete.
    pub fn warn_about_mounts(&self, mounted_over: &[RepoPathBuf]) -> Exit {
        let they = pluralize(mounted_over.len(), "it", "them");
        self.report_paths(&format!("not covered because something is mounted over {they}"), mounted_over);
        if mounted_over.is_empty() { Exit::SUCCESS } else { Exit::INCOMPLETE }
    }

    /// Lists the restored files that changed while the commit recorded them. Returns whether that makes the answer
    /// incomplete.
    pub fn warn_unstable(&self, torn: &[RepoPathBuf]) -> Exit {
        let one = "changed while it was recorded: it may be a mix of two states";
        let several = "changed while they were recorded: they may be a mix of two states";
        self.report_paths(pluralize(torn.len(), one, several), torn);
        if torn.is_empty() { Exit::SUCCESS } else { Exit::INCOMPLETE }
    }

    /// Shows how to get a consistent copy of the databases whose files changed while they were read.
    pub fn hint_consistent_copies(&self, worktree: &Worktree, torn: &[RepoPathBuf]) {
        let mut shown = Vec::new();
        for hint in torn.iter().filter_map(|path| database::consistent_copy(&worktree.root, path)) {
            if !shown.contains(&hint) {
                self.ui.warning(&hint);
                shown.push(hint);
            }
        }
    }

    /// Warns about ignore rules without effect, and about an index that could not be read.
    pub fn warn_about_scan(&self, scan: &Scan) {
        self.warn_about_rules(&scan.ignore_warnings);
        scan.index_failure.iter().for_each(|error| self.warn_about_index(error));
    }

    /// Warns about paths that cannot be compared.
    pub fn warn_about_differences(&self, differences: &Differences<'_>) -> Result<Exit> {
        let missing = differences.missing_paths()?;
        self.report_reasons("nothing to compare", &missing);
        for pattern in differences.unmatched_patterns()? {
            self.ui.warning(&selection::no_match(pattern));
        }
        let Some(scan) = differences.scan() else { return Ok(Exit::SUCCESS) };
        self.warn_about_scan(scan);
        self.report_purged(&scan.uncovered);
        let exit = self.warn_incomplete(&scan.uncovered, &scan.torn, &scan.without_attributes);
        Ok(exit.or(self.warn_about_mounts(&differences.mounted_over()?)))
    }

    /// Warns about ignore rules without effect: unusable files and invalid lines.
    pub fn warn_about_rules(&self, warnings: &[IgnoreWarning]) {
        let (files, lines): (Vec<_>, Vec<_>) = warnings.iter().partition(|warning| warning.line == 0);
        let reasons = |warnings: &[&IgnoreWarning]| -> Vec<_> {
            warnings.iter().map(|warning| (warning.file.clone(), warning.reason.clone())).collect()
        };
        let one = "the ignore rules of this file are not applied";
        let several = "the ignore rules of these files are not applied";
        self.report_reasons(pluralize(files.len(), one, several), &reasons(&files));
        let one = "this line is not a valid pattern and is ignored";
        let several = "these lines are not valid patterns and are ignored";
        self.report_reasons(pluralize(lines.len(), one, several), &reasons(&lines));
    }

    /// Shows a result, and what the changes look like: after it, but with `--json` before it, since a result ends the output.
    pub fn report_alongside<T>(
        &self,
        findings: &Findings,
        Remedies { show, back }: &Remedies,
        result: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        if self.ui.options().json {
            self.report_findings(findings, Stream::Out)?;
            return result();
        }
        let shown = result()?;
        self.report_findings(findings, Stream::Out)?;
        if !findings.alarms.is_empty() {
            let undo = back.map_or_else(String::new, |back| format!(", undo them with `{back}`"));
            self.ui.hint(format_args!("if this was not intended: see the changes with `{show}`{undo}"));
        }
        Ok(shown)
    }

    /// Reports alarms and notes.
    pub fn report_findings(&self, findings: &Findings, stream: Stream) -> Result<()> {
        findings.alarms.iter().try_for_each(|alarm| self.ui.alarm(&AlarmRecord::from(alarm), stream))?;
        findings.work.iter().try_for_each(|work| self.ui.note(&NoteRecord::from(*work), stream))?;
        Ok(())
    }

    /// Warns that a clock is or was wrong. History stays in order nevertheless.
    pub fn warn_about_clock(&self, future_parent: Option<Timestamp>) {
        if let Some(time) = future_parent {
            let message =
                format!("the previous commit is dated {}, in the future", time.to_local(self.environment.time_zone()));
            self.ui.warning(format_args!("{message}: a clock is or was wrong; this commit has the current clock time"));
        }
    }

    /// Lists what a commit leaves out on purpose.
    pub fn report_left_out(&self, uncovered: &[Uncovered]) {
        self.warn_about("not recorded", &reasons(uncovered, |reason| !reason.is_failure()));
    }

    /// Lists files with purged content, which no commit records.
    pub fn report_purged(&self, uncovered: &[Uncovered]) {
        self.warn_about("not recorded", &reasons(uncovered, |reason| reason == Reason::Purged));
    }

    /// Warns that automatic commits wait for a decision of the user, if they do.
    pub fn warn_if_automatic_waits(&self, workspace: &Workspace) -> Result<()> {
        if let Some(waiting) = workspace.automatic_waits()? {
            self.ui.warning(&waiting);
            waiting.hint_text().into_iter().for_each(|hint| self.ui.hint(hint));
        }
        Ok(())
    }

    /// Warns of paths, if there are any.
    pub fn report_paths(&self, what: &str, paths: &[RepoPathBuf]) {
        self.warn_about(what, &paths.iter().map(|path| WarningPath::new(path, "")).collect::<Vec<_>>());
    }

    /// Warns of paths, each with a reason, if there are any.
    pub fn report_reasons(&self, what: &str, paths: &[(RepoPathBuf, String)]) {
        self.warn_about(what, &paths.iter().map(|(path, reason)| WarningPath::new(path, reason)).collect::<Vec<_>>());
    }

    fn warn_about(&self, what: &str, paths: &[WarningPath<'_>]) {
        if !paths.is_empty() {
            self.ui.warning_about(what, paths);
        }
    }
}

/// Uncovered paths with a wanted reason.
fn reasons(uncovered: &[Uncovered], wanted: impl Fn(Reason) -> bool) -> Vec<WarningPath<'_>> {
    let wanted = uncovered.iter().filter(|one| wanted(one.reason));
    wanted.map(|one| WarningPath::uncovered(&one.path, one.reason)).collect()
}
