//! The shell hook: what `undo shell-hook SHELL --before LINE` records, and the hook in real shells.

mod amounts;
mod bash;
mod fish;
mod terminal;
mod zsh;

use std::fs;

use snapbox::str;

use crate::env::{Output, TestEnv};
use crate::errors::lock::LockHolder;
use crate::safety::places::Mounted;
use crate::skip::skip;

/// A repository in `work` with a recorded file and an unrecorded one, `data/new`.
fn repository() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("data/old", "old");
    env.undo("commit -qm first").ok();
    env.write("data/new", "new");
    env
}

/// Runs what the hook of bash runs before a line, in a directory below the root of the test.
#[track_caller]
fn before(env: &TestEnv, directory: &str, line: &str) -> Output {
    let directory = env.root().join(directory);
    env.undo(&format!("-C '{}' shell-hook bash --before '{}'", directory.display(), line.replace('\'', "\"")))
}

/// The message of the newest commit.
fn newest(env: &TestEnv) -> String {
    newest_in(env, ".", "message")
}

/// A field of the newest commit of a directory.
fn newest_in(env: &TestEnv, directory: &str, field: &str) -> String {
    env.undo(&format!("-C {directory} log --all --json -n 1")).ok().json()[0][field].as_str().unwrap().to_owned()
}

/// A file of the newest commit of a directory.
fn newest_file(env: &TestEnv, directory: &str, path: &str) -> String {
    env.undo(&format!("-C {directory} cat {}:{path}", newest_in(env, directory, "id"))).ok().text()
}

#[test]
fn state_before_a_guarded_command_is_recorded() {
    let env = repository();
    before(&env, "work", "rm -rf data").ok().shows(str![[""]]);
    assert_eq!(newest(&env), "before: rm -rf data");
    assert_eq!(newest_file(&env, ".", "data/new"), "new");
    assert_eq!(env.undo("log -n 1 --json @").ok().json()[0]["message"], "first", "the branch does not move");
    // Nothing is new, so no commit follows.
    before(&env, "work", "mv data/old data/older").ok();
    assert_eq!(newest(&env), "before: rm -rf data");
}

#[test]
fn commands_that_are_not_guarded_record_nothing() {
    let env = repository();
    for line in ["ls -r", "grep \"rm -r\" data", "rm data/new", "UNDO_GUARD=off rm -rf data", "alias x=\"rm -rf\""] {
        before(&env, "work", line).ok().shows(str![[""]]);
        assert_eq!(newest(&env), "first", "{line}");
    }
}

#[test]
fn repositories_are_found_from_the_line() {
    for (directory, line) in [
        ("work/data", "rm -r ."),
        ("work/data", "rm -r gone"),
        ("home", "mv ../work/data/old x"),
        ("home", "rm -rf ../work/*"),
        ("", "rm -rf w*/data"),
        ("", "mv work elsewhere"),
        ("", "cd work && rm -rf data"),
        ("", "cd work; cd data; rm -rf x"),
        ("", "sudo rm -r -- {work,home}/data"),
        ("home", "dd if=/dev/zero of=$HOME/../work/data/new"),
        ("home", "terraform -chdir=../work destroy"),
        ("home", "n=$((1 << 4))\nrm -rf ../work/data"),
        ("", "(cd home && ls); (cd work && rm -rf data)"),
        ("home", "case $x in (a) rm -rf ../work/data;; esac"),
        ("home", "rm -rf ../w{o..o}rk/data"),
        ("home", "bash -cx \"rm -rf ../work/data\""),
    ] {
        let env = repository();
        before(&env, directory, line).ok().shows(str![[""]]);
        assert_eq!(newest(&env), format!("before: {}", line.replace('\n', "; ")), "in {directory}");
    }
}

#[test]
fn each_repository_is_recorded_once() {
    let env = repository();
    let other = env.root().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("file"), "one").unwrap();
    env.undo("-C ../other commit -q --init").ok();
    fs::write(other.join("file"), "two").unwrap();
    before(&env, "", "mv work/data other/file other").ok().shows(str![[""]]);
    assert_eq!(newest(&env), "before: mv work/data other/file other");
    assert_eq!(newest_file(&env, "../other", "file"), "two");
}

