//! `undo cat-file --batch`: prints an object for each name on stdin.

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::history::objects::ObjectType;
use crate::history::{bytes, objects};
use crate::id::LENGTH;
use crate::plumbing::records;
use crate::repo::Repository;
use crate::report::plumbing::{Asked, Described, Unresolved};
use crate::terminal;

/// Prints the objects named on stdin. An unknown name is not an error.
pub fn run(context: &Context<'_>, with_bytes: bool) -> Result<()> {
    if with_bytes && context.ui.options().json {
        return Err(Error::new(ErrorKind::Usage, "--batch prints bytes, which JSON cannot hold")
            .hint("undo cat-file --batch-check --json"));
    }
    let repository = context.repository()?;
    for record in records::answered(context) {
        answer(context, &repository, &record?, with_bytes)?;
    }
    Ok(())
}

fn answer(context: &Context<'_>, repository: &Repository, record: &[u8], with_bytes: bool) -> Result<()> {
    let name = id_before_space(record).unwrap_or(record);
    let named = match objects::find_bytes(repository, name) {
        Ok(named) => named,
        Err(error) => {
            let reason = match error.kind() {
                ErrorKind::NotFound | ErrorKind::Usage => "missing",
                ErrorKind::Ambiguous => "ambiguous",
                _ => return Err(error),
            };
            return context.ui.show(&Unresolved::new(name, reason));
        }
    };
    if named.object_type == ObjectType::Blob && repository.store().is_purged(named.id.into()) {
        return context.ui.show(&Unresolved::new(name, "purged"));
    }
    context.ui.show(&Described::new(named, bytes::size(repository, named)?, Asked::All))?;
    if !with_bytes {
        return Ok(());
    }
    let end: &[u8] = if context.ui.options().nul { b"\0" } else { b"\n" };
    context.ui.stream(|out| {
        bytes::copy(repository, named, out)?;
        out.write_all(end).map_err(terminal::failed)
    })
}

/// The id in a line of `rev-list --objects`: a complete id, a space and a path.
fn id_before_space(record: &[u8]) -> Option<&[u8]> {
    let (id, rest) = record.split_at_checked(2 * LENGTH)?;
    (id.iter().all(u8::is_ascii_hexdigit) && rest.starts_with(b" ")).then_some(id)
}
