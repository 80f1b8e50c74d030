//! Records that a program hands over on stdin: lines, or with `-z` what NUL ends.

use std::io::{self, BufRead};
use std::path::Path;

use crate::commands::Context;
use crate::error::{Error, Result};

/// The records of stdin, read as they are asked for, without what ends them. The last one need not be ended.
pub fn stdin(context: &Context<'_>) -> impl Iterator<Item = Result<Vec<u8>>> {
    let end = if context.ui.options().nul { b'\0' } else { b'\n' };
    let failed = |error| Error::io("read", Path::new("stdin"), error);
    io::stdin().lock().split(end).map(move |record| record.map_err(failed))
}
