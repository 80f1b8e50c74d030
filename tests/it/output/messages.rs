//! Help, usage errors, closed pipes.

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

#[test]
fn invalid_usage_exits_2() {
    let env = history();
    env.undo("comit").shows(str![[r#"
---- stderr ----
error: unknown command `comit`
hint: did you mean `commit`?
[exit 2]

"#]]);
    env.undo("--json comit").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"unknown command `comit`","hint":"did you mean `commit`?","exit":2,"paths":[]}
[exit 2]

"#]]);
    env.undo("checkout").shows(str![[r#"
---- stderr ----
error: the following required arguments were not provided: <REV>
hint: usage: undo checkout [OPTIONS] <REV> [-- <PATH>...]
[exit 2]

"#]]);
    // An option with only the same ending is not suggested.
    for (line, hint) in [
        ("log --inverse", "undo help log"),
        ("add .", "undo commit"),
        ("commit -am x", "all changes are always recorded"),
        ("log --onelin", "did you mean `--oneline`?"),
        ("log --graph -p", "the graph is always shown"),
    ] {
        let output = env.undo(line);
        assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{output}");
    }
    env.undo("help op log").ok();
    env.undo("man op log").ok();
    env.undo("ls notes.txt").shows(str![[r#"
notes.txt

"#]]);
    env.undo("help nonsense").shows(str![[r#"
---- stderr ----
error: `nonsense` is not a command or a topic
hint: undo help
[exit 2]

"#]]);
    env.undo("checkout nonsense").shows(str![[r#"
---- stderr ----
error: revision `nonsense` does not exist
hint: list commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("checkout notes.txt").shows(str![[r#"
---- stderr ----
error: revision `notes.txt` does not exist
hint: to name a path: undo restore notes.txt
[exit 2]

"#]]);
    env.undo("-C ../nowhere status").shows(str![[r#"
---- stderr ----
error: cannot enter `../nowhere`: no such file or directory
[exit 2]

"#]]);
}

#[test]
fn a_revision_that_the_shell_has_split_is_quoted() {
    let env = history();
    for (line, hint) in
        [("checkout @{prompt 3}", "undo checkout '@{prompt 3}'"), ("show -q @{step 2}", "undo show -q '@{step 2}'")]
    {
        let failed = env.undo(line).fails(2).to_string();
        assert!(failed.contains(&format!("hint: quote the revision, which has a space: {hint}\n")), "{failed}");
    }
}

#[test]
fn closed_pipe_is_not_an_error() {
    let env = history();
    let big: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    env.write("big", big);
    env.undo("commit").ok();
    for line in ["cat @:big", "diff @~ @", "log -p"] {
        let program = env!("CARGO_BIN_EXE_undo");
        let script = format!("set -o pipefail; {program} {line} | head -n 1 > /dev/null");
        let output = std::process::Command::new("bash").args(["-c", &script]).current_dir(env.path()).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    }
}

#[test]
fn help_shows_overview_and_commands() {
    let env = TestEnv::new();
    env.undo("help").shows(str![[r#"
Version control for any data directory

Run `undo commit` before a risky change. One command restores the directory
exactly.

Usage: undo [OPTIONS] [COMMAND]

Record:
  init         Create a repository for a directory
  commit       Record the current state of the directory
  run          Run a command and record the directory before and after
  shell-hook   Record directories before destructive shell commands
  agent        Record the directory before each step of a coding agent

Examine:
  status       Show changes since the current commit
  log          List commits, newest first
  show         Show a commit and its changes, or print a recorded file
  diff         Show changes between commits, or between a commit and the directory
  ls           List the files of a commit
  cat          Print a recorded file

Restore:
  checkout     Restore the whole directory to a commit
  restore      Restore paths to their state in a commit
  undo         Undo the last operation
  redo         Redo the last undone operation
  op           List operations and restore the state after any of them
  revive       Recreate a missing directory with its last state and its history
  export       Write a commit, or a directory of it, to a new directory or an archive

Branches and tags:
  branch       List, create, rename or delete branches
  tag          List, create, rename or delete tags

Copies elsewhere:
  target       Add, list and show targets: encrypted copies elsewhere
  push         Copy the history to a target
  pull         Add commits of other directories in a target to the history
  clone        Get a directory back from a target: its files and its history
  drill        Prove that a target can be restored

Maintenance:
  stores       List the histories stored outside their directories
  stats        Show what the repository takes on disk
  forget       Remove commits from the history
  recall       Return forgotten commits to the history
  purge        Destroy recorded content, in all commits
  gc           Free the space of forgotten commits and purged content
  verify       Check the integrity of the repository
  repair       Recover damaged and lost objects

Setup:
  config       Show or change settings
  completions  Print a shell completion script
  man          Print a manual page
  help         Show help for a command or a topic

For scripts (undo help plumbing):
  cat-file, check-ignore, checkout-tree, commit-tree, count-objects, diff-tree,
  hash-object, ls-files, ls-tree, mklinks, mktree, rev-list, rev-parse, show-ref,
  symbolic-ref, update-ref, verify-pack, write-tree

Options:
  -C <DIR>               Run as if started in DIR; each further DIR is relative to the one before
  -q, --quiet            Print no status and no hints
  -v, --verbose          Print more
      --json             Print JSON, one object per line
  -z, --null             End records with NUL, and print names unquoted
      --color <WHEN>     When to use colours: auto, always or never
      --no-pager         Do not show long output in a pager
      --progress <WHEN>  When to show progress: auto, always or never
      --wait <DURATION>  How long to wait for another command: `[DURATION]`, `5min` or `forever` [default:
                         [DURATION]]
      --no-sync          Unsafe: do not wait for the disk; a power failure may lose commits
  -h, --help             Print help
  -V, --version          Print version

"#]]);
    env.undo("checkout --help").shows(str![[r#"
Restore the whole directory to a commit

Moves the current branch to the commit, or switches to another branch if REV is
its name. Records unsaved changes first. Later commits stay in the log. Does
not touch files that no commit records: ignored ones, and those whose content
was purged.

Usage: undo checkout [OPTIONS] <REV> [-- <PATH>...]
       undo checkout [OPTIONS] -b <NAME> [REV]
       undo checkout [OPTIONS] --continue

Arguments:
  [REV]      Commit, branch or tag to restore
  [PATH]...  Restore only these paths

Options:
  -b <NAME>          Create a branch and switch to it; without REV, leave the directory unchanged
  -n, --dry-run      Show the changes without making them
  -f, --force        Save and overwrite ignored files in the way, and replace files in use
      --trust-owner  As root, also restore owners, set-id bits, capabilities and devices recorded by
                     another user
      --continue     Finish an interrupted checkout

Global options:
  -C <DIR>               Run as if started in DIR; each further DIR is relative to the one before
  -q, --quiet            Print no status and no hints
  -v, --verbose          Print more
      --json             Print JSON, one object per line
  -z, --null             End records with NUL, and print names unquoted
      --color <WHEN>     When to use colours: auto, always or never
      --no-pager         Do not show long output in a pager
      --progress <WHEN>  When to show progress: auto, always or never
      --wait <DURATION>  How long to wait for another command: `[DURATION]`, `5min` or `forever` [default:
                         [DURATION]]
      --no-sync          Unsafe: do not wait for the disk; a power failure may lose commits
  -h, --help             Print help

Examples:
  undo checkout @                     discard unsaved changes (they are saved first)
  undo checkout @~2 -n                show what would change
  undo checkout -                     return to the previous commit or branch
  undo checkout trial                 switch to a branch
  undo checkout -b trial              create a branch here and switch to it
  undo checkout v1 -- data            restore some paths, like `undo restore --from v1 data`

"#]]);
    env.undo("help revisions").ok();
}

#[test]
fn a_message_without_its_option_is_recognised() {
    let env = history();
    env.undo("commit 'before the upgrade'").shows(str![[r#"
---- stderr ----
error: `before the upgrade` is neither in the worktree nor in the last commit
hint: to give a message: undo commit -m 'before the upgrade'
[exit 2]

"#]]);
    env.undo("commit -n before the upgrade").shows(str![[r#"
---- stderr ----
error: `before` is neither in the worktree nor in the last commit
hint: to give a message: undo commit -m 'before the upgrade'
[exit 2]

"#]]);
    env.undo("commit upgrade").shows(str![[r#"
---- stderr ----
error: `upgrade` is neither in the worktree nor in the last commit
hint: to list changed paths: undo status; to give a message: undo commit -m upgrade
[exit 2]

"#]]);
    env.undo("commit new.txt nowhere").shows(str![[r#"
---- stderr ----
error: `nowhere` is neither in the worktree nor in the last commit
hint: undo status
[exit 2]

"#]]);
    env.undo("commit -m text nowhere").shows(str![[r#"
---- stderr ----
error: `nowhere` is neither in the worktree nor in the last commit
hint: undo status
[exit 2]

"#]]);
}

#[test]
fn misspelt_commands_are_corrected_only_if_one_is_near() {
    let env = TestEnv::new();
    let hint = |line: &str| {
        let message = String::from_utf8(env.undo(line).fails(2).stderr).unwrap();
        message.trim_end().rsplit_once("hint: ").unwrap().1.to_owned()
    };
    for (typed, expected) in [
        ("lgo", "log"),
        ("comit", "commit"),
        ("statsu", "status"),
        ("brnach", "branch"),
        ("chekcout", "checkout"),
        ("tags", "tag"),
        ("op lgo", "log"),
        // Plumbing only if no other command is near.
        ("catfile", "cat-file"),
        ("lstree", "ls-tree"),
    ] {
        assert_eq!(hint(typed), format!("did you mean `{expected}`?"), "{typed}");
    }
    for typed in ["xyzzy", "foo", "ad", "frobnicate"] {
        assert_eq!(hint(typed), "undo help", "{typed}");
    }
    env.undo("ignore").shows(str![[r#"
---- stderr ----
error: unknown command `ignore`
hint: write patterns into `.undoignore`; to test a path: undo check-ignore -v PATH
[exit 2]

"#]]);
    env.undo("du").shows(str![[r#"
---- stderr ----
error: unknown command `du`
hint: undo stats for the repository, undo ls -l for files, undo log for each commit
[exit 2]

"#]]);
}

#[test]
fn numbers_that_are_not_valid_are_explained() {
    let env = history();
    let message = |line: &str| {
        let message = String::from_utf8(env.undo(line).fails(2).stderr).unwrap();
        message.lines().next().unwrap().to_owned()
    };
    for (line, expected) in [
        ("undo x", "`x` is not a number of steps: give 1 or more"),
        ("undo 0", "`0` is not a number of steps: give 1 or more"),
        ("redo -1", "`-1` is not a number of steps: give 1 or more"),
        ("undo 5000000000", "`5000000000` is too large"),
        ("log -n x", "`x` is not a number (`--max-count <N>`)"),
        ("log -n 1.5", "`1.5` is not a whole number (`--max-count <N>`)"),
        ("log -n -1", "`-1` is too small: give 0 or more (`--max-count <N>`)"),
    ] {
        assert_eq!(message(line), format!("error: {expected}"), "{line}");
    }
}

#[test]
fn a_shell_line_as_one_word_is_recognised() {
    let env = history();
    env.undo("run 'rm -rf new.txt'").shows(str![[r#"
---- stderr ----
error: cannot run `rm -rf new.txt`: no such file or directory
hint: to run a line in a shell: undo run -- sh -c 'rm -rf new.txt'
[exit 127]

"#]]);
    env.undo("run no-such-program").shows(str![[r#"
---- stderr ----
error: cannot run `no-such-program`: no such file or directory
[exit 127]

"#]]);
}

#[test]
fn paths_in_the_place_of_revisions_and_options_get_a_hint() {
    let env = history();
    env.undo("checkout -- notes.txt 'a b'").shows(str![[r#"
---- stderr ----
error: the following required arguments were not provided: <REV>
hint: to restore paths from the last commit: undo restore notes.txt 'a b'
[exit 2]

"#]]);
    env.undo("restore -x").shows(str![[r#"
---- stderr ----
error: unexpected argument `-x`
hint: to name a path that begins with `-`: undo restore -- -x
[exit 2]

"#]]);
    env.undo("forget --max-size 1K").shows(str![[r#"
---- stderr ----
error: this policy would forget every commit but the current one
hint: leave more space to the history, for example: undo forget --max-size 10G -n
[exit 4]

"#]]);
}

#[test]
fn full_standard_output_is_not_a_full_repository() {
    let env = history();
    env.shell("undo log > /dev/full").shows(str![[r#"
---- stderr ----
error: cannot write to standard output: no space left on device
[exit 13]

"#]]);
}

#[test]
fn manual_pages_have_the_names_of_values() {
    let env = history();
    let page = env.undo("man commit").ok().text();
    assert!(page.contains(".SH SYNOPSIS\nundo commit [OPTIONS] [PATH]...\n.SH DESCRIPTION"), "{page}");
    let page = env.undo("man checkout").ok().text();
    assert!(page.contains("<PATH>...]\n.br\nundo checkout [OPTIONS] \\-b <NAME> [REV]\n.br\n"), "{page}");
}
