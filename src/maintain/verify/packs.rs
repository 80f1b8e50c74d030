//! Every pack that the journal names, read from its first byte to its last, as many at a time as there are cores.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::{Damage, Told, is_damage};
use crate::error::{Error, Result};
use crate::id::{ObjectId, PackId};
use crate::join::start;
use crate::object::ObjectKind;
use crate::progress::{Progress, Task, Unit};
use crate::repo::{Repository, journal};
use crate::store::{Broken, Contents, Store};

/// Objects that cannot be read from a pack, and which one.
pub(super) type Lost = HashMap<(ObjectKind, ObjectId), PackId>;

/// What came of a pack, or of a part of it.
enum Message {
    Broken(PackId, Broken),
    Checked(PackId, Result<Contents>),
}

/// Checks all packs: gives what they have together, and which objects are broken.
pub(super) fn check(repository: &Repository, told: &mut Told<'_>, progress: &dyn Progress) -> Result<(Contents, Lost)> {
    let store = repository.store();
    let packs = store.packs();
    let task = progress.start("reading packs", Unit::Bytes, Some(packs.iter().map(|(_, bytes)| bytes).sum()));
    let next = AtomicUsize::new(0);
    let (sender, messages) = channel();
    let work = |sender: Sender<Message>| work(store, &packs, &next, &sender, &*task);
    std::thread::scope(|scope| {
        let wanted = threads().min(packs.len());
        let another = |sender: Sender<Message>| start(scope, || work(sender));
        if (0..wanted).map_while(|_| another(sender.clone())).count() == 0 {
            work(sender.clone());
        }
        drop(sender);
        let (mut contents, mut lost) = (Contents::default(), Lost::new());
        // Moved in here: if telling fails, the others find that nobody listens.
        for message in messages {
            match message {
                Message::Broken(pack, broken) => {
                    lost.extend(broken.objects.into_iter().map(|object| (object, pack)));
                    told.damage(Damage { pack: Some(pack), ..Damage::new("pack", broken.error) })?;
                }
                Message::Checked(_, Ok(its)) => {
                    contents.objects += its.objects;
                    contents.bytes += its.bytes;
                }
                Message::Checked(pack, Err(error)) => not_read(repository, pack, error, told)?,
            }
        }
        Ok((contents, lost))
    })
}

/// One thread.
fn work(store: &Store, packs: &[(PackId, u64)], next: &AtomicUsize, sender: &Sender<Message>, task: &dyn Task) {
    while let Some(&(pack, bytes)) = packs.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut is_heard = true;
        let checked = store.check_pack(pack, &mut |broken| {
            is_heard &= sender.send(Message::Broken(pack, broken)).is_ok();
        });
        if !is_heard || sender.send(Message::Checked(pack, checked)).is_err() {
            return;
        }
        task.add(bytes);
    }
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

/// As many threads as there are cores.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
