//! Standard output, direct or through the pager. A closed pipe is not a failure.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::terminal::pager::Pager;

pub struct Stdout {
    out: RefCell<BufWriter<Box<dyn Write>>>,
    pager: RefCell<Option<Pager>>,
    /// Whether the reader has gone away.
    closed: Cell<bool>,
}

impl Stdout {
    pub fn new() -> Stdout {
        Stdout { out: buffered(io::stdout()), pager: RefCell::default(), closed: Cell::new(false) }
    }

    /// Sends the output that follows through the user's pager.
    pub fn start_pager(&self) -> Result<()> {
        if let Some((pager, input)) = Pager::start()? {
            self.out.swap(&buffered(input));
            self.pager.replace(Some(pager));
        }
        Ok(())
    }

    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Lets the caller write; a failure is none if the reader has gone away.
    pub fn write<T: Default>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let mut out = Watched { out: &mut *self.out.borrow_mut(), closed: &self.closed };
        match write(&mut out) {
            Err(_) if self.closed.get() => Ok(T::default()),
            result => result,
        }
    }

    pub fn flush(&self) -> Result<()> {
        self.write(|out| out.flush().map_err(failed))
    }

    /// Ends the output, and waits for the pager.
    pub fn finish(&self) -> Result<()> {
        self.out.swap(&buffered(io::sink()));
        self.pager.take().map_or(Ok(()), Pager::wait)
    }
}

fn buffered(out: impl Write + 'static) -> RefCell<BufWriter<Box<dyn Write>>> {
    RefCell::new(BufWriter::with_capacity(1 << 16, Box::new(out)))
}

/// A failure to write to stdout.
pub fn failed(error: io::Error) -> Error {
    let kind = Error::io("write to", Path::new("stdout"), io::Error::from(error.kind())).kind();
    Error::new(kind, "cannot write to standard output").with_source(error)
}

/// A writer that notices when the reader has gone away.
struct Watched<'a> {
    out: &'a mut dyn Write,
    closed: &'a Cell<bool>,
}

impl Watched<'_> {
    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.closed.set(true);
        }
        result
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.watch(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.watch(result)
    }
}
