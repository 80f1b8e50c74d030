//! Reading the content of files and streams.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::object::groups;
use crate::progress::Silent;
use crate::worktree::content::{Reading, Step};
use crate::worktree::sink::{HashSink, Sink};

fn file_with(pieces: &[(u64, &[u8])], length: u64) -> File {
    let mut file = tempfile::tempfile().unwrap();
    for (offset, bytes) in pieces {
        file.seek(SeekFrom::Start(*offset)).unwrap();
        file.write_all(bytes).unwrap();
    }
    file.set_len(length).unwrap();
    file
}

#[test]
fn long_holes_are_reported_and_short_ones_are_zeros() {
    let file = file_with(&[(0, b"abc"), (10, b"xyz")], 1000);
    let mut reading = Reading::new(&file, 1000, &[(3, 7), (13, 987)], &Silent);
    let mut buffer = [1; 64];
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(13));
    assert_eq!(&buffer[..13], b"abc\0\0\0\0\0\0\0xyz");
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Hole(987));
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
    assert_eq!((reading.position(), reading.bytes_read()), (1000, 6));
}

/// Checked early, because the list of its groups alone would fill memory.
#[test]
fn files_longer_than_any_blob_are_rejected() {
    let file = file_with(&[(0, b"abc")], 3);
    let mut reading = Reading::new(&file, 1 << 60, &[(3, 1 << 60)], &Silent);
    let mut buffer = [1; 64];
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(3));
    assert_eq!(reading.next(&mut buffer, 100).unwrap_err().io_cause().unwrap().raw_os_error(), Some(27));
    assert!(reading.failed());
    let mut stream = io::repeat(0);
    let mut reading = Reading::stream(&mut stream, "stdin", &Silent);
    reading.position = groups::LONGEST - 64;
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(64));
    let error = reading.next(&mut buffer, 100).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `stdin`: file too large");
}

#[test]
fn a_truncated_file_ends_early() {
    let file = file_with(&[(0, b"abc")], 3);
    let mut reading = Reading::new(&file, 1000, &[(500, 500)], &Silent);
    let mut buffer = [0; 64];
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(3));
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
}

#[test]
fn streams_are_read_to_the_end() {
    let mut stream = b"ab".chain(&b"cde"[..]).chain(&b""[..]);
    let mut reading = Reading::stream(&mut stream, "stdin", &Silent);
    let mut buffer = [0; 4];
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(4));
    assert_eq!(&buffer, b"abcd");
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::Data(1));
    assert_eq!(reading.next(&mut buffer, 100).unwrap(), Step::End);
    assert_eq!(reading.position(), 5);
}

#[test]
fn holes_do_not_change_the_hash() {
    let file = file_with(&[(0, b"abc"), (2_000_000, b"end")], 3_000_000);
    let holes = [(3, 1_999_997), (2_000_003, 999_997)];
    let with = HashSink::new().read(&mut Reading::new(&file, 3_000_000, &holes, &Silent)).unwrap();
    let without = HashSink::new().read(&mut Reading::new(&file, 3_000_000, &[], &Silent)).unwrap();
    assert_eq!(with, without);
}
