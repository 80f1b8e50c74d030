//! Ordinary work that resembles an accident or attack.

use std::fs;

use super::{create_repository, findings, note, png, random, status_text, text};
use crate::env::TestEnv;
use crate::skip::skip;

const NOTHING: [&str; 0] = [];

#[test]
fn first_commit_is_no_alarm() {
    let env = TestEnv::initialised();
    (0..100).for_each(|n| env.write(&note(n), random(n, 900)));
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn few_files_in_small_folder_are_no_alarm() {
    let env = create_repository(9);
    (0..9).for_each(|n| fs::remove_file(env.path().join(note(n))).unwrap());
    assert_eq!(findings(&env), NOTHING);
    (0..9).for_each(|n| env.write(&format!("pictures/{n}.png"), b""));
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn unpacked_archive_is_no_alarm() {
    let env = create_repository(30);
    env.shell("tar cf ../a.tar --exclude .undo . && mkdir new && tar xf ../a.tar -C new && tar xf ../a.tar").ok();
    (0..300).for_each(|n| env.write(&format!("new/data/{n}.bin"), random(n, 900)));
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn build_output_is_no_alarm() {
    let env = create_repository(10);
    let build = |round: usize| {
        for n in 0..60 {
            env.write(&format!("target/debug/deps/lib-{}.rlib", n + 30 * round), random(n + round, 900));
            env.write(&format!("target/debug/incremental/{n}.bin"), if round == 0 { text(n) } else { random(n, 900) });
            env.write(&format!("src/{n}.o"), random(n + 100 * round, 900));
        }
    };
    build(0);
    env.undo("commit -m built").ok();
    fs::remove_dir_all(env.path().join("target")).unwrap();
    build(1);
    assert_eq!(findings(&env), NOTHING);
    // The build is cleaned.
    env.shell("rm -r target src/*.o").ok();
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn renamed_folder_is_no_alarm() {
    let env = create_repository(60);
    env.shell("mv notes papers && mkdir archive && mv pictures archive").ok();
    assert_eq!(findings(&env), NOTHING);
    env.shell("cd papers && for f in */*.txt; do mv $f ${f%.txt}.md; done").ok();
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn reencoded_pictures_are_no_alarm() {
    let env = create_repository(60);
    (0..50).for_each(|n| env.write(&format!("pictures/{n}.png"), png(n + 500)));
    assert_eq!(status_text(&env), ["note: 50 media files were rewritten; their types still fit their names",]);
    assert_eq!(findings(&env), ["note rewritten"]);
    assert_eq!(env.undo("log --json").ok().json()[0]["suspicious"], false);
}

#[test]
fn converted_pictures_are_no_alarm() {
    let env = create_repository(60);
    for n in 0..60 {
        fs::remove_file(env.path().join(format!("pictures/{n}.png"))).unwrap();
        env.write(&format!("pictures/{n}.webp"), [b"RIFF\0\0\0\0WEBP".to_vec(), random(n, 900)].concat());
    }
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn git_checkout_is_no_alarm() {
    let env = TestEnv::new();
    env.write("own.txt", b"x");
    let git = "git -c user.name=t -c user.email=t@t";
    if env.shell("git --version").code != 0 {
        return skip("git is not installed");
    }
    (0..80).for_each(|n| env.write(&format!("code/src/{n}.rs"), text(n)));
    env.shell(&format!("cd code && git init -q -b main && git add . && {git} commit -qm one")).ok();
    let branch = "git checkout -q --orphan pages && git rm -rqf . && mkdir -p site && echo hello > site/index.html";
    env.shell(&format!("cd code && {branch} && git add . && {git} commit -qm two && git checkout -q main")).ok();
    env.undo("commit --init -m main").ok();
    env.shell("cd code && git checkout -q pages").ok();
    assert_eq!(findings(&env), NOTHING);
    env.shell("cd code && git checkout -q main && git gc -q").ok();
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn rotated_logs_are_no_alarm() {
    let env = TestEnv::initialised();
    let rotate = "for f in log/*.log; do [ -e $f.1 ] && gzip -c $f.1 > $f.2.gz; mv $f $f.1; : > $f; done";
    for day in 0..4 {
        (0..30).for_each(|n| env.write(&format!("log/{n}.log"), text(n + 100 * day)));
        env.undo("commit -m day").ok();
        env.shell(rotate).ok();
        assert_eq!(findings(&env), NOTHING, "day {day}");
    }
    // Compressed immediately, with a date in the name.
    (0..30).for_each(|n| env.write(&format!("log/{n}.log"), text(n + 900)));
    env.undo("commit -m day").ok();
    env.shell("for f in log/*.log; do gzip -c $f > $f-20260105.gz; : > $f; done").ok();
    assert_eq!(findings(&env), ["note compressed"]);
}

#[test]
fn compressed_folder_is_no_alarm() {
    let env = create_repository(60);
    env.shell("gzip -r notes").ok();
    assert_eq!(findings(&env), ["note compressed"]);
    env.shell("gunzip -r notes").ok();
    assert_eq!(findings(&env), NOTHING);
}

#[test]
fn replaced_dataset_is_no_alarm() {
    let env = TestEnv::initialised();
    let table = |seed: usize| -> String { (0..90).map(|row| format!("{row},{},{seed}\n", row * seed)).collect() };
    (0..80).for_each(|n| env.write(&format!("data/part-{n}.csv"), table(n)));
    env.undo("commit -m one").ok();
    (0..80).for_each(|n| env.write(&format!("data/part-{n}.csv"), table(n + 7)));
    assert_eq!(findings(&env), NOTHING);
    // Under other names, as many tools do.
    fs::remove_dir_all(env.path().join("data")).unwrap();
    (0..75).for_each(|n| env.write(&format!("data/part-{}.csv", blake3::hash(&[n])), table(n.into())));
    assert_eq!(findings(&env), NOTHING);
}
