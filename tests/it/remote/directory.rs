//! Storage in a directory.

use undo::error::ErrorKind;
use undo::internals::remote::{Address, Options, Remote};

use super::{check_directories_are_no_keys, check_limits, check_long_list, check_races, check_remote, limited};
use crate::safety::places::Mounted;

fn remote(directory: &tempfile::TempDir) -> Remote {
    Remote::new(Address::Directory(directory.path().join("target")), Options::default())
}

#[test]
fn a_directory_stores_keys() {
    let directory = tempfile::tempdir().unwrap();
    check_remote(&remote(&directory));
    check_directories_are_no_keys(&remote(&directory));
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

#[test]
fn a_key_that_would_fill_the_memory_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("target/data")).unwrap();
    let file = std::fs::File::create(directory.path().join("target/data/01")).unwrap();
    file.set_len(2 << 30).unwrap();
    let remote = remote(&directory);
    assert_eq!(remote.get("data/01").unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(remote.get_range("data/01", 1 << 30..(1 << 30) + 5).unwrap().unwrap(), [0; 5]);
}

#[test]
fn a_full_disk_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let Some(_disk) = Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], directory.path()) else { return };
    let remote = remote(&directory);
    remote.put("data/01", &[7; 300_000]).unwrap();
    assert_eq!(remote.put("data/02", &[7; 2_000_000]).unwrap_err().kind(), ErrorKind::NoSpace);
    assert_eq!(remote.list("data", None).unwrap().len(), 1);
    remote.put("data/03", &[7; 300_000]).unwrap();
}
