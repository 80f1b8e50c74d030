//! Four pushers, a collector and two readers use one target at the same time, and are killed at random. Afterwards the target is
//! undamaged, everything acknowledged is in it, and every clone was exact.
//!
//! `UNDO_TEST_SOAK=300` runs for 300 seconds on each storage; `UNDO_TEST_SEED=N` chooses other steps. A day is three seconds here: files that
//! are older look a year old to the collector.

mod processes;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::copies::noise;
use crate::servers::proxy::{Fault, Proxy};
use crate::servers::s3::{Bucket, KEY};
use crate::servers::sshd::Sshd;
use processes::run;

/// Seconds that stand for a day.
const DAY: u64 = 3;

/// Where a target is.
pub struct Storage {
    url: String,
    /// Further options of `target add` and `clone`.
    options: Vec<String>,
    variables: Vec<(&'static str, String)>,
    /// The folder of the target, if it is on this machine: the collector lets its files be old.
    folder: Option<PathBuf>,
}

impl Storage {
    fn directory(path: &Path) -> Storage {
        Storage {
            url: path.to_str().unwrap().to_owned(),
            options: Vec::new(),
            variables: vec![("PATH", "/usr/bin:/bin".to_owned())],
            folder: Some(path.to_owned()),
        }
    }

    /// Lets files look a year old if they are older than a day.
    fn age(&self) {
        let Some(folder) = self.folder.as_ref().filter(|folder| folder.exists()) else { return };
        let age = format!("-{DAY} seconds");
        let mut find = Command::new("find");
        find.arg(folder).args([
            "-type",
            "f",
            "!",
            "-newermt",
            &age,
            "-exec",
            "touch",
            "-c",
            "-d",
            "1 year ago",
            "{}",
            "+",
        ]);
        // Files disappear meanwhile.
        let _ = find.output().unwrap();
    }
}

#[test]
fn nothing_is_lost_in_a_directory() {
    let root = tempfile::tempdir().unwrap();
    run(&Storage::directory(&root.path().join("target")));
}

#[test]
fn nothing_is_lost_over_sftp() {
    let Some(sshd) = Sshd::start("") else { return };
    let path = sshd.path("target");
    let programs = sshd.program().parent().unwrap().display().to_string();
    run(&Storage {
        url: sshd.url("target"),
        variables: vec![("PATH", format!("{programs}:/usr/bin:/bin"))],
        ..Storage::directory(&path)
    });
}

#[test]
fn nothing_is_lost_in_s3() {
    let Some(bucket) = Bucket::new() else { return };
    // The collector asks for the server's time with a file in another folder.
    let proxy = Proxy::start(&bucket, |request| match request.method == "GET" && !request.path.contains("clock") {
        true => Fault::Age(DAY),
        false => Fault::None,
    });
    run(&Storage {
        url: format!("s3://{}/target", bucket.name),
        options: vec!["--endpoint".into(), proxy.bucket.endpoint.clone()],
        variables: vec![
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.0.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", KEY.1.to_owned()),
        ],
        folder: None,
    });
}

/// Content for a file: usually short, sometimes long.
fn content(number: usize) -> Vec<u8> {
    noise(number as u64, if number.is_multiple_of(7) { 300_000 } else { 20 + number % 2000 })
}
