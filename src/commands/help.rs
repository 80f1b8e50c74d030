//! `undo help`: prints help for commands and topics.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use crate::commands::{self, Context, complete};
use crate::error::{Error, ErrorKind, Result};

/// Show help for a command or a topic
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Topics: revisions, dates, paths, ignore, retention, exit-codes, environment, json, agent, plumbing

Examples:
  undo help
  undo help checkout
  undo help op log
  undo help revisions"
)]
pub struct Args {
    /// Command or topic
    #[arg(value_name = "TOPIC", add = complete::with(known))]
    topic: Vec<String>,
}

/// The topic that lists the plumbing commands.
const PLUMBING: &str = "plumbing";

const TOPICS: &[(&str, &str)] = &[
    (
        "revisions",
        "Revisions:

  @                      the current commit
  @~3, main~2            an ancestor: 3 or 2 commits earlier
  3f2a91bc               a commit id, or a prefix of at least four digits
  main, v1               a branch or a tag
  latest                 the newest commit, on a branch or not; commits made by hooks count only if
                         there are no others
  -                      the previous current commit
  @{10 minutes ago}      the commit that was current at that time
  @{yesterday 9am}       see `undo help dates`
  @{prompt}, @{prompt 3} the state before the last and the third last prompt of an agent
  @{step}                the state before the last step of an agent; steps that run only `undo`
                         do not count
  REV:path               a file or directory in a commit, from the root of the worktree
  REV:./path             the same, relative to the current directory (also `REV:../path`)
  A..B                   the range from A to B, for `diff` and `log`

With fewer than two revisions, `diff` compares with the live directory.
",
    ),
    (
        "dates",
        "Dates and times, for --since, --until and @{…}:

  10 minutes ago, 2h     before now; also `an hour ago`, `last week`, `1 week 2 days`
  14:00, 9am, noon       today
  yesterday, monday      a whole day: its start for --since, its end for --until and @{…};
  2026-01-05, jan 5      `last monday` is before today
  yesterday 9am          a day and a time, in any order
  2026-01-05T14:00Z      RFC 3339, and the formats that git prints
  @1767618000            seconds since 1970-01-01 UTC

Case does not matter. Times without a zone are local.
",
    ),
    (
        "paths",
        "Paths:

  data/a.csv, ../b.csv   relative to the current directory, as commands print them
  :/data/a.csv           from the root of the worktree; `:/` is the root
  '*.csv'                a pattern: `*`, `?` and `[a-z]` match `/` too, as in git
  ':(glob)**/*.csv'      a pattern in which only `**` matches `/`
  ':!*.tmp'              an exclusion; `:/!x` from the root
  ':(literal)[x]'        a name with wildcards
  REV:data/a.csv         in a commit, from the root; `REV:./a.csv` from the current directory

Quote patterns, or the shell expands them. An argument that names an existing or recorded
path means that path. A pattern that matches a directory selects everything in it. `log`, `diff`,
`ls`, `cat` and `show` also accept deleted paths, and find their last version.

JSON, plumbing and the `a/` and `b/` headers of patches have paths from the root.
",
    ),
    (
        "ignore",
        "Ignored paths:

  A file `.undoignore` in any directory lists patterns in the syntax of git's .gitignore:
  `*.tmp`, `/cache/`, `!keep.tmp`. Rules in deeper directories and later lines take
  precedence. The file itself is always recorded, unless its directory is ignored. Lines that
  are not valid patterns, and unusable files (symbolic links, files larger than 4 MiB), have
  no effect and are reported.

  Ignored paths are not recorded, and no command changes them. A recorded path that is now
  ignored is listed as `ignored`, not as deleted; earlier commits keep it. Restoring a commit
  that recorded a path which is ignored now first saves the ignored content, or fails.
",
    ),
    (
        "retention",
        "Retention: which commits stay, and when their space comes back

`undo forget` removes commits from the history, `undo gc` returns their space.

  undo forget 3f2a91bc                   named commits, or a range A..B
  undo forget --keep-last 10             all commits that no rule keeps; several rules add up:
       --keep-hourly N, --keep-daily N, --keep-weekly N, --keep-monthly N, --keep-yearly N
       --keep-within AGE                 30d, 6w, 1y6m; counted from the newest commit
       --keep-tag PATTERN                commits of tags
       --only-automatic                  all other commits stay
       -n                                show what would stay, and why

Periods follow the calendar of your time zone; weeks begin on Monday. The newest commit of each
period stays, and periods without commits do not count.

These commits always stay: those of branches and tags, those that an unfinished checkout needs,
and for 90 days a commit that raised an alarm and the commit before it.

A forgotten commit is only hidden, so it can come back:

  undo undo                              bring the commits of the last `undo forget` back
  undo recall                            list forgotten commits
  undo recall 3f2a91bc                   bring one back

A checkout of a forgotten commit, or a new branch or tag at it, brings it back, too. Ids never
change: the history continues at the nearest commit that stays, `log` shows the gap, and `@~3`
counts the commits that stay.

After 7 days (the setting gc.grace), `undo gc` removes what only forgotten commits need. It also
starts automatically, in the background, when a command has recorded changes and about a quarter of
the repository can go. To turn that off: undo config gc.auto false

Targets keep what was pushed; `forget --target NAME` removes commits there (docs/targets.md).

Automatic commits are thinned without a command: all of them stay for 7 days, then one a day for
90 days, then one a week. The setting history.keep changes that:

  undo config history.keep all                                     keep all
  undo config history.keep 'within 30d, daily within 1y, monthly'
",
    ),
    (
        "exit-codes",
        "Exit codes:

  0    success
  1    the answer is no (`diff --exit-code` found changes), or all that was asked for was purged
  2    usage error: invalid arguments, or a name that does not exist
  3    finished but incomplete: the listed paths could not be read or restored, or are not exact.
       Sockets, other file systems, repositories in the directory and purged files are never
       recorded: they are listed, but do not change the status
  4    refused for safety: unsaved data could be lost
  5    damage found
  6    the recorded changes look like an accident or an attack (`commit --strict`), or a guard was
       exceeded and the changes were undone (`run`)
  9    not in time: the deadline has passed and nothing was recorded (`commit --deadline`)
  10   no repository
  11   locked by another undo process
  12   wrong password or key of a target
  13   no space left on the device
  14   the repository has a newer format
  70   a bug in undo
  74   input/output error, or a target cannot be reached
  77   permission denied

A signal ends undo like any program: shells report 128 + N. An interrupted command that was
changing something first prints what was done and what to do next.

`undo run` exits with the status of its command, or with 128 + N if signal N ended the command.
Exceptions:

  2, 6, 11   as above
  3          as above, and the command exited with 0
  125        undo failed
  126        the command could not be started
  127        the command was not found
  128 + N    signal N ended undo before it recorded the changes of the command, which are in the
             directory

New codes may be added. Treat every status except 0 as a failure.
",
    ),
    (
        "environment",
        "Environment variables:

  PAGER            pager for long output on a terminal; empty or `cat` for none
                   [default: less, with the options FRX unless LESS is set]
  UNDO_PAGER       pager for undo only; takes precedence over PAGER
  NO_COLOR         if not empty, disables colours unless `--color` enables them
  FORCE_COLOR, CLICOLOR_FORCE
                   if not empty and not 0, enables colours even without a terminal
  LANG, LC_ALL     in a UTF-8 locale, `undo log` draws its graph with box characters
  XDG_CONFIG_HOME  directory of `undo/config.toml` with the user's settings [default: ~/.config]
  XDG_STATE_HOME   directory of `undo`, where `undo init --outside` stores histories
                   [default: ~/.local/state]
  XDG_CACHE_HOME   directory of `undo`, where it caches what targets have [default: ~/.cache]
  TMPDIR           where `undo drill` restores files [default: /tmp]
  UNDO_PASSWORD, UNDO_NEW_PASSWORD
                   password of a target, and the new one for `undo target key add` and `rekey`
  TZ               time zone of the times in text output
  UNDO_GUARD       if `off`, the hook of `undo shell-hook` does not record before a command
  UNDO_RUN         set by `undo run` for its command: the directory that is recorded
  UNDO_WORKERS     number of worker threads, 1 to 256 [default: number of cores, at most 8]
",
    ),
    (
        "json",
        "JSON output:

  --json prints one JSON object per line, each with a \"type\". A list ends with an object of type
  \"summary\". An error is one object of type \"error\" on stderr.

  Ids are complete, sizes are in bytes, and times are RFC 3339 with nanoseconds. For a path that
  is not UTF-8, \"path_bytes\" has the exact bytes in base64. Fields may be added, never removed.
",
    ),
    (
        AGENT,
        "# undo

`undo` records this directory before each of your steps, so mistakes can be undone, including
those made by shell commands and those in binary files.

To inspect (these commands change nothing; --json prints one JSON object per line):

  undo status                      what differs from the last commit
  undo diff --stat @{prompt}       what changed since the last prompt of the user
  undo diff @{step} -- PATH        what changed since the state before your last step
  undo agent log                   the prompts and your steps, and what each changed
  undo log                         commits
  undo cat @{prompt}:PATH          a file as it was before the last prompt

To restore (unsaved changes are recorded first, so nothing is lost):

  undo restore --from @{step} PATH     a file or directory as before your last step
  undo checkout @{prompt}              the whole directory as before the last prompt
  undo undo                            undo the last step or command that changed the directory
  undo redo                            redo what `undo undo` has undone

To record a state under a name, or the changes of a command:

  undo commit -m \"before the migration\"
  undo run -- CMD

Rules:

- Never remove, move or change `.undo`: it is the history of this directory. Do not run
  `rm -rf` on the directory itself.
- `@{step}` passes over your steps that run only `undo`.
- To get an older version of a file, use the commands above. Do not rewrite it from memory.
- Tell the user before you undo more than your own last step.
- Ask the user before `undo forget`, `undo purge`, `undo gc` or `undo agent uninstall`, and
  before you change settings of undo.
- If a message says that a step was not recorded, tell the user before you continue.
",
    ),
];

