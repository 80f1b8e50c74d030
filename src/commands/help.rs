//! `undo help`: what commands do, and topics that concern them all.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;

use crate::commands::{self, Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};

/// Explain a command or a topic
#[derive(Debug, clap::Args)]
#[command(after_help = "Topics: revisions, ignore, exit-codes, environment, json, plumbing

Examples:
  undo help
  undo help checkout
  undo help op log
  undo help revisions")]
pub struct Args {
    /// A command, or a topic
    #[arg(value_name = "TOPIC", add = ArgValueCompleter::new(known))]
    topic: Vec<String>,
}

/// A topic whose text is made from the commands.
const PLUMBING: &str = "plumbing";

const TOPICS: &[(&str, &str)] = &[
    (
        "revisions",
        "How to name a commit:

  @                      the current commit
  @~3, main~2            so many commits before
  3f2a91bc               its id, or the first four digits or more
  main, v1               a branch or a tag
  latest                 the newest commit of all, automatic ones too
  -                      where you were before
  @{10 minutes ago}      what was current then
  @{2026-01-05 14:00}
  REV:path               a file or directory in a commit
  A..B                   from A to B, for `diff` and `log`

Where two sides are compared and you name none, the live directory is one of them.
",
    ),
    (
        "ignore",
        "What is left out:

  A file `.undoignore` in any directory lists patterns, as git's .gitignore does:
  `*.tmp`, `/cache/`, `!keep.tmp`. Deeper files and later lines decide. Every pattern means
  what it means in git. The file itself is recorded whatever they say, unless the directory
  that it is in is ignored. Lines that are not valid patterns, and rules files that cannot be
  used (symbolic links, files larger than 4 MiB), have no effect and are reported.

  Ignored paths are not recorded, and no command ever touches them. What was recorded and is
  ignored now is told as `ignored`, not as deleted; earlier commits keep it. Going back to a
  commit that recorded a path which is now ignored saves the ignored content first, or
  refuses.
",
    ),
    (
        "exit-codes",
        "How commands end:

  0    done
  1    done, and the answer is no (`diff --exit-code` found changes)
  2    usage: arguments that make no sense, or name what is not there
  3    finished, but incomplete: some paths were left out or are not exact; they are listed
  4    refused, since going on could lose something that is saved nowhere
  5    damage found
  6    recorded, but it looks like an accident or an attack (`commit --strict`); or a guard was not
       kept, and what the command did is taken back (`run`)
  10   no repository here
  11   another undo is at work here
  13   no space left
  14   the repository is of a later format
  70   a bug in undo
  74   the system failed to read or write
  77   the system does not permit it

A signal ends it as it ends any program, in shells with 128 + N. If it was at work on a
change, it says first what was done and what to do next.

`undo run` ends as its command does: with its status, or with 128 + N if signal N ended it.
Only these are of undo itself:

  2, 6, 11   as above
  3          as above, and the command ended with 0
  125        undo failed
  126        the command cannot be started
  127        the command is not found
  128 + N    signal N ended undo while it waited to record what the command did: it is in the
             directory, and not recorded

New codes may be added: any other number than 0 is a failure.
",
    ),
    (
        "environment",
        "What the environment changes:

  PAGER            the program that shows long output at a terminal; empty or
                   `cat`: none. Without it `less`, with FRX unless LESS is set
  NO_COLOR         not empty: no colours, unless `--color` asks for them
  CLICOLOR_FORCE   not empty and not 0: colours even where no terminal is
  LANG, LC_ALL     a UTF-8 locale: `undo log` draws its graph with lines
  TZ               the time zone of times for people
  UNDO_WORKERS     the number of threads that share work, 1 to 256; without it the
                   number of cores, at most 8
",
    ),
    (
        "json",
        "Output for programs:

  --json prints one JSON object a line, each with a \"type\". A list ends with an object of type
  \"summary\". Failures are one object of type \"error\" on stderr.

  Ids are whole, sizes in bytes, times RFC 3339 with nanoseconds. A name that is not UTF-8 has its
  exact bytes as base64 in \"path_bytes\". Fields may be added, never removed.
",
    ),
];

/// Topics and commands, and below a command its own.
fn known(current: &OsStr) -> Vec<CompletionCandidate> {
    let topics = TOPICS.iter().map(|&(name, _)| name).chain([PLUMBING]);
    let topics = topics.map(|name| complete::candidate(name, "a topic".to_owned()));
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
        "Commands for scripts, with git's names. What they print stays as it is:

{lines}
  -z ends records with NUL and leaves names raw. --json works here too.
  The grammar of every line is in docs/plumbing.md.
"
    )
}

/// Prints help.
pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut root = (context.command_line)();
    let topic = args.topic.join(" ");
    if let Some((_, text)) = TOPICS.iter().find(|(name, _)| *name == topic) {
        context.ui.help(text)?;
    } else if topic == PLUMBING {
        context.ui.help(&plumbing_overview(&root))?;
    } else {
        let command = commands::find(&mut root, &args.topic).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("no command or topic `{topic}`")).hint("undo help")
        })?;
        context.ui.help(&command.render_help().ansi().to_string())?;
    }
    Ok(Exit::DONE)
}
