//! What continues in the background after a command has recorded changes.

use crate::terminal;
use crate::workspace::Workspace;

/// Starts a collection if much can be removed, and a push if a target's settings ask for it. A failure is not reported: the next command
/// that records changes tries again.
pub fn start_if_needed(workspace: &Workspace) {
    let directory = workspace.repository.layout.worktree.as_os_str();
    if workspace.needs_collection() {
        let _ = terminal::start_in_background(&["-C".as_ref(), directory, "gc".as_ref(), "--auto".as_ref()]);
    }
    #[cfg(feature = "targets")]
    if workspace.needs_automatic_push() {
        let push = ["--wait", "forever", "push", "--auto"].map(AsRef::as_ref);
        let _ = terminal::start_in_background(&[&["-C".as_ref(), directory], &push[..]].concat());
    }
}
