//! `forget --target`: commits and whole directories leave a target.

use super::copies::with_history;
use crate::env::TestEnv;

fn pushed() -> TestEnv {
    let env = with_history();
    env.write("notes.txt", "third\n");
    env.undo("commit -m third").ok();
    env.undo("target add disk ../target").ok();
    env.undo("push").ok();
    env
}

#[test]
fn commits_leave_a_target_and_are_not_pushed_again() {
    let env = pushed();
    let preview = env.undo("forget --target disk --keep-last 2 -n").ok().text();
    assert!(preview.contains("forget  ") && preview.ends_with("1 commit would be forgotten, 2 kept\n"), "{preview}");
    assert_eq!(env.undo("log --target disk --format %s").ok().text(), "third\nsecond\nfirst-message\n");
    let forgotten = env.undo("forget --target disk @~1").ok();
    assert_eq!(forgotten.stdout, b"1 commit forgotten\n");
    assert_eq!(String::from_utf8(forgotten.stderr).unwrap(), "hint: to free the space: undo gc --target disk\n");
    assert_eq!(env.undo("log --target disk --format %s").ok().text(), "third\nfirst-message\n");
    let log = env.undo("log --target disk").ok().text();
    assert!(log.contains("1 commit forgotten"), "{log}");
    env.undo("push").ok();
    assert_eq!(env.undo("log --target disk --format %s").ok().text(), "third\nfirst-message\n");
    assert_eq!(env.undo("log --format %s").ok().text(), "third\nsecond\nfirst-message\n", "the directory keeps it");
    assert_eq!(env.undo("forget --target disk --keep-last 1").code, 4, "nothing but the current commit would stay");
    env.undo("push disk @~1").ok();
    assert_eq!(env.undo("log --target disk --format %s").ok().text(), "third\nsecond\nfirst-message\n");
    let lines = env.undo("forget --target disk --keep-last 2 --json").ok().json();
    let kept: Vec<_> = lines[..3].iter().map(|line| (line["type"].as_str().unwrap(), line["kept"] == true)).collect();
    assert_eq!(kept, [("judged", true), ("judged", true), ("judged", false)]);
    assert_eq!((&lines[3]["forgotten"], &lines[3]["kept"]), (&1.into(), &2.into()));
    assert_eq!(env.undo("log --target disk --format %s").ok().text(), "third\nsecond\n");
    env.undo("verify --target disk").ok();
}

#[test]
fn a_whole_directory_leaves_a_target() {
    let env = pushed();
    std::fs::create_dir(env.root().join("second")).unwrap();
    env.undo("-C ../second init").ok();
    std::fs::write(env.root().join("second/file"), "x").unwrap();
    env.undo("-C ../second commit").ok();
    env.undo("-C ../second target add disk ../target").ok();
    env.undo("-C ../second push").ok();
    let second = env.root().join("second").display().to_string();
    let preview = env.undo(&format!("forget --target disk --from {second} --all -n")).ok().text();
    assert_eq!(preview, "1 commit would be forgotten\n");
    env.undo(&format!("ls --target disk --from {second}")).ok();
    assert_eq!(env.undo(&format!("forget --target disk --from {second} --all")).ok().text(), "1 commit forgotten\n");
    assert_eq!(env.undo(&format!("ls --target disk --from {second}")).code, 2);
    env.undo("ls --target disk").ok();
    env.undo("gc --target disk").ok();
    env.undo("verify --target disk").ok();
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let env = pushed();
    for line in [
        "forget --all",
        "forget --target disk --all",
        "forget --from x @~1",
        "forget --target disk",
        "forget --target disk --max-size 1G",
        "forget --target disk --from x --all @~1",
        "forget --target disk --from x --all --keep-last 1",
        "forget --target disk --from nowhere --all",
    ] {
        assert_eq!(env.undo(line).code, 2, "{line}");
    }
}
