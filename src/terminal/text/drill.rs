//! The result of a drill.

use std::io;

use crate::number::plural;
use crate::report::drill::DrillRecord;
use crate::terminal::human::{Size, duration};
use crate::terminal::sanitize::line as safe;
use crate::terminal::{Page, Print, Role};

impl Print for DrillRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (target, id) = (page.paint(Role::Branch, safe(&self.target)), page.paint(Role::Id, self.id.short()));
        let (files, size) = (plural(self.files, "file"), Size(self.bytes));
        page.line(format_args!("restored {id} from {target}: {files}, {size} in {}", duration(self.milliseconds)))?;
        if let Some(estimate) = self.milliseconds_estimated {
            let (all, size) = (plural(self.files_total, "file"), Size(self.bytes_total));
            page.line(format_args!("restoring all of {all}, {size}, would take about {}", duration(estimate)))?;
        }
        if let Some(exit) = self.exit {
            page.line(format_args!("the command ended with status {exit}"))?;
        }
        match self.differences.is_empty() {
            true => page.line("every restored file is as recorded"),
            false => page.line(format_args!("{} from what was recorded", differ(self.differences.len()))),
        }
    }
}

fn differ(count: usize) -> String {
    match count {
        1 => "1 path differs".to_owned(),
        count => format!("{count} paths differ"),
    }
}
