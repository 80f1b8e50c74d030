//! Records that a program hands over on stdin: lines, or with `-z` what NUL ends.

use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::commands::Context;
use crate::error::{Error, Result};

/// The records of stdin, read as they are asked for, without what ends them. The last one need not be ended.
pub fn stdin(context: &Context<'_>) -> impl Iterator<Item = Result<Vec<u8>>> {
    let end = if context.ui.options().nul { b'\0' } else { b'\n' };
    io::stdin().lock().split(end).map(move |record| record.map_err(failed))
}

/// The same for whoever answers each record: before it waits for the next one, all answers are on their way.
pub fn answered(context: &Context<'_>) -> impl Iterator<Item = Result<Vec<u8>>> {
    let end = if context.ui.options().nul { b'\0' } else { b'\n' };
    let mut input = BufReader::with_capacity(64 << 10, io::stdin().lock());
    let mut next = move || {
        if !input.buffer().contains(&end) {
            context.ui.flush()?;
        }
        let mut record = Vec::new();
        input.read_until(end, &mut record).map_err(failed)?;
        let is_there = !record.is_empty();
        record.pop_if(|last| *last == end);
        Ok(is_there.then_some(record))
    };
    std::iter::from_fn(move || next().transpose())
}

/// Waits until something is there on stdin, or its end: whoever writes it may need the lock until then.
pub fn wait_for_stdin() -> Result<()> {
    io::stdin().lock().fill_buf().map(drop).map_err(failed)
}

fn failed(error: io::Error) -> Error {
    Error::io("read", Path::new("stdin"), error)
}
