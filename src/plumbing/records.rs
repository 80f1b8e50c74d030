//! Reads records from stdin: lines, or NUL-terminated with `-z`.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::quote::unquote;

/// The place of an item in the input: `line 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Kind of the item.
    pub word: &'static str,
    /// Counted from 1.
    pub number: u64,
}

impl Place {
    /// The place of a line, or of a record that ends with NUL.
    pub fn new(is_raw: bool, number: u64) -> Place {
        Place { word: if is_raw { "record" } else { "line" }, number }
    }
}

impl From<Place> for Message {
    fn from(place: Place) -> Message {
        place.to_string().into()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word, self.number)
    }
}

/// Reads records one by one, without their terminators. The last one may lack it.
pub fn stdin(context: &Context<'_>) -> impl Iterator<Item = Result<Vec<u8>>> {
    let end = if context.ui.options().nul { b'\0' } else { b'\n' };
    io::stdin().lock().split(end).map(move |record| record.map_err(failed))
}

/// Like [`stdin`], for commands that answer each record: flushes all answers before it waits for the next record.
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

/// Reads paths like [`answered`]: quoted words, or raw with `-z`.
pub fn paths(context: &Context<'_>) -> impl Iterator<Item = Result<(Place, Vec<u8>)>> {
    let is_raw = context.ui.options().nul;
    answered(context).zip(1..).map(move |(record, number)| {
        let (record, place) = (record?, Place::new(is_raw, number));
        let path = if is_raw { Some(record) } else { unquote(&record).map(|path| path.into_owned()) };
        let malformed = || Error::new(ErrorKind::Usage, "the quoted path is malformed").hint("with -z, paths are raw");
        Ok((place, path.ok_or_else(|| malformed().context(place))?))
    })
}

/// Waits for the first byte or the end of stdin, since the writer may need the lock until then.
pub fn wait_for_stdin() -> Result<()> {
    io::stdin().lock().fill_buf().map(drop).map_err(failed)
}

fn failed(error: io::Error) -> Error {
    Error::io("read", Path::new("stdin"), error)
}
