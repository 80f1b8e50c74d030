//! Hints for users who type a command or option of git or of a backup program.

/// Command names of other programs, each with a hint.
const COMMANDS: &[(&[&str], &str)] = &[
    (&["add", "stage"], "there is no staging area; to record all changes: undo commit"),
    (&["backup", "save", "snapshot"], "undo commit"),
    (&["snapshots", "list", "history"], "undo log"),
    (&["reset", "revert", "rollback"], "to restore a commit: undo checkout REV; to undo the last command: undo undo"),
    (&["clean", "discard"], "to discard unsaved changes (they are saved first): undo checkout @"),
    (&["stash"], "undo commit, then restore the previous state: undo checkout @~"),
    (&["switch"], "undo checkout BRANCH"),
    (&["reflog"], "undo op log"),
    (&["check", "fsck"], "undo verify"),
    (&["prune", "expire", "thin"], "undo forget --keep-daily 7 --keep-monthly 12 -n"),
    (&["compact", "repack"], "undo gc"),
    (&["unforget", "restore-commit"], "undo recall REV"),
    (&["filter-branch", "filter-repo", "rewrite", "bfg", "redact", "obliterate", "shred", "erase"], "undo purge PATH"),
    (
        &["merge", "rebase", "cherry-pick"],
        "undo does not merge histories; to take paths from a commit: undo restore --from REV PATH",
    ),
    (&["rm", "mv"], "change the files themselves, then: undo commit"),
    #[cfg(feature = "targets")]
    (&["remote", "mirror"], "undo target"),
    #[cfg(feature = "targets")]
    (&["fetch", "sync"], "undo pull, or to look without fetching: undo log --target NAME"),
    #[cfg(not(feature = "targets"))]
    (&["clone", "push", "pull", "fetch", "remote"], "a repository is one directory; copy it, or use undo export"),
    (&["mount"], "undo ls REV:PATH, undo cat REV:PATH, undo export"),
    (&["find", "grep"], "undo log -- PATH, undo ls -R REV"),
    (&["ignore"], "write patterns into `.undoignore`; to test a path: undo check-ignore -v PATH"),
    (&["du", "size"], "undo stats for the repository, undo ls -l for files, undo log for each commit"),
    (&["blame", "annotate"], "undo log -p -- PATH"),
];

/// Options of other programs: the command, the spellings, and a hint.
const OPTIONS: &[(&str, &[&str], &str)] = &[
    ("commit", &["-a", "--all"], "all changes are always recorded: undo commit"),
    ("checkout", &["-B"], "undo branch -f NAME, then: undo checkout NAME"),
    ("diff", &["--cached", "--staged"], "there is no staging area: undo diff"),
    ("restore", &["--source", "-s"], "undo restore --from REV PATH"),
    ("restore", &["--staged"], "there is no staging area: undo restore PATH"),
    ("log", &["--all"], "the whole history is always shown: undo log"),
    ("log", &["--graph"], "the graph is always shown: undo log"),
];

/// The hint for a command of another program.
pub(super) fn command_hint(name: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// The hint for an option that another program has in `command`.
pub(super) fn option_hint(command: &str, name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|(owner, names, _)| *owner == command && names.contains(&name)).map(|(.., hint)| *hint)
}
