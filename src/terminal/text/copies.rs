//! How new the copies in targets are: the line of `status` and of the overview.

use std::io;

use crate::report::copies::{CopyRecord, CopyState, StatusSummary};
use crate::terminal::human::plural;
use crate::terminal::sanitize::line as safe;
use crate::terminal::{Page, Print};

/// The newest copy, in a line. Nothing without targets.
pub struct LastCopy<'c>(pub &'c [CopyRecord]);

impl Print for LastCopy<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (pushed, never): (Vec<&CopyRecord>, Vec<&CopyRecord>) =
            self.0.iter().partition(|copy| copy.state.pushed.is_some());
        let never: Vec<String> = never.into_iter().map(|copy| safe(&copy.target).to_string()).collect();
        let never = format!("the whole history was never pushed to {}", never.join(", "));
        match pushed.into_iter().max_by_key(|copy| copy.state.pushed) {
            Some(CopyRecord { target, state }) => {
                let age = state.pushed.map(|time| page.age_text(time)).unwrap_or_default();
                let never = if self.0.iter().all(|copy| copy.state.pushed.is_some()) {
                    String::new()
                } else {
                    format!("; {never}")
                };
                page.line(format_args!("last copy elsewhere: {age} on {}, {}{never}", safe(target), behind(state)))
            }
            None if self.0.is_empty() => Ok(()),
            None => page.line(format_args!("no copy elsewhere: {never}")),
        }
    }
}

/// How many commits a copy lacks: `3 commits behind`, or `up to date`.
pub fn behind(state: &CopyState) -> String {
    match state.behind {
        None | Some(0) => "up to date".to_owned(),
        Some(count) => format!("{}{} behind", if state.at_least { "at least " } else { "" }, plural(count, "commit")),
    }
}

impl Print for StatusSummary<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        self.tally.print(page)
    }
}
