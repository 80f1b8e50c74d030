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

use crate::commands::declare_commands;
use crate::error::{Exit, Result};

declare_commands! {
/// The plumbing commands. `undo help` does not list them; `undo help plumbing` does.
enum Command {
    #[command(hide = true)] CatFile(cat_file),
    #[command(hide = true)] CheckIgnore(check_ignore),
    #[command(hide = true)] CheckoutTree(checkout_tree),
    #[command(hide = true)] CommitTree(commit_tree),
    #[command(hide = true)] CountObjects(count_objects),
    #[command(hide = true)] DiffTree(diff_tree),
    #[command(hide = true)] HashObject(hash_object),
    #[command(hide = true)] LsFiles(ls_files),
    #[command(hide = true)] LsTree(ls_tree),
    #[command(hide = true)] Mklinks(mklinks),
    #[command(hide = true)] Mktree(mktree),
    #[command(hide = true)] RevList(rev_list),
    #[command(hide = true)] RevParse(rev_parse),
    #[command(hide = true)] ShowRef(show_ref),
    #[command(hide = true)] SymbolicRef(symbolic_ref),
    #[command(hide = true)] UpdateRef(update_ref),
    #[command(hide = true)] VerifyPack(verify_pack),
    #[command(hide = true)] WriteTree(write_tree),
}
}
