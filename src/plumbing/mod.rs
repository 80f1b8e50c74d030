//! Plumbing: commands for scripts, with stable output (`docs/plumbing.md`). One file per command.

mod batch;
mod cat_file;
mod check_ignore;
mod checkout_tree;
mod commit_tree;
mod count_objects;
mod diff_tree;
mod hash_object;
mod ls_files;
mod ls_tree;
mod mklinks;
mod mktree;
mod records;
mod ref_commands;
mod ref_updates;
mod rev_list;
mod rev_parse;
mod show_ref;
mod symbolic_ref;
mod tree_input;
mod update_ref;
mod verify_pack;
mod write_tree;

use crate::commands::Context;
use crate::error::{Exit, Result};

/// The plumbing commands. `undo help` does not list them; `undo help plumbing` does.
#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
#[expect(missing_docs, reason = "a doc comment would replace the help of the command")]
pub enum Command {
    #[command(hide = true)]
    CatFile(cat_file::Args),
    #[command(hide = true)]
    CheckIgnore(check_ignore::Args),
    #[command(hide = true)]
    CheckoutTree(checkout_tree::Args),
    #[command(hide = true)]
    CommitTree(commit_tree::Args),
    #[command(hide = true)]
    CountObjects(count_objects::Args),
    #[command(hide = true)]
    DiffTree(diff_tree::Args),
    #[command(hide = true)]
    HashObject(hash_object::Args),
    #[command(hide = true)]
    LsFiles(ls_files::Args),
    #[command(hide = true)]
    LsTree(ls_tree::Args),
    #[command(hide = true)]
    Mklinks(mklinks::Args),
    #[command(hide = true)]
    Mktree(mktree::Args),
    #[command(hide = true)]
    RevList(rev_list::Args),
    #[command(hide = true)]
    RevParse(rev_parse::Args),
    #[command(hide = true)]
    ShowRef(show_ref::Args),
    #[command(hide = true)]
    SymbolicRef(symbolic_ref::Args),
    #[command(hide = true)]
    UpdateRef(update_ref::Args),
    #[command(hide = true)]
    VerifyPack(verify_pack::Args),
    #[command(hide = true)]
    WriteTree(write_tree::Args),
}

/// Runs a command.
pub fn run(context: &Context<'_>, command: Command) -> Result<Exit> {
    match command {
        Command::CatFile(args) => cat_file::run(context, &args),
        Command::CheckIgnore(args) => check_ignore::run(context, &args),
        Command::CheckoutTree(args) => checkout_tree::run(context, &args),
        Command::CommitTree(args) => commit_tree::run(context, &args),
        Command::CountObjects(_) => count_objects::run(context),
        Command::DiffTree(args) => diff_tree::run(context, &args),
        Command::HashObject(args) => hash_object::run(context, &args),
        Command::LsFiles(args) => ls_files::run(context, &args),
        Command::LsTree(args) => ls_tree::run(context, &args),
        Command::Mklinks(args) => mklinks::run(context, &args),
        Command::Mktree(args) => mktree::run(context, &args),
        Command::RevList(args) => rev_list::run(context, &args),
        Command::RevParse(args) => rev_parse::run(context, &args),
        Command::ShowRef(args) => show_ref::run(context, &args),
        Command::SymbolicRef(args) => symbolic_ref::run(context, &args),
        Command::UpdateRef(args) => update_ref::run(context, &args),
        Command::VerifyPack(args) => verify_pack::run(context, &args),
        Command::WriteTree(args) => write_tree::run(context, &args),
    }
}
