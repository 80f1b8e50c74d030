//! Storage in a directory.

use undo::error::ErrorKind;
use undo::internals::remote::{Address, Options, Remote};

use super::{check_limits, check_long_list, check_races, check_remote, limited};

fn remote(directory: &tempfile::TempDir) -> Remote {
    Remote::new(Address::Directory(directory.path().join("target")), Options::default())
}

#[test]
fn a_directory_stores_keys() {
    let directory = tempfile::tempdir().unwrap();
    check_remote(&remote(&directory));
}

#[test]
fn one_of_two_racing_creates_wins() {
    let directory = tempfile::tempdir().unwrap();
    check_races(&remote(&directory), &remote(&directory), 100);
}

#[test]
fn listings_have_more_than_1000_keys() {
    let directory = tempfile::tempdir().unwrap();
    check_long_list(&remote(&directory));
}

#[test]
fn limits_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    check_limits(&Remote::new(Address::Directory(directory.path().to_owned()), limited()));
}

#[test]
fn a_file_in_place_of_the_directory_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("target"), "").unwrap();
    assert_eq!(remote(&directory).create("log/01", b"").unwrap_err().kind(), ErrorKind::Io);
}
