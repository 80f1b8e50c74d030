//! A hint names a command that changes the directory or the branches only if the user asked for a change.

use super::{assert_none, location, sources};

/// Commands that change the directory, branches or tags. `commit` and `init` only record.
const CHANGING: [&str; 8] = [
    "undo checkout",
    "undo restore",
    "undo undo",
    "undo redo",
    "undo op restore",
    "undo branch ",
    "undo tag ",
    "undo update-ref",
];

/// Texts that name such a command: the file, the command, and what the user asked for.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("src/checkout/execution.rs", "undo checkout --continue", "the checkout that failed"),
    ("src/checkout/unfinished.rs", "undo checkout --continue", "the checkout that is unfinished"),
    ("src/cli/foreign_commands.rs", "undo checkout", "`reset`, `clean`, `stash`, `switch` and `checkout -b` of git"),
    ("src/cli/foreign_commands.rs", "undo restore", "`cherry-pick` and `restore` of git"),
    ("src/cli/foreign_commands.rs", "undo tag NAME", "`commit --amend` of git"),
    ("src/cli/interrupts.rs", "undo checkout", "the interrupted command"),
    ("src/cli/usage.rs", "undo restore", "`checkout -- PATH` of git"),
    ("src/commands/agent/hook.rs", "undo checkout --continue", "the checkout that is unfinished"),
    ("src/commands/checkout.rs", "undo checkout [OPTIONS]", "the help of `checkout`"),
    ("src/commands/checkouts/report.rs", "undo undo", "a checkout"),
    ("src/commands/checkouts/report.rs", "undo redo", "`undo`"),
    ("src/commands/checkouts/report.rs", "undo checkout", "`undo`"),
    ("src/commands/checkouts/report.rs", "undo restore --from", "a checkout"),
    ("src/commands/commit.rs", "undo checkout", "`commit`"),
    ("src/commands/commit.rs", "undo tag NAME", "`commit -m`"),
    ("src/commands/commit.rs", "undo undo", "`commit --amend`"),
    ("src/commands/forget.rs", "undo undo", "`forget`"),
    ("src/commands/overview.rs", "undo checkout --continue", "the checkout that is unfinished"),
    ("src/commands/restore.rs", "undo restore --from", "`restore`"),
    ("src/commands/refs.rs", "undo checkout", "`branch NAME`"),
    ("src/commands/run/verdict.rs", "undo undo", "`run`"),
    ("src/commands/run/verdict.rs", "undo redo", "`run`"),
    ("src/commands/run/verdict.rs", "undo op restore", "`run`"),
    ("src/plumbing/ref_commands.rs", "undo update-ref", "`update-ref`"),
    ("src/commands/purge.rs", "undo undo", "`purge`"),
    ("src/plumbing/update_ref.rs", "undo update-ref", "`update-ref`"),
    ("src/repo/directories.rs", "undo branch -D", "`branch -d`"),
    ("src/repo/directories.rs", "undo checkout", "`init --branch`"),
    ("src/workspace/checkout.rs", "undo restore", "`checkout PATH`"),
    ("src/workspace/checkout.rs", "undo checkout", "`checkout -b`"),
    ("src/workspace/commit.rs", "undo tag NAME", "`commit --amend`"),
    ("src/workspace/forget.rs", "undo tag -d", "`forget`"),
    ("src/workspace/forget.rs", "undo checkout --continue", "`forget`"),
    ("src/workspace/notice.rs", "undo checkout --continue", "the checkout that is unfinished"),
    ("src/workspace/refs.rs", "undo checkout", "`branch -d`, `branch -f`"),
    ("src/workspace/run.rs", "undo checkout", "`run`"),
    ("src/workspace/run.rs", "undo undo", "`run`"),
    ("src/workspace/steps.rs", "undo undo", "`undo`"),
    ("src/workspace/steps.rs", "undo checkout", "`undo`"),
];

#[test]
fn hints_name_changing_commands_only_if_a_change_was_requested() {
    let mut problems = Vec::new();
    for source in sources() {
        let mut is_test = false;
        for (number, line) in source.text.lines().enumerate() {
            is_test |= line.trim() == "#[cfg(test)]";
            let text = line.trim();
            // Comments, and the examples in help texts.
            let is_prose =
                text.starts_with("//") || text.starts_with("undo ") || text.starts_with("#[command(after_help");
            if is_test || is_prose || !CHANGING.iter().any(|command| text.contains(command)) {
                continue;
            }
            let path = source.path.to_string_lossy();
            let is_allowed = ALLOWED.iter().any(|(file, command, _)| path == *file && text.contains(command));
            if !is_allowed {
                problems.push(format!("{}: {text}", location(&source, number + 1)));
            }
        }
    }
    assert_none(problems);
}
