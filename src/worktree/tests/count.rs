//! Counting files.

use std::os::unix::fs::PermissionsExt;

use super::scan::Fixture;
use crate::error::ErrorKind;
use crate::progress::Silent;
use crate::worktree::count::{CountedEntry, FileTotals, count};

fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for (name, content) in
        [("file", "1"), ("a/one", "12"), ("a/b/two", "123"), ("c/three", "1234"), ("ignored/x", "12345")]
    {
        fixture.write(name, content);
    }
    fixture.write(".undoignore", "/ignored/\n");
    std::os::unix::fs::symlink("file", fixture.at("link")).unwrap();
    fixture
}

#[test]
fn covered_files_are_counted_without_being_opened() {
    let fixture = fixture();
    // Root may open it all the same.
    std::fs::set_permissions(fixture.at("a/one"), PermissionsExt::from_mode(0o000)).unwrap();
    let (counted, result) = count(&fixture.worktree(), &fixture.store, &|_| false, &Silent);
    result.unwrap();
    assert_eq!(counted.all, FileTotals { files: 5, bytes: 10 + 10 });
    let entries: Vec<_> = counted.entries.into_iter().collect();
    let expected = [(".undoignore", false, 1, 10), ("a", true, 2, 5), ("c", true, 1, 4), ("file", false, 1, 1)];
    let entry = |is_directory, files, bytes| CountedEntry { totals: FileTotals { files, bytes }, is_directory };
    assert_eq!(
        entries,
        expected.map(|(name, is_directory, files, bytes)| (name.into(), entry(is_directory, files, bytes)))
    );
}

#[test]
fn counting_ends_when_there_are_enough() {
    let fixture = fixture();
    let (counted, result) = count(&fixture.worktree(), &fixture.store, &|all| all.files == 2, &Silent);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(counted.all.files, 2);
}
