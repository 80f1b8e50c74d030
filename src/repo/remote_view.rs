//! A repository that shows the commits of a target instead of the local ones.

use std::collections::BTreeMap;

use crate::object::operation::View;
use crate::repo::Repository;
use crate::store::{Elsewhere, PurgedBlobs};

impl Repository {
    /// The repository with another view, whose objects are elsewhere if the store lacks them. Content that was purged here or there
    /// counts as purged. Only for reading: the journal has no operations of this view.
    pub fn with_view(mut self, view: View, elsewhere: Elsewhere) -> Repository {
        let purged: BTreeMap<_, _> = self.state.view.purged.iter().chain(&view.purged).collect();
        self.store.set_purged(PurgedBlobs::new(purged.into_iter().map(|(blob, purged)| (*blob, purged.size))));
        self.store.set_elsewhere(elsewhere);
        (self.state.view, self.state.operation, self.state.intent) = (view, None, None);
        self
    }
}
