//! Words that people know from git and from backup programs, and what to type here.

/// A command of another program → what to do here.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["add", "stage"], "nothing is staged, all is recorded: undo commit"),
    (&["backup", "save", "snapshot"], "undo commit"),
    (&["snapshots", "list", "history"], "undo log"),
    (&["reset", "revert", "rollback"], "to a commit: undo checkout REV; the last command: undo undo"),
    (&["clean", "discard"], "what is unsaved is recorded and goes: undo checkout @"),
    (&["stash"], "undo commit, then go back: undo checkout @~"),
    (&["switch"], "undo checkout BRANCH"),
    (&["reflog"], "undo op log"),
    (&["check", "fsck"], "undo verify"),
    (&["gc", "prune", "forget"], "nothing is ever removed from the history"),
    (&["merge", "rebase", "cherry-pick"], "histories are not joined; for some paths: undo restore --from REV PATH"),
    (&["rm", "mv"], "change the directory itself, then: undo commit"),
    (&["clone", "push", "pull", "fetch", "remote"], "a repository is one directory: copy it whole, or see undo export"),
    (&["mount"], "undo ls REV:PATH, undo cat REV:PATH, undo export"),
    (&["find", "grep"], "undo log -- PATH, undo ls -R REV"),
    (&["blame", "annotate"], "undo log -p -- PATH"),
];

/// An option of another program → what to do here.
const OPTIONS: &[(&str, &[&str], &str)] = &[
    ("commit", &["-a", "--all"], "all is recorded always: undo commit"),
    ("commit", &["--amend"], "commits stay as they are; name one by a tag: undo tag NAME"),
    ("checkout", &["-b", "-B"], "undo branch NAME, then: undo checkout NAME"),
    ("diff", &["--cached", "--staged"], "nothing is staged: undo diff"),
    ("restore", &["--source", "-s"], "undo restore --from REV PATH"),
    ("restore", &["--staged"], "nothing is staged: undo restore PATH"),
    ("log", &["--all"], "all lines of history are shown already: undo log"),
    ("log", &["--graph"], "the graph is shown already: undo log"),
];

/// What to type instead of another program's command.
pub(super) fn command(name: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// What to type instead of another program's option of a command.
pub(super) fn option(command: &str, name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(of, names, _)| *of == command && names.contains(&name)).map(|(.., hint)| *hint)
}
