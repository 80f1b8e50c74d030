//! `undo log`: lists commits, newest first.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::rc::Rc;

use crate::commands::format::{Format, Style};
use crate::commands::history::HistoryArgs;
use crate::commands::{Context, changes, complete, op};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::folding::{Folded, Folding};
use crate::history::graph::Graph;
use crate::history::walk::{WalkOptions, WalkedCommit};
use crate::number::pluralize;
use crate::path::selection::PathSelection;
use crate::report::End;
use crate::report::commits::{CommitRecord, Names};
use crate::terminal::text::{FoldedEntry, LogEntry, LogFormat, graph_style};
use crate::workspace::{DiffOptions, Workspace};

/// List commits, newest first
///
/// Shows the whole history, or only the ancestors of REV. `@` marks the current commit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo log -n 5
  undo log --oneline --since \"2 days ago\"
  undo log -p -- notes.txt        only commits that change it
  undo log v1..main
  undo log --target nas           commits in a target
  undo log --reverse --format '%h %an %ad%n    %s'")]
pub struct Args {
    /// Revisions, or a range `A..B`; any other words are paths
    #[arg(value_name = "REV", allow_negative_numbers = true)]
    #[arg(add = complete::with(complete::revisions_or_paths))]
    revisions: Vec<OsString>,
    /// Show only commits that change these paths
    #[arg(last = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Show at most N commits; `-5` means `-n 5`
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    limit: Option<usize>,
    /// Show each commit on one line
    #[arg(long)]
    oneline: bool,
    /// Show commits newer than TIME
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Show commits older than TIME
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Show commits whose message matches a regular expression
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    grep: Option<String>,
    /// Show commits whose author matches a regular expression
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    author: Option<String>,
    /// Show the oldest of the commits first
    #[arg(long, conflicts_with = "follow")]
    reverse: bool,
    /// Show each commit in this format, with placeholders of git: %H %h %an %ad %ar %s %b %d %n …
    #[arg(long = "format", visible_alias = "pretty", value_name = "FORMAT", conflicts_with = "oneline")]
    #[arg(allow_hyphen_values = true)]
    template: Option<String>,
    /// Show each automatic commit beside the branches, instead of their number
    #[arg(long)]
    all: bool,
    /// Continue the history of a file at its old path, where the file was renamed
    #[arg(long)]
    follow: bool,
    /// List operations instead of commits
    #[arg(long, conflicts_with_all = ["follow", "revisions", "paths", "oneline", "since", "until", "grep", "author", "reverse", "template"])]
    ops: bool,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    history: HistoryArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    if args.template.is_none() {
        args.format.check_null(context, "undo log --json or --format FORMAT")?;
    }
    let workspace = args.history.workspace(context)?;
    if args.ops {
        return op::log(context, &workspace.repository, args.limit, args.all).map(Exit::from);
    }
    let (limits, words): (Vec<OsString>, Vec<OsString>) =
        args.revisions.iter().cloned().partition(|word| limit_of(word).is_some());
    let (revisions, mut paths) = context.split_paths(&workspace, &words);
    paths.extend_from_slice(&args.paths);
    let paths = context.selection(&workspace, &paths)?;
    let limit = args.limit.or(limits.last().and_then(|word| limit_of(word)));
    let options = args.options(context, &workspace, &revisions, paths.clone())?;
    let folding = (!args.all && !args.follow).then(|| Folding::new(workspace.view(), &options.from));
    // A limit counts only the commits that are listed.
    let options = WalkOptions { limit: limit.filter(|_| folding.is_none()), ..options };
    if limit.is_none() {
        args.history.read_ahead(context, &workspace)?;
    }
    let (style, renames) = (args.format.style(), args.format.renames.options());
    // With commits left out, the graph would have gaps.
    let is_filtered = args.since.is_some() || args.until.is_some() || args.grep.is_some() || args.author.is_some();
    let is_whole = !is_filtered && paths.is_all();
    let template = args.template.as_deref().map(LogFormat::parse).transpose()?.map(Rc::new);
    let has_graph = is_whole && style.is_none() && !args.reverse && template.is_none();
    let drawing = graph_style();
    let mut graph = has_graph.then(|| Graph::new(drawing));
    let mut costs = workspace.costs();
    let mut names = Names::of_all(workspace.view());
    let (mut count, mut has_folded, mut exit) = (0, false, Exit::SUCCESS);
    context.ui.page_long_output();
    let items: Box<dyn Iterator<Item = _>> = match (args.follow, paths.as_paths().as_deref()) {
        (false, _) => Box::new(workspace.log(options)?.map(|item| item.map(|walked| (walked, paths.clone())))),
        (true, Some([path])) => {
            let followed = workspace.follow(options, path.clone(), renames)?;
            Box::new(followed.map(|item| item.map(|(walked, paths)| (walked, PathSelection::of_paths(paths)))))
        }
        _ => {
            let message = "`--follow` requires exactly one path";
            return Err(Error::new(ErrorKind::Usage, message).hint("undo log --follow -- PATH"));
        }
    };
    let items = Listed { items, folding, limit, next: None };
    let items = match args.reverse {
        true => Box::new(items.collect::<Vec<_>>().into_iter().rev()) as Box<dyn Iterator<Item = _>>,
        false => Box::new(items),
    };
    let mut prefix = String::new();
    for item in items {
        let (WalkedCommit { id, commit, parents }, paths) = match item {
            Err(error) if error.kind() == ErrorKind::Damaged => {
                context.ui.warning(format_args!("skipped: {error}"));
                exit = ErrorKind::Damaged.exit();
                continue;
            }
            Ok(Row::Folded(folded)) => {
                if template.is_none() {
                    has_folded = true;
                    context.ui.show(&FoldedEntry::new(folded, prefix.clone(), args.oneline, drawing))?;
                }
                continue;
            }
            Ok(Row::Commit(walked, paths)) => (*walked, paths),
            Err(error) => return Err(error),
        };
        let names = names.remove(&id).unwrap_or_default();
        let row = graph.as_mut().map(|graph| graph.row(id, &parents, names.is_at));
        prefix = row.as_ref().map_or_else(String::new, |row| row.prefix(usize::MAX).to_owned());
        let record = CommitRecord::new(id, &commit, names, costs.of(id)?).in_history(workspace.view());
        let gap = count > 0 && style.is_some_and(|style| !matches!(style, Style::Patch(_)));
        let entry = LogEntry { record, row, oneline: args.oneline, format: template.clone(), gap, drawing };
        context.ui.show(&entry)?;
        if let Some(style) = style {
            let options = DiffOptions { paths, renames, ..DiffOptions::default() };
            changes::show(context, &workspace.diff_commit(&commit, options)?, style)?;
        }
        count += 1;
    }
    context.ui.show(&End { count })?;
    if count == 0 && !has_folded {
        context.ui.status(match paths.included() {
            [] if is_whole => "no commits",
            [] => "no commits match",
            included => pluralize(included.len(), "no commit changes this path", "no commit changes these paths"),
        });
    }
    Ok(exit)
}