/// The page for the instructions of an agent. The topic has the name of a command.
const AGENT: &str = "agent";

/// Completes topics and commands, and the subcommands of a command.
fn known(current: &OsStr) -> Vec<CompletionCandidate> {
    // The topic with the name of a command is completed as the command.
    let topics = TOPICS.iter().map(|&(name, _)| name).filter(|name| *name != AGENT).chain([PLUMBING]);
    let topics = topics.map(|name| complete::candidate(name, "topic".to_owned()));
    let mut known = complete::commands_of(current);
    if complete::follows("help") {
        known.extend(complete::keep(current, topics.collect()));
    }
    known
}

/// The hidden commands, which are plumbing.
pub fn plumbing(root: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    root.get_subcommands().filter(|command| command.is_hide_set())
}

/// The text of `undo help plumbing`.
fn plumbing_overview(root: &clap::Command) -> String {
    let line = |command: &clap::Command| {
        format!("  {:<14} {}\n", command.get_name(), command.get_about().map(ToString::to_string).unwrap_or_default())
    };
    let lines: String = plumbing(root).map(line).collect();
    format!(
        "Commands for scripts, named after git's. Their output format is stable:

{lines}
  -z ends records with NUL and leaves names unquoted. --json works here too.
  docs/plumbing.md has the grammar of each line.
"
    )
}

/// Prints help.
pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let mut root = (context.command_line)();
    let topic = args.topic.join(" ");
    if let Some((_, text)) = TOPICS.iter().find(|(name, _)| *name == topic) {
        context.ui.help(text)?;
        if topic == AGENT {
            context.ui.hint("for the commands: undo help agent install, undo agent -h");
        }
        Ok(())
    } else if topic == PLUMBING {
        context.ui.help(&plumbing_overview(&root))
    } else {
        let command = commands::find(&mut root, &args.topic).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("`{topic}` is not a command or a topic")).hint("undo help")
        })?;
        context.ui.help(&command.render_help().ansi().to_string())
    }
}
