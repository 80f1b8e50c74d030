//! Credentials that cannot delete: pushing works, collecting does not, and what an attacker with them can do.

use std::path::Path;
use std::process::Command;

use super::copies::{noise, with_history};
use crate::env::TestEnv;
use crate::servers::proxy::{Fault, Proxy};
use crate::servers::s3::{Bucket, KEY};
use crate::servers::sshd::Sshd;
use crate::tree::{Tree, assert_same};

/// Pushes, and fails to collect, with credentials that cannot delete. `add` is what `target add` needs.
fn check(env: &TestEnv, add: &str, clone: &str) {
    env.undo(&format!("target add t {add}")).ok();
    env.undo("push").ok();
    for number in 0..3 {
        env.write("notes.txt", format!("{number}"));
        env.undo("commit").ok();
        env.undo("push").ok();
    }
    env.undo("verify --target t").ok();
    // Purged content is garbage, which is condemned and not deleted.
    env.write("secret.bin", noise(3, 300_000));
    env.undo("commit").ok();
    env.undo("push").ok();
    std::fs::remove_file(env.path().join("secret.bin")).unwrap();
    env.undo("commit").ok();
    env.undo("purge secret.bin").ok();
    env.undo("push").ok();
    env.undo("gc --target t").fails(4);
    env.undo("push").ok();
    env.undo("verify --target t").ok();
    env.set("UNDO_NEW_PASSWORD", "second");
    let added = env.undo("target key add --json").ok().json();
    let id = added[0]["id"].as_str().unwrap().to_owned();
    let removed = env.undo(&format!("target key remove {}", &id[..8])).ok();
    let warning = String::from_utf8(removed.stderr).unwrap();
    assert!(warning.contains("the storage did not delete the files of the removed keys"), "{warning}");
    env.undo(&format!("clone {clone} ../clone")).ok();
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join("clone")));
}

#[test]
fn sftp_without_deletion_pushes() {
    // These are all requests that change or remove what exists, except for creating and linking.
    let Some(sshd) = Sshd::start("-P remove,rmdir,rename,posix-rename,setstat,fsetstat,lsetstat") else { return };
    let env = with_history();
    let programs = sshd.program().parent().unwrap().display().to_string();
    env.set("PATH", format!("{programs}:/usr/bin:/bin"));
    let url = sshd.url("target");
    check(&env, &url, &url);
}

#[test]
fn s3_without_deletion_pushes() {
    let Some(bucket) = Bucket::new() else { return };
    let proxy = Proxy::start(&bucket, |request| match request.method == "DELETE" {
        true => Fault::Answer(403, "AccessDenied"),
        false => Fault::None,
    });
    let env = with_history();
    env.set("AWS_ACCESS_KEY_ID", KEY.0);
    env.set("AWS_SECRET_ACCESS_KEY", KEY.1);
    let place = format!("s3://{}/target --endpoint {}", bucket.name, proxy.bucket.endpoint);
    check(&env, &place, &place.replace(" --endpoint", " --name t --endpoint"));
}

/// A target in a folder, and a second machine that has its keys.
fn two_machines() -> TestEnv {
    let env = with_history();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env
}

fn assert_clone_is_exact(env: &TestEnv, name: &str) {
    env.set("HOME", env.root().join(format!("home-{name}")));
    env.undo(&format!("clone ../target ../{name}")).ok();
    env.set("HOME", env.root().join("home"));
    assert_same(&Tree::read(&env.path()), &Tree::read(&env.root().join(name)));
}

#[test]
fn garbage_of_an_attacker_stops_nobody() {
    let env = two_machines();
    let target = env.root().join("target");
    let write = |key: &str, bytes: &[u8]| {
        let path = target.join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    // Numbers of the log: garbage, newer keys, an old entry again, and a file that fills no disk and would fill the memory.
    let newest = std::fs::read_dir(target.join("log")).unwrap().count();
    let old = std::fs::read(target.join(format!("log/{newest:016x}"))).unwrap();
    write(&format!("log/{:016x}", newest + 1), b"garbage");
    write(&format!("log/{:016x}", newest + 2), &[&2_u32.to_le_bytes()[..], &noise(1, 1020)].concat());
    write(&format!("log/{:016x}", newest + 3), &old);
    let name = |bytes: &[u8]| blake3::hash(bytes).to_string();
    let huge: Vec<String> = vec![
        format!("log/{:016x}", newest + 4),
        format!("keys/{}", name(b"huge")),
        format!("fold/{:016x}-{}", newest, name(b"huge")),
        format!("index/{}", name(b"huge")),
        format!("data/00/{}", name(b"huge")),
    ];
    for key in &huge {
        write(key, b"");
        std::fs::File::options().write(true).open(target.join(key)).unwrap().set_len(1 << 40).unwrap();
    }
    assert_clone_is_exact(&env, "before");
    env.write("notes.txt", "after the attack");
    env.undo("commit").ok();
    env.undo("push").ok();
    env.undo("verify --target disk").ok();
    assert_clone_is_exact(&env, "after");
    age(&target);
    env.undo("gc --target disk").ok();
    env.undo("push").ok();
    assert_clone_is_exact(&env, "collected");
}

/// Lets all files of a target be two days old.
fn age(folder: &Path) {
    let status = Command::new("find").arg(folder).args(["-exec", "touch", "-d", "2 days ago", "{}", "+"]).status();
    assert!(status.unwrap().success());
}