/// A row of the log.
enum Row {
    Commit(Box<WalkedCommit>, PathSelection),
    /// Automatic commits, of which only the number is shown.
    Folded(Folded),
}

/// Commits of a walk, each with the paths to show, and those that are folded between them.
struct Listed<'w> {
    items: Box<dyn Iterator<Item = Result<(WalkedCommit, PathSelection)>> + 'w>,
    folding: Option<Folding>,
    /// Number of commits that may still be listed.
    limit: Option<usize>,
    /// Follows the folded commits before it.
    next: Option<Row>,
}

impl Iterator for Listed<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        if let Some(row) = self.next.take() {
            return Some(Ok(row));
        }
        if self.limit == Some(0) {
            return None;
        }
        loop {
            let (walked, paths) = match self.items.next() {
                Some(Ok(item)) => item,
                Some(Err(error)) => return Some(Err(error)),
                None => return self.folding.as_mut().and_then(Folding::take).map(|folded| Ok(Row::Folded(folded))),
            };
            if self.folding.as_mut().is_some_and(|folding| folding.folds(&walked)) {
                continue;
            }
            self.limit = self.limit.map(|limit| limit - 1);
            let row = Row::Commit(Box::new(walked), paths);
            let Some(folded) = self.folding.as_mut().and_then(Folding::take) else { return Some(Ok(row)) };
            self.next = Some(row);
            return Some(Ok(Row::Folded(folded)));
        }
    }
}

/// `-5` is a limit of 5.
fn limit_of(word: &OsStr) -> Option<usize> {
    word.to_str()?.strip_prefix('-')?.parse().ok()
}

impl Args {
    fn options(
        &self,
        context: &Context<'_>,
        workspace: &Workspace,
        revisions: &[String],
        paths: PathSelection,
    ) -> Result<WalkOptions> {
        let mut options = WalkOptions { paths, ..WalkOptions::default() };
        (options.grep, options.author) = (self.grep.clone(), self.author.clone());
        for text in revisions {
            let commit = || context.revision(workspace, text);
            options.add(workspace.resolve_range(text)?, commit)?;
        }
        (options.since, options.until) = context.period(&self.since, &self.until)?;
        Ok(options)
    }
}