#[test]
fn a_directory_that_lost_its_marker_is_named() {
    let env = TestEnv::new();
    env.write("data/old", "old");
    env.undo("commit -qm first --init").ok();
    env.shell("rm -r .undo && undo init -q --outside && undo commit -qm first && rm .undo").ok();
    for (directory, line) in [("work/data", "rm -rf old"), ("", "rm -rf work"), ("home", "rm -rf ../work/data/*")] {
        before(&env, directory, line).shows(str![[r#"
---- stderr ----
error: [ROOT]/work was not recorded before this command: it has no `.undo`, but `[ROOT]/home/.local/state/undo/work-[ID]` has the history of a directory at this path
hint: to continue that history: undo stores adopt [ROOT]/work
[exit 10]

"#]]);
    }
    before(&env, "home", "rm -rf none").ok();
    before(&env, "work", "ls -r").ok();
    env.undo("init").ok();
    before(&env, "", "rm -rf work/data").ok();
}

#[test]
fn a_history_that_is_deleted_with_the_directory_is_named() {
    let env = repository();
    before(&env, "", "rm -rf work").shows(str![[r#"
---- stderr ----
warning: this command deletes the history in [ROOT]/work/.undo, with every commit in it
hint: to refuse such commands in new shells: undo config --global shell.strict true
[exit 4]

"#]]);
    assert_eq!(newest(&env), "before: rm -rf work", "the command may fail half-way");
    std::os::unix::fs::symlink("work", env.root().join("link")).unwrap();
    for line in [
        "rm -r work/.undo",
        "find work -delete",
        "rsync -a --delete home/ work/",
        "rm -rf *",
        "cd work; rm -rf ../work",
        "rm -rf link/",
        "rm -rf l*/",
        "cd work; git clean -fdx",
        "git -C work clean -xdff",
        "git -C work clean -fdx -e .undoignore",
        "rsync -a --delete-excluded --exclude .undo home/ work/",
        "find . -type f -delete",
        "find . -maxdepth 1 -name \"w*\" -exec rm -rf {} +",
    ] {
        assert!(
            before(&env, "", line).fails(4).to_string().contains("deletes the history in [ROOT]/work/.undo"),
            "{line}"
        );
    }
    for line in [
        "rm -r work/data",
        "rm -rf link",
        "git -C work clean -fd",
        "git -C work clean -fdx data",
        "mv work x",
        "rsync -a --delete --exclude .undo home/ work/",
        "rsync -an --delete home/ work/",
        "rsync -a --delete home work",
        "find work -name \"*.pyc\" -delete",
        "rm -rf work/*",
        "chmod -R go= work",
    ] {
        before(&env, "", line).ok();
    }
}

#[test]
fn operands_are_expanded_where_the_command_runs() {
    let env = repository();
    for line in ["cd work && rm -rf *", "cd work; rm -rf *", "(cd work && rm -rf *)", "cd work || exit 1; rm -rf data"]
    {
        before(&env, "", line).ok();
        assert_eq!(newest(&env), "before: cd work && rm -rf *", "{line}");
    }
    for line in ["cd none; rm -rf *", "test -d x && cd home; rm -rf work", "(cd home && ls); rm -rf *"] {
        before(&env, "", line).fails(4);
    }
}

#[test]
fn a_mount_that_a_command_may_change_is_named() {
    let env = repository();
    fs::create_dir(env.path().join("disk")).unwrap();
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path().join("disk")) else {
        return skip("only root can mount a file system");
    };
    env.write("disk/file", "1");
    for (directory, line) in [("work", "rm -rf disk/*"), ("work/disk", "rm -rf file"), ("", "rm -rf work")] {
        let shown = before(&env, directory, line).to_string();
        let expected = "not recorded before this command, because something is mounted there\n";
        assert!(shown.contains(expected) && shown.contains("disk"), "{line}: {shown}");
    }
    before(&env, "work", "rm -rf disk/*").fails(3);
    before(&env, "work", "rm -rf data").ok();
}

#[test]
fn the_known_beginning_of_a_path_is_enough() {
    let env = repository();
    for (n, line) in [
        "rm -rf work/@(data|none)",
        "rm -rf work/$unset/data",
        "rm -rf work/none*",
        "rm -rf work/**/*(.)",
        "rm -rf ~+/work/data",
        "mv work/$(echo data) none",
    ]
    .iter()
    .enumerate()
    {
        env.write("data/new", format!("{n}"));
        before(&env, "", line).ok();
        assert_eq!(newest(&env), format!("before: {line}"));
    }
    let unknown = before(&env, "", "rm -rf $unset/data").fails(4);
    unknown.shows(str![[r#"
---- stderr ----
warning: cannot tell which paths this command names; they may not be recorded
[exit 4]

"#]]);
    // Not a path.
    before(&env, "", "sed -i $unset work/data/new").ok();
}

#[test]
fn a_command_during_undo_run_is_reported_unless_the_run_started_the_shell() {
    let env = repository();
    let hook = "undo shell-hook bash --before \"rm -rf data\"";
    env.shell(&format!("undo run -q -- sh -c '{hook}'")).ok().shows(str![[""]]);
    let outside = env.shell(&format!("undo run -q -- env -u UNDO_RUN sh -c '{hook}'")).fails(4);
    outside.shows(str![[r#"
---- stderr ----
error: [ROOT]/work was not recorded before this command: `undo run` is running in this directory, and records it only before and after its command
hint: wait until that run ends
[exit 4]

"#]]);
}

#[test]
fn quotes_of_fish_are_understood() {
    let env = repository();
    let mut command = env.command(env!("CARGO_BIN_EXE_undo"));
    command.args(["shell-hook", "fish", "--before", r"echo 'it\'s'; rm -rf data"]);
    assert!(command.status().unwrap().success());
    assert_eq!(newest(&env), r"before: echo 'it\'s'; rm -rf data");
}

#[test]
fn files_of_a_history_that_are_deleted_are_named() {
    let env = repository();
    fs::create_dir(env.root().join("other")).unwrap();
    env.undo("init ../other --store ../stores/one").ok();
    for (directory, line, store) in [
        ("", "rm -rf work/.undo/*", "work/.undo"),
        ("", "rm -rf work/.undo/packs", "work/.undo"),
        ("work", "cd .undo && rm -rf *", "work/.undo"),
        ("work/.undo", "rm -rf *", "work/.undo"),
        ("", "find work/.undo/packs -delete", "work/.undo"),
        ("", "rm -rf stores/one/packs", "stores/one"),
    ] {
        let shown = before(&env, directory, line).fails(4).to_string();
        let expected = format!("warning: this command deletes files of the history in [ROOT]/{store}\n");
        assert!(shown.contains(&expected), "{line}\n{shown}");
    }
}

#[test]
fn a_store_elsewhere_that_is_deleted_is_named() {
    let env = TestEnv::new();
    env.undo("init --store ../stores/one").ok();
    env.write("file", "one");
    env.undo("commit -q").ok();
    for line in ["rm -r stores", "rm -r stores/one"] {
        let shown = before(&env, "", line).fails(4).to_string();
        assert!(shown.contains("deletes the history in [ROOT]/stores/one,"), "{line}\n{shown}");
    }
}

#[test]
fn failures_are_reported_and_other_repositories_recorded() {
    let env = repository();
    let broken = env.root().join("broken");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join(".undo"), "no store").unwrap();
    let output = before(&env, "", "mv broken work").to_string();
    assert!(
        output.contains("error: ") && output.contains("[ROOT]/broken/.undo") && output.ends_with("[exit 5]\n"),
        "{output}"
    );
    assert_eq!(newest(&env), "before: mv broken work");
}

#[test]
fn a_marker_whose_store_is_gone_is_reported() {
    let env = TestEnv::new();
    env.write("a", "1");
    env.undo("init --outside").ok();
    env.undo("commit -m start").ok();
    env.shell("mv ~/.local/state/undo ../elsewhere").ok();
    for line in ["rm -rf a", "rm -rf ../work"] {
        let output = before(&env, "work", line).to_string();
        assert!(output.contains("/work/.undo` names does not exist"), "{output}");
    }
    env.undo("config --global shell.strict true").ok();
    assert_ne!(before(&env, "work", "rm -rf a").code, 0);
}

#[test]
fn a_held_lock_makes_recording_fail_in_time() {
    let env = repository();
    let holder = LockHolder::of(&env, "");
    let output = before(&env, "work", "rm -rf data").to_string();
    assert!(output.contains("error: [ROOT]/work was not recorded before this command: "), "{output}");
    assert!(output.ends_with("[exit 9]\n"), "{output}");
    drop(holder);
}

#[test]
fn guards_come_only_from_the_settings_of_the_user() {
    let env = repository();
    fs::write(env.path().join(".undo/config.toml"), "[shell]\nguard = \"\"\nstrict = true\n").unwrap();
    assert!(!env.undo("shell-hook bash").ok().text().contains("--strict"), "not strict");
    env.undo("config --global shell.guard 'default, make clean'").ok();
    assert!(
        env.undo("shell-hook bash").ok().text().contains("    make) case $2 in *' clean '*) return 0 ;; esac ;;\n")
    );
    before(&env, "work", "make -k clean");
    assert_eq!(newest(&env), "before: make -k clean");
    env.undo("config --global shell.guard 'rm $(reboot)'").shows(str![[r#"
---- stderr ----
error: invalid value `rm $(reboot)` for `shell.guard`
hint: valid values: commands such as rm -r, separated by commas; default stands for those of docs/shell.md
[exit 2]

"#]]);
    env.undo("config --global shell.strict true").ok();
    assert!(env.undo("shell-hook bash").ok().text().contains("--strict"), "strict");
}

/// Lines that are guarded by default.
const GUARDED: [&str; 35] = [
    "rm -r data",
    "rm data -fr",
    "rm -vvfR data",
    "rm --recursive data",
    "/bin/rm -r data",
    "\\rm '-r' data",
    "'rm' \"-r\" data",
    "(rm -r data)",
    "ls;rm -r data",
    "ls|rm -r data&&ls",
    "sudo -u bob -- rm -r data",
    "A=b rm -r data",
    "env A=b nice -n 10 rm -r data",
    "echo $(rm -r data)",
    "echo `rm -r data`",
    "sh -c 'rm -r data'",
    "eval \"rm -r data\"",
    "if true; then\n\trm -r data\nfi",
    "for n in data; do rm -r $n; done",
    "ls | xargs -0 rm -r",
    "find a -type f | xargs rm -f",
    "mv a b",
    "mv\ta\tb",
    "dd if=a of=b",
    "truncate -s 0 a",
    "rsync -a --delete-after a/ b/",
    "git reset --hard",
    "git -C a reset HEAD~1 --hard",
    "git checkout .",
    "git switch -f main",
    "terraform -chdir=a destroy",
    "find a -delete",
    "find a -exec rm {} +",
    "sed -Ei.bak s/a/b/ c",
    "sed --in-place=.bak s/a/b/ c",
];

/// Lines that are not guarded, and must not start a process.
const ORDINARY: [&str; 16] = [
    "ls -r",
    "rm data",
    "rm -f bar",
    "rm -i a-r",
    "rmdir -p a",
    "git status --short",
    "git reset HEAD",
    "git log --hard",
    "mvn clean install",
    "sed s/a/b/ c",
    "chmod 644 a",
    "rsync -a a/ b/",
    "find a -name 'x*'",
    "vim notes",
    "echo \"$x\" | sort -r",
    "add rm.txt",
];

/// The script of a shell finds all lines that the program guards, and few others.
#[test]
fn scripts_find_guarded_lines() {
    let env = TestEnv::new();
    for line in GUARDED {
        let env = repository();
        env.command(env!("CARGO_BIN_EXE_undo")).args(["shell-hook", "zsh", "--before", line]).output().unwrap();
        assert!(newest(&env).starts_with("before: "), "{line}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = env.undo(&format!("shell-hook {shell}")).ok().text();
        let ask = match shell {
            "fish" => "for line in $argv; __undo_is_guarded $line; and echo yes; or echo no; end",
            _ => "for line; do __undo_is_guarded \"$line\" && echo yes || echo no; done",
        };
        let mut command = env.command(shell);
        command.args(match shell {
            "bash" => &["--norc", "-c"][..],
            "zsh" => &["-f", "-c"],
            _ => &["--no-config", "-c"],
        });
        command.arg(format!("{script}\n{ask}"));
        if shell != "fish" {
            command.arg(shell);
        }
        let Ok(output) = command.args(GUARDED).args(ORDINARY).output() else {
            skip(format_args!("{shell} is not installed"));
            continue;
        };
        let answers = String::from_utf8(output.stdout).unwrap();
        let expected = GUARDED.iter().map(|line| (line, "yes")).chain(ORDINARY.iter().map(|line| (line, "no")));
        assert_eq!(
            answers.lines().count(),
            GUARDED.len() + ORDINARY.len(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for ((line, expected), answer) in expected.zip(answers.lines()) {
            assert_eq!(answer, expected, "{shell}: {line}");
        }
    }
}

#[test]
fn aliases_of_fish_are_expanded() {
    let env = repository();
    env.undo("shell-hook fish --before 'zap data' --alias 'zap=rm -rf'").ok();
    assert_eq!(newest(&env), "before: zap data");
}

#[test]
fn other_shells_are_rejected() {
    let env = TestEnv::new();
    env.undo("shell-hook tcsh").shows(str![[r#"
---- stderr ----
error: invalid value `tcsh` for `<SHELL>` [possible values: bash, zsh, fish]
hint: undo help shell-hook
[exit 2]

"#]]);
}
