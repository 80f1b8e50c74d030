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
        let never = self.0.iter().filter(|copy| copy.state.pushed.is_none());
        let never: Vec<String> = never.map(|copy| safe(&copy.target).to_string()).collect();
        let incomplete = format!("the whole history was never pushed to {}", never.join(", "));
        let newest = self.0.iter().filter_map(|copy| Some((copy.state.pushed?, copy))).max_by_key(|(time, _)| *time);
        match newest {
            Some((time, CopyRecord { target, state })) => {
                let rest = if never.is_empty() { String::new() } else { format!("; {incomplete}") };
                let (age, target) = (page.age_text(time), safe(target));
                page.line(format_args!("last copy elsewhere: {age} on {target}, {}{rest}", behind(state)))
            }
            None if never.is_empty() => Ok(()),
            None => page.line(format_args!("no copy elsewhere: {incomplete}")),
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
