//! Reads every pack that the journal names from the first byte to the last.

use std::collections::HashMap;

use super::{Damage, Reporter, is_damage};
use crate::error::{Error, Result};
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::repo::{Repository, journal};
use crate::store::{BrokenFrame, PackCounts};

/// Objects that cannot be read from the pack that contains them.
pub(super) type BrokenObjects = HashMap<(ObjectKind, ObjectId), PackId>;

/// Checks all packs. Returns their total contents and the broken objects.
pub(super) fn check(
    repository: &Repository,
    reporter: &mut Reporter<'_>,
    progress: &dyn Progress,
) -> Result<(PackCounts, BrokenObjects)> {
    let store = repository.store();
    let packs = store.packs();
    let task = progress.start("reading packs", Unit::Bytes, Some(packs.iter().map(|(_, bytes)| bytes).sum()));
    let (mut contents, mut broken_objects) = (PackCounts::default(), BrokenObjects::new());
    let check = |&(pack, bytes): &(PackId, u64)| {
        let mut broken = Vec::new();
        let checked = store.check_pack(pack, &mut |part| broken.push(part));
        let checked = checked.and_then(|its| task.add(bytes).map(|()| its));
        (pack, broken, checked)
    };
    parallel::for_each_result(packs.iter(), check, |(pack, broken, checked)| {
        for BrokenFrame { objects, error } in broken {
            broken_objects.extend(objects.into_iter().map(|object| (object, pack)));
            reporter.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })?;
        }
        match checked {
            Ok(checked) => {
                contents.objects += checked.objects;
                contents.bytes += checked.bytes;
                Ok(())
            }
            Err(error) => report_unreadable(repository, pack, error, reporter),
        }
    })?;
    Ok((contents, broken_objects))
}

/// Reports an unreadable pack, unless a concurrent compaction has removed it.
fn report_unreadable(repository: &Repository, pack: PackId, error: Error, reporter: &mut Reporter<'_>) -> Result<()> {
    if !is_damage(&error) {
        return Err(error);
    }
    let is_named = journal::load(&repository.layout.journal()).map_or(true, |now| now.state.packs.contains(&pack));
    if !is_named {
        return Ok(());
    }
    reporter.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })
}
