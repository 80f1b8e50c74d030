//! Credentials of S3 are found where other tools look for them.

use std::process::{Command, Stdio};

use undo::internals::remote::{Address, Options, Remote};

use crate::servers::s3::{Bucket, KEY};

/// Environment variable with the bucket and the endpoint that a child process reads.
const BUCKET: &str = "UNDO_TEST_READ_FROM";

/// The child process: reads a key. Does nothing in a normal run of the tests.
#[test]
fn reader() {
    let Ok(place) = std::env::var(BUCKET) else { return };
    let (url, endpoint) = place.split_once(' ').unwrap();
    let address = Address::parse(url, Some(endpoint), None, "/".as_ref()).unwrap();
    match Remote::new(address, Options::default()).get("data/01") {
        Ok(bytes) => println!("read {:?}", bytes.map(|bytes| bytes.len())),
        Err(error) => println!("{error:?}"),
    }
}

#[test]
fn credentials_are_found() {
    let Some(bucket) = Bucket::new() else { return };
    bucket.remote("").put("data/01", b"12345").unwrap();
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(name), text).unwrap();
    };
    let read = |variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "remote::credentials::reader", "--nocapture"]).stdin(Stdio::null());
        command
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        command.env(BUCKET, format!("s3://{} {}", bucket.name, bucket.endpoint)).envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let found = "read Some(5)";
    let (id, secret) = KEY;

    let nothing = read(&[]);
    assert!(
        nothing.contains("no credentials for `s3://") && nothing.contains("hint: set AWS_ACCESS_KEY_ID"),
        "{nothing}"
    );

    let environment = read(&[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
    assert!(environment.contains(found), "{environment}");

    write(".aws/credentials", &format!("[nas]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"));
    let profile = read(&[("AWS_PROFILE", "nas")]);
    assert!(profile.contains(found), "{profile}");

    let answer = format!(r#"{{"Version": 1, "AccessKeyId": "{id}", "SecretAccessKey": "{secret}"}}"#);
    write("answer.json", &answer);
    let program = format!("[profile tool]\ncredential_process = cat {}/answer.json\n", home.path().display());
    write(".aws/config", &program);
    let process = read(&[("AWS_PROFILE", "tool")]);
    assert!(process.contains(found), "{process}");

    let wrong = read(&[("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", "wrong")]);
    assert!(wrong.contains("SignatureDoesNotMatch") && wrong.contains("aws configure list"), "{wrong}");
}
