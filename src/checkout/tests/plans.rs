//! Plans as printed text, without a disk.

use super::grove::plan;

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
fn equal_sides_need_nothing() {
    let side = ["a=1", "d/", "d/b=2", "d/c~d/b", "l>a", "?x"];
    shows(&side, &side, "");
    assert_eq!(plan(&side, &side, &[]).unchanged, 5);
}

#[test]
fn only_what_differs_is_listed_in_path_order() {
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
fn a_directory_that_becomes_a_file_loses_all_that_is_recorded_in_it() {
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
fn what_the_target_ignores_or_does_not_cover_stays_and_so_does_its_directory() {
    shows(
        &["d/", "d/log=1", "d/x=1", "e/", "e/f/", "e/f/y=1", "g/", "g/z=1"],
        &["?d/log", "!e/f"],
        "remove d/x
         remove g
         remove g/z",
    );
}

#[test]
fn what_is_ignored_here_stays_and_so_does_its_directory() {
    shows(&["d/", "d/x=1", "e/", "e/x=1", "?d/log"], &[], "remove d/x\nremove e\nremove e/x");
}

#[test]
fn uncovered_content_in_the_way_is_a_conflict() {
    shows(&["?a", "!b", "c=1"], &["a=1", "b=1", "c=2"], "replace c\nconflict a\nconflict b");
    // A directory that is to be something else, and holds something ignored.
    shows(&["d/", "d/x=1", "?d/log"], &["d=1"], "replace d\nremove d/x\nconflict d/log");
    // An ignored file where a directory is wanted: told once.
    shows(&["?d"], &["d/", "d/x=1", "d/y=1"], "conflict d");
}

#[test]
fn uncovered_content_that_is_already_right_is_adopted() {
    shows_with(&["?a"], &["a=1"], &["a"], "touch a");
    // Into an ignored directory, only what is not there is made.
    shows_with(&["?d"], &["d/", "d/x=1", "d/y=1"], &["d", "d/y"], "touch d/\ncreate d/x\ntouch d/y");
}

#[test]
fn names_of_one_file_are_written_once_and_linked() {
    shows(&[], &["a=1", "b~a", "c~a"], "create a\nlink b -> a\nlink c -> a");
    shows(&["a=1", "b~a"], &["a=2", "b~a"], "replace a\nlink b -> a");
    // The content is there under one name: no new file is needed.
    shows(&["b=1"], &["a=1", "b~a"], "link a -> b");
    shows(&["a=1", "b=1"], &["a=1", "b~a"], "link b -> a");
}

#[test]
fn a_name_that_leaves_a_file_gets_one_of_its_own() {
    shows(&["a=1", "b~a"], &["a=1", "b=1"], "replace b");
    shows(&["a=1", "b~a", "c~a", "d~a"], &["a=1", "b~a", "c=1", "d~c"], "replace c\nlink d -> c");
    // All others go: the one that stays can keep it.
    shows(&["a=1", "b~a"], &["b=1"], "remove a");
    shows(&["a=1", "b~a"], &["a=2", "b=1"], "replace a");
}

#[test]
fn metadata_of_one_file_is_set_once() {
    shows(&["a=1", "b~a"], &["a=1@5", "b~a"], "touch a");
    shows(&["a=1", "b~a", "c~a"], &["a=1@5", "b~a"], "touch a\nremove c");
}

#[test]
fn a_file_with_names_that_are_not_ours_is_never_written_through() {
    shows(&["^a=1"], &["a=1@5"], "replace a");
    shows(&["^a=1"], &["a=1"], "");
    shows(&["^a=1", "b~a"], &["a=1@5", "b~a"], "replace a\nlink b -> a");
    // A name that the target does not cover is not ours either.
    shows(&["a=1", "b~a"], &["a=1@5", "?b"], "replace a");
}

#[test]
fn entries_that_are_as_they_should_be_are_counted() {
    let plan = plan(&["a=1", "b=1", "d/", "d/x=1"], &["a=1", "b=2", "d/", "d/x=1", "n=1"], &[]);
    assert_eq!((plan.actions().count(), plan.unchanged), (2, 3));
}
