//! Plans as printed text, without a disk.

use super::memory::plan;

#[track_caller]
fn shows(live: &[&str], target: &[&str], expected: &str) {
    shows_with(live, target, &[], expected);
}

#[track_caller]
fn shows_with(live: &[&str], target: &[&str], alike: &[&str], expected: &str) {
    let lines: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let plan = plan(live, target, alike).to_string();
    assert_eq!(plan.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn plan_of_equal_sides_is_empty() {
    let side = ["a=1", "d/", "d/b=2", "d/c~d/b", "l>a", "?x"];
    shows(&side, &side, "");
    assert_eq!(plan(&side, &side, &[]).unchanged, 5);
}

#[test]
fn plan_lists_differences_in_path_order() {
    shows(
        &["a=1", "b=1", "d/", "d/x=1", "gone/", "gone/x=1", "same=1", "t=1"],
        &["a=2", "b=1@7", "d/", "d/x=1", "new/", "new/x=1", "same=1", "t>a"],
        "replace a
         touch b
         remove gone
         remove gone/x
         create new/
         create new/x
         replace t",
    );
}

#[test]
fn plan_removes_content_of_directory_replaced_by_file() {
    shows(
        &["d/", "d/e/", "d/e/x=1", "f=1"],
        &["d=1", "f/", "f/y=1"],
        "replace d
         remove d/e
         remove d/e/x
         replace f/
         create f/y",
    );
}

#[test]
fn plan_keeps_paths_not_covered_by_target() {
    shows(
        &["d/", "d/log=1", "d/x=1", "e/", "e/f/", "e/f/y=1", "g/", "g/z=1"],
        &["?d/log", "!e/f"],
        "remove d/x
         remove g
         remove g/z",
    );
}

#[test]
fn plan_keeps_ignored_paths_and_their_directory() {
    shows(&["d/", "d/x=1", "e/", "e/x=1", "?d/log"], &[], "remove d/x\nremove e\nremove e/x");
}

#[test]
fn plan_reports_uncovered_content_as_conflict() {
    shows(&["?a", "!b", "c=1"], &["a=1", "b=1", "c=2"], "replace c\nconflict a\nconflict b");
    // A directory with an ignored file that becomes another kind.
    shows(&["d/", "d/x=1", "?d/log"], &["d=1"], "replace d\nremove d/x\nconflict d/log");
    // An ignored file where a directory is wanted is listed once.
    shows(&["?d"], &["d/", "d/x=1", "d/y=1"], "conflict d");
}

#[test]
fn plan_accepts_uncovered_content_that_matches() {
    shows_with(&["?a"], &["a=1"], &["a"], "touch a");
    // Into an ignored directory, only what is not there is made.
    shows_with(&["?d"], &["d/", "d/x=1", "d/y=1"], &["d", "d/y"], "touch d/\ncreate d/x\ntouch d/y");
}

#[test]
fn plan_writes_linked_file_once() {
    shows(&[], &["a=1", "b~a", "c~a"], "create a\nlink b -> a\nlink c -> a");
    shows(&["a=1", "b~a"], &["a=2", "b~a"], "replace a\nlink b -> a");
    // The content is there under one name: no new file is needed.
    shows(&["b=1"], &["a=1", "b~a"], "link a -> b");
    shows(&["a=1", "b=1"], &["a=1", "b~a"], "link b -> a");
}

#[test]
fn plan_replaces_name_that_leaves_link_group() {
    shows(&["a=1", "b~a"], &["a=1", "b=1"], "replace b");
    shows(&["a=1", "b~a", "c~a", "d~a"], &["a=1", "b~a", "c=1", "d~c"], "replace c\nlink d -> c");
    // All others go: the one that stays can keep it.
    shows(&["a=1", "b~a"], &["b=1"], "remove a");
    shows(&["a=1", "b~a"], &["a=2", "b=1"], "replace a");
}

#[test]
fn plan_touches_linked_file_once() {
    shows(&["a=1", "b~a"], &["a=1@5", "b~a"], "touch a");
    shows(&["a=1", "b~a", "c~a"], &["a=1@5", "b~a"], "touch a\nremove c");
}

#[test]
fn plan_replaces_file_with_outside_links() {
    shows(&["^a=1"], &["a=1@5"], "replace a");
    shows(&["^a=1"], &["a=1"], "");
    shows(&["^a=1", "b~a"], &["a=1@5", "b~a"], "replace a\nlink b -> a");
    // A name that the target does not cover is not ours either.
    shows(&["a=1", "b~a"], &["a=1@5", "?b"], "replace a");
}

#[test]
fn plan_counts_unchanged_entries() {
    let plan = plan(&["a=1", "b=1", "d/", "d/x=1"], &["a=1", "b=2", "d/", "d/x=1", "n=1"], &[]);
    assert_eq!((plan.actions().count(), plan.unchanged), (2, 3));
}
