//! `undo init`: creates a repository.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, FileLock, WideRoot};
use crate::metadata::Kind;
use crate::path::REPOSITORY;
use crate::quote::{shell_path, shell_word};
use crate::repo::layout::{Layout, marker};
use crate::repo::{Joining, Repository};
use crate::report::refs::InitRecord;
use crate::workspace::Workspace;
use crate::worktree::paths;

/// Create a repository for a directory
///
/// Creates the directory `.undo` in it. With `--store` or `--outside`, `.undo` is a file that names the directory with the history. Nothing
/// else is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo init
  undo init --outside                        keep the history when the directory is removed
  undo init data --store /backup/data.undo   keep the history on another disk
  undo init copy --store /backup/data.undo --branch copy")]
pub struct Args {
    /// Directory to record [default: the current directory]
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// Store the history in DIR instead of `.undo`, or attach an existing store
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    store: Option<PathBuf>,
    /// Store the history in the user's state directory, where it survives the removal of the directory
    #[arg(long, conflicts_with_all = ["store", "branch", "moved"])]
    outside: bool,
    /// Attach a copy of the directory that uses the store, on its own branch NAME
    #[arg(long, value_name = "NAME", conflicts_with = "moved")]
    branch: Option<String>,
    /// Attach the directory that uses the store, which was moved here
    #[arg(long)]
    moved: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let worktree = match &args.directory {
        Some(directory) => context.place(directory)?,
        None => context.place(Path::new("."))?,
    };
    let store = args.store.as_ref().map(|store| context.place(store)).transpose()?;
    let joining = match &args.branch {
        Some(branch) => Joining::Branch(branch.clone()),
        None if args.moved => Joining::Moved,
        None => Joining::Ask,
    };
    let mut repository = match args.outside {
        true => make_outside(context, &worktree)?,
        false => make(context, &worktree, store.as_deref(), &joining)?,
    };
    context.report_checkout(&mut repository)?;
    if repository.state().intent.is_some() {
        return Ok(());
    }
    let has_history = repository.view().at().is_some();
    context.ui.hint(match has_history {
        // A copy may have different content.
        true if joining != Joining::Ask => "to see changes since the last commit of its branch: undo status",
        true => "to see what can be restored: undo log",
        false => "to record the directory: undo commit -m \"as it was\"",
    });
    Ok(())
}

/// Creates or attaches a repository and reports its location.
pub fn make(context: &Context<'_>, worktree: &Path, store: Option<&Path>, joining: &Joining) -> Result<Repository> {
    let known = match *joining == Joining::Ask || !fs::exists(worktree)? {
        true => None,
        false => Layout::at(&fs::canonicalize(worktree)?)?,
    };
    let repository = match known {
        Some(layout) => {
            let mut repository = Repository::open(layout, context.environment.clone())?;
            repository.join(joining)?;
            repository
        }
        None => Repository::init_as(worktree, store, joining, context.environment.clone())?,
    };
    report(context, &repository, repository.view().heads.is_empty())?;
    if store.is_some() && !repository.view().heads.is_empty() {
        warn_of_content(context, &repository.layout.worktree)?;
    }
    Ok(repository)
}

/// Creates a repository in the user's state directory and reports its location.
fn make_outside(context: &Context<'_>, worktree: &Path) -> Result<Repository> {
    let mut workspace = Workspace::init_outside(worktree, context.environment.clone())?;
    let notices = workspace.take_notices();
    report(context, &workspace.repository, true)?;
    context.report_notices(&notices);
    Ok(workspace.repository)
}

/// Reports where a repository is, and what is special about it or its directory. `is_new`: it was created, not attached.
pub fn report(context: &Context<'_>, repository: &Repository, is_new: bool) -> Result<()> {
    let owner = repository.layout.owner().map_or_else(fs::effective_uid, |owner| owner.uid);
    context.ui.outcome(&InitRecord {
        worktree: repository.layout.worktree.display().to_string(),
        repository: repository.layout.repository.display().to_string(),
        commits: !repository.view().heads.is_empty(),
        is_new,
        owner: fs::name_of_user(owner),
        is_given: is_new && owner != fs::effective_uid(),
        branch: repository.view().current.clone(),
        is_outside: repository.layout.is_outside(),
        is_secondary: repository.state().directory().is_some(),
    })?;
    warn_of_wide_roots(context, &repository.layout.worktree)?;
    if !FileLock::is_supported(&repository.layout.lock()) {
        context.ui.warning(
            "this file system has no locks (Lustre has them with the mount option `flock`, NFS with lockd or `local_lock=flock`): \
             a lock file is used, which must be removed by hand after a crash on another machine or a restart",
        );
    }
    if repository.layout.is_elsewhere() {
        hint_to_exclude(context, &repository.layout);
    }
    Ok(())
}

/// A file `.undo` cannot hold rules for git, but the folder can.
fn hint_to_exclude(context: &Context<'_>, layout: &Layout) {
    let is_git = |directory: &&Path| fs::exists(&directory.join(".git")).unwrap_or(false);
    let Some(git) = layout.worktree.ancestors().find(is_git) else { return };
    let path = layout.marker().strip_prefix(git).map(Path::to_owned).unwrap_or_default();
    let rule = shell_word(&[b"/", path.as_os_str().as_bytes()].concat()).into_owned();
    let directory = shell_path(git).into_owned();
    context.ui.hint(format_args!(
        "keep git from removing `.undo`: echo {rule} >> \"$(git -C {directory} rev-parse --path-format=absolute --git-path info/exclude)\""
    ));
}

/// Warns that existing files count as changes since the last commit of the store.
fn warn_of_content(context: &Context<'_>, worktree: &Path) -> Result<()> {
    if fs::list(worktree)?.iter().any(|name| name != REPOSITORY) {
        let directory = worktree.display();
        context
            .ui
            .warning(format_args!("`{directory}` is not empty: its files count as changes since the last commit"));
    }
    Ok(())
}

/// Creates a repository in the current directory for a commit of these paths. Returns `error` if a `.undo` file names a
/// missing store.
pub fn make_here(context: &Context<'_>, paths: &[PathBuf], error: Error) -> Result<Repository> {
    let here = context.place(Path::new("."))?;
    if fs::stat(&marker(&here))?.is_some_and(|stat| stat.kind == Kind::File) {
        // A new repository must not replace the missing store.
        return Err(error);
    }
    // A mistyped path must not create a repository.
    for path in paths::resolve(&here, &here, paths)? {
        if !fs::exists(&here.join(path.as_path()))? {
            return Err(Error::new(ErrorKind::NotFound, format!("no `{}` here", path.display()))
                .hint("name existing paths, or none to record everything"));
        }
    }
    make(context, &here, None, &Joining::Ask)
}

/// Warns if the directory is unusually large: the root, a home directory or a file system.
fn warn_of_wide_roots(context: &Context<'_>, worktree: &Path) -> Result<()> {
    let what = match fs::wide_root(worktree)? {
        Some(WideRoot::System) => "the whole system",
        Some(WideRoot::Home) => "your whole home directory",
        Some(WideRoot::FileSystem) => "a whole file system",
        None => return Ok(()),
    };
    context
        .ui
        .warning(format_args!("this is {what}: all of it will be recorded; list paths to exclude in `.undoignore`"));
    Ok(())
}
