//! Pushes after commits, in a process in the background, to the targets whose settings ask for it.

use std::path::Path;
use std::time::Duration;

use crate::environment::{Environment, LockWait};
use crate::error::{ErrorKind, Result};
use crate::fs::FileLock;
use crate::id::OperationId;
use crate::repo::Repository;
use crate::target::Target;
use crate::transfer::association::Association;
use crate::workspace::Workspace;

/// How long another command may hold the lock to find out who has it.
const LOOK: Duration = Duration::from_millis(100);

/// Number of times that new changes prolong the waiting. Then the push begins although more changes may follow.
const MOST_PROLONGED: u32 = 20;

impl Workspace {
    /// Whether to start a process that calls [`push_when_quiet`]: a target that is pushed to automatically lacks commits, and no such
    /// process waits already.
    pub fn needs_automatic_push(&self) -> bool {
        self.automatic_targets().any(|name| self.is_due(name))
            && matches!(FileLock::text(&self.repository.layout.automatic_push_lock()), Ok(None))
    }

    fn automatic_targets(&self) -> impl Iterator<Item = &str> {
        self.targets().iter().filter(|target| target.is_automatic).map(|target| target.name.as_str())
    }

    /// Whether a target lacks commits, and this machine keeps its keys: a repository that was copied from elsewhere must not connect
    /// to addresses in its settings. Nothing is known of a target whose file cannot be read.
    fn is_due(&self, name: &str) -> bool {
        let Ok(Some(association)) = Association::load(&self.repository, name) else { return false };
        let target = association.target;
        let copy = self.copy_as_known(name, Some(association));
        copy.is_ok_and(|copy| !copy.is_complete()) && Target::has_keys(target, &self.repository.environment)
    }
}

/// Waits until no command has changed the repository at a directory for some time, then calls `push` for each target that is pushed
/// to automatically and lacks commits. Repeats that if commands have changed the repository meanwhile. Does nothing if another process
/// does it already. Holds nothing of the repository while it waits. The caller reports failures of `push`, if at all.
pub fn push_when_quiet(
    directory: &Path,
    environment: &Environment,
    push: &mut dyn FnMut(&mut Workspace, &str),
) -> Result<()> {
    loop {
        let repository = Repository::discover(directory, environment.clone())?;
        let lock = repository.layout.automatic_push_lock();
        drop(repository);
        let lock = match FileLock::acquire(&lock, environment, LockWait::For(LOOK)) {
            Err(error) if error.kind() == ErrorKind::Locked => return Ok(()),
            lock => lock?,
        };
        let newest = || Ok(Repository::discover(directory, environment.clone())?.operation());
        wait_for_quiet(environment.push_delay(), &newest)?;
        let mut workspace = Workspace::open(directory, environment.clone())?;
        let pushed = workspace.repository.operation();
        let names: Vec<String> = workspace.automatic_targets().map(str::to_owned).collect();
        for name in names {
            if workspace.is_due(&name) {
                push(&mut workspace, &name);
            }
        }
        drop(workspace);
        drop(lock);
        // A command that has changed the repository during the push has seen the lock and has started no other process.
        if newest()? == pushed {
            return Ok(());
        }
    }
}

/// Waits until the newest operation stays the same for this time.
fn wait_for_quiet(delay: Duration, newest: &dyn Fn() -> Result<Option<OperationId>>) -> Result<()> {
    let mut before = newest()?;
    for _ in 0..MOST_PROLONGED {
        std::thread::sleep(delay);
        let now = newest()?;
        if now == before {
            break;
        }
        before = now;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Number of times that the newest operation is read if it changes as often as this.
    fn reads(changes: u32) -> u32 {
        let reads = Cell::new(0);
        let newest = || {
            reads.set(reads.get() + 1);
            Ok(Some(OperationId([reads.get().min(changes + 1) as u8; 32])))
        };
        wait_for_quiet(Duration::ZERO, &newest).unwrap();
        reads.get()
    }

    #[test]
    fn changes_prolong_the_waiting_up_to_a_limit() {
        // Before the first wait, and after each.
        assert_eq!(reads(0), 2);
        assert_eq!(reads(1), 3);
        assert_eq!(reads(5), 7);
        assert_eq!(reads(1000), 1 + MOST_PROLONGED);
    }
}
