//! Targets over SFTP and in S3, from the command line; and storage that cannot hold one safely.

use super::copies::{files, with_history};
use crate::env::TestEnv;
use crate::servers::proxy::{Fault, Proxy};
use crate::servers::s3::{Bucket, KEY};
use crate::servers::sshd::Sshd;
use crate::tree::{Tree, assert_same};

/// The options of `target add` for a prefix of a bucket.
fn s3(env: &TestEnv, bucket: &Bucket, prefix: &str) -> String {
    env.set("AWS_ACCESS_KEY_ID", KEY.0);
    env.set("AWS_SECRET_ACCESS_KEY", KEY.1);
    env.set("AWS_REGION", "us-east-1");
    format!("s3://{}/{prefix} --endpoint {}", bucket.name, bucket.endpoint)
}

/// The URL of a folder on a server, whose client is the first `ssh` of the search path.
fn sftp(env: &TestEnv, sshd: &Sshd, folder: &str) -> String {
    let path = std::env::var("PATH").unwrap();
    env.set("PATH", format!("{}:{path}", sshd.program().parent().unwrap().display()));
    let address = sshd.address(folder);
    format!("sftp://127.0.0.1:{}{}", address.port.unwrap(), address.path)
}

fn check_round_trip(env: &TestEnv, url: &str) {
    env.undo(&format!("target add elsewhere {url}")).ok();
    env.undo("push").ok();
    env.write("notes.txt", "changed\n");
    env.undo("commit").ok();
    env.undo("push").ok();
    env.undo("verify --target elsewhere").ok();
    env.undo("gc --target elsewhere").ok();
    env.set("HOME", env.root().join("other"));
    env.undo(&format!("clone {url} ../clone")).ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
    env.undo("-C ../clone verify").ok();
    env.undo("-C ../clone drill").ok();
}

#[test]
fn a_server_over_ssh_holds_a_target() {
    let Some(sshd) = Sshd::start("") else { return };
    let env = with_history();
    check_round_trip(&env, &sftp(&env, &sshd, "target"));
}

#[test]
fn a_bucket_holds_a_target() {
    let Some(bucket) = Bucket::new() else { return };
    let env = with_history();
    check_round_trip(&env, &s3(&env, &bucket, "a/target"));
}

#[test]
fn storage_that_lets_a_second_writer_replace_a_file_is_refused() {
    let Some(bucket) = Bucket::new() else { return };
    let proxy = Proxy::start(&bucket, |request| match request.method.as_str() {
        "PUT" => Fault::StripConditions,
        _ => Fault::None,
    });
    let env = with_history();
    let output = env.undo(&format!("target add elsewhere {}", s3(&env, &proxy.bucket, "a"))).fails(4);
    assert!(output.to_string().contains("this storage lets a second writer replace a file"), "{output}");
    env.undo("push").fails(2);
    // A server over SSH that has no links.
    let Some(sshd) = Sshd::start("-P hardlink") else { return };
    let output = env.undo(&format!("target add elsewhere {}", sftp(&env, &sshd, "target"))).fails(4);
    assert!(output.to_string().contains("this server lacks hardlink@openssh.com"), "{output}");
    assert_eq!(files(&sshd.path("target")), []);
}

#[test]
fn a_server_that_cannot_flush_is_named_in_a_warning() {
    let Some(sshd) = Sshd::start("-P fsync") else { return };
    let env = with_history();
    let output = env.undo(&format!("target add elsewhere {}", sftp(&env, &sshd, "target"))).ok();
    assert!(output.to_string().contains("warning: the server lacks fsync@openssh.com"), "{output}");
}
