//! Help, usage errors, closed pipes.

use snapbox::str;

use crate::env::TestEnv;
use crate::output::history;

#[test]
fn invalid_usage_exits_2() {
    let env = history();
    env.undo("comit").shows(str![[r#"
---- stderr ----
error: unrecognized subcommand `comit`
hint: did you mean `commit`?
[exit 2]

"#]]);
    env.undo("--json comit").shows(str![[r#"
---- stderr ----
{"type":"error","code":"usage","message":"unrecognized subcommand `comit`","hint":"did you mean `commit`?","exit":2,"paths":[]}
[exit 2]

"#]]);
    env.undo("checkout").shows(str![[r#"
---- stderr ----
error: the following required arguments were not provided: <REV>
hint: usage: undo checkout <REV> [-- <PATH>...]
[exit 2]

"#]]);
    // An option with only the same ending is not suggested.
    for (line, hint) in [
        ("log --reverse", "undo help log"),
        ("add .", "undo commit"),
        ("commit -am x", "all is recorded always"),
        ("log --onelin", "did you mean `--oneline`?"),
        ("log --graph -p", "the graph is shown already"),
    ] {
        let output = env.undo(line);
        assert!(String::from_utf8_lossy(&output.stderr).contains(hint), "{output}");
    }
    env.undo("help op log").ok();
    env.undo("man op log").ok();
    env.undo("ls notes.txt").shows(str![[r#"
---- stderr ----
error: no revision `notes.txt`
hint: as it was recorded last: undo ls @:notes.txt
[exit 2]

"#]]);
    env.undo("help nonsense").shows(str![[r#"
---- stderr ----
error: no command or topic `nonsense`
hint: undo help
[exit 2]

"#]]);
    env.undo("checkout nonsense").shows(str![[r#"
---- stderr ----
error: no revision `nonsense`
hint: see all commits with `undo log`, and names with `undo branch` and `undo tag`
[exit 2]

"#]]);
    env.undo("checkout notes.txt").shows(str![[r#"
---- stderr ----
error: no revision `notes.txt`
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

Type `undo commit` before anything scary. One command takes it all back,
exactly.

Usage: undo [OPTIONS] [COMMAND]

Record:
  init         Start to record a directory
  commit       Record the directory as it is now
  run          Run a command, and record the directory before and after it
  status       Show what has changed since the current commit

Look:
  log          List commits, newest first
  show         Show a commit and what it changed, or print a file in it
  diff         Show what differs between two commits, or between a commit and the directory
  ls           List what a commit holds
  cat          Print a file as it was recorded

Go back:
  checkout     Make the whole directory exactly what a commit holds
  restore      Make some paths exactly what a commit holds
  undo         Take back what was done last
  redo         Do again what was taken back
  op           List what was done, and go back to any state
  export       Write a commit to another place

Name:
  branch       List, make, rename or delete branches
  tag          List, make, rename or delete tags

Look after:
  verify       Check that all that was recorded is there

Set up:
  config       Show or change settings
  completions  Print the script that teaches a shell to complete
  man          Print a manual page
  help         Explain a command or a topic

For scripts (undo help plumbing):
  cat-file, check-ignore, checkout-tree, commit-tree, count-objects, diff-tree,
  hash-object, ls-files, ls-tree, mklinks, mktree, rev-list, rev-parse, show-ref,
  symbolic-ref, update-ref, verify-pack, write-tree

Options:
  -C <DIR>               Run as if started in DIR
  -q, --quiet            Say less: no status, no hints
  -v, --verbose          Say more
      --json             Print JSON, one object a line
  -z, --null             End records with NUL, names raw
      --color <WHEN>     Use colours: auto, always or never
      --progress <WHEN>  Show progress: auto, always or never
      --no-sync          Unsafe: do not wait for the disk; a power cut may lose commits
  -h, --help             Print help
  -V, --version          Print version

"#]]);
    env.undo("checkout --help").shows(str![[r#"
Make the whole directory exactly what a commit holds

The current branch goes to that commit; a branch name switches to that branch.
What is unsaved is recorded first, and what came later stays in the log.
Ignored files are left alone.

Usage: undo checkout [OPTIONS] [REV] [-- <PATH>...]

Arguments:
  [REV]      Commit, branch or tag
  [PATH]...  Only these paths

Options:
  -n, --dry-run      Only show what would be done
  -f, --force        Save and replace ignored files that are in the way, and replace files that
                     programs are using
      --trust-owner  As root, also set owners, set-id bits, capabilities and devices that another
                     user recorded
      --continue     Finish a checkout that was interrupted

Global options:
  -C <DIR>               Run as if started in DIR
  -q, --quiet            Say less: no status, no hints
  -v, --verbose          Say more
      --json             Print JSON, one object a line
  -z, --null             End records with NUL, names raw
      --color <WHEN>     Use colours: auto, always or never
      --progress <WHEN>  Show progress: auto, always or never
      --no-sync          Unsafe: do not wait for the disk; a power cut may lose commits
  -h, --help             Print help

Examples:
  undo checkout @                     take back all that is unsaved
  undo checkout @~2 -n                what would happen
  undo checkout -                     where you were before
  undo checkout trial                 switch to a branch
  undo checkout v1 -- data            only some paths, as `undo restore --from v1 data`

"#]]);
    env.undo("help revisions").ok();
}
