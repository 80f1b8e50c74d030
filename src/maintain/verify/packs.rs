//! Reads every pack that the journal names from its first byte to its last.

use std::collections::HashMap;

use super::{Damage, Told, is_damage};
use crate::error::{Error, Result};
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::repo::{Repository, journal};
use crate::store::{Broken, Contents};

/// Objects that cannot be read from a pack, and which one.
pub(super) type Lost = HashMap<(ObjectKind, ObjectId), PackId>;

/// Checks all packs: gives what they have together, and which objects are broken.
pub(super) fn check(repository: &Repository, told: &mut Told<'_>, progress: &dyn Progress) -> Result<(Contents, Lost)> {
    let store = repository.store();
    let packs = store.packs();
    let task = progress.start("reading packs", Unit::Bytes, Some(packs.iter().map(|(_, bytes)| bytes).sum()));
    let (mut contents, mut lost) = (Contents::default(), Lost::new());
    let check = |&(pack, bytes): &(PackId, u64)| {
        let mut broken = Vec::new();
        let checked = store.check_pack(pack, &mut |part| broken.push(part));
        let checked = checked.and_then(|its| task.add(bytes).map(|()| its));
        (pack, broken, checked)
    };
    parallel::for_each_result(packs.iter(), check, |(pack, broken, checked)| {
        for Broken { objects, error } in broken {
            lost.extend(objects.into_iter().map(|object| (object, pack)));
            told.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })?;
        }
        match checked {
            Ok(its) => {
                contents.objects += its.objects;
                contents.bytes += its.bytes;
                Ok(())
            }
            Err(error) => not_read(repository, pack, error, told),
        }
    })?;
    Ok((contents, lost))
}

/// A pack of which nothing can be read. One that was merged with others and removed meanwhile is not missing.
fn not_read(repository: &Repository, pack: PackId, error: Error, told: &mut Told<'_>) -> Result<()> {
    if !is_damage(&error) {
        return Err(error);
    }
    let is_named = journal::load(&repository.layout.journal()).map_or(true, |now| now.state.packs.contains(&pack));
    if !is_named {
        return Ok(());
    }
    told.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })
}
