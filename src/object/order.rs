//! Orders commits in time even if a commit has an earlier time than its parent, because a clock was wrong. A commit
//! keeps the time of the clock; its order follows its parents.

use super::{Commit, Extras, fields};
use crate::time::Timestamp;

/// Key of a 12-byte time: the latest order of the parents, if later than the commit's own time.
const ORDER: &str = "order";

/// Adds the order to the extras of a commit with this time, if it differs. `parents`: latest order of its parents.
pub fn put(time: Timestamp, parents: Option<Timestamp>, extras: &mut Extras) {
    if let Some(latest) = parents.filter(|latest| *latest > time) {
        extras.set(ORDER, fields::encode(&latest));
    }
}

impl Commit {
    /// Time that is never earlier than the order of an ancestor. An invalid value is ignored.
    pub fn order(&self) -> Timestamp {
        let recorded = self.extras.get(ORDER).and_then(|bytes| fields::decode("order", bytes).ok());
        recorded.map_or(self.time, |order: Timestamp| order.max(self.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;

    #[test]
    fn order_is_commit_time_unless_a_parent_is_later() {
        let at = |seconds| Timestamp { seconds, nanoseconds: 0 };
        for (parents, order) in [(None, at(10)), (Some(at(9)), at(10)), (Some(at(11)), at(11))] {
            let mut commit = Commit { time: at(10), ..samples::commit() };
            put(commit.time, parents, &mut commit.extras);
            let commit = Commit::decode(&commit.encode()).unwrap();
            assert_eq!((commit.time, commit.order()), (at(10), order));
            assert_eq!(commit.extras.get(ORDER).is_some(), order != commit.time);
        }
        let mut commit = samples::commit();
        commit.extras.set(ORDER, b"no time".to_vec());
        assert_eq!(commit.order(), commit.time);
    }
}
