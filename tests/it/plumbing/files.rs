//! Files of the worktree: `check-ignore`, `ls-files`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use snapbox::str;

use crate::env::TestEnv;

/// Rules at the top and in a directory, and files that they leave out and keep.
fn ruled() -> TestEnv {
    let env = TestEnv::initialised();
    env.write(".undoignore", b"# left out\n*.log\n!keep.log\n/build/\n");
    env.write("sub/.undoignore", b"!special.log\n/own\n");
    for name in ["a.log", "keep.log", "a.txt", "build/out", "sub/a.log", "sub/special.log", "sub/own", "sub/b.txt"] {
        env.write(name, name);
    }
    env
}

#[test]
fn ignored_paths_are_printed_and_with_v_the_rule_that_decides() {
    let env = ruled();
    let all = "a.log keep.log a.txt build build/ build/out build/no/where.txt sub/a.log sub/special.log sub/own gone.log ./a.log";
    env.undo(&format!("check-ignore {all}")).shows(str![[r#"
a.log
build
build/
build/out
build/no/where.txt
sub/a.log
sub/own
gone.log
./a.log

"#]]);
    env.undo(&format!("check-ignore -v {all}")).shows(str![[r#"
.undoignore:2:*.log	a.log
.undoignore:3:!keep.log	keep.log
.undoignore:4:/build/	build
.undoignore:4:/build/	build/
.undoignore:4:/build/	build/out
.undoignore:4:/build/	build/no/where.txt
.undoignore:2:*.log	sub/a.log
sub/.undoignore:1:!special.log	sub/special.log
sub/.undoignore:2:/own	sub/own
.undoignore:2:*.log	gone.log
.undoignore:2:*.log	./a.log

"#]]);
    env.undo(&format!("check-ignore -v -n a.txt keep.log sub {all}")).shows(str![[r#"
::	a.txt
.undoignore:3:!keep.log	keep.log
::	sub
.undoignore:2:*.log	a.log
.undoignore:3:!keep.log	keep.log
::	a.txt
.undoignore:4:/build/	build
.undoignore:4:/build/	build/
.undoignore:4:/build/	build/out
.undoignore:4:/build/	build/no/where.txt
.undoignore:2:*.log	sub/a.log
sub/.undoignore:1:!special.log	sub/special.log
sub/.undoignore:2:/own	sub/own
.undoignore:2:*.log	gone.log
.undoignore:2:*.log	./a.log

"#]]);
    env.undo("check-ignore a.txt keep.log sub .").shows(str![[r#"
[exit 1]

"#]]);
    env.undo("check-ignore -v keep.log").shows(str![[r#"
.undoignore:3:!keep.log	keep.log
[exit 1]

"#]]);
    env.undo("check-ignore --json -v -n a.log keep.log a.txt").shows(str![[r#"
{"type":"ignored","path":"a.log","file":".undoignore","line":2,"pattern":"*.log","ignored":true}
{"type":"ignored","path":"keep.log","file":".undoignore","line":3,"pattern":"!keep.log","ignored":false}
{"type":"ignored","path":"a.txt","file":"","line":0,"pattern":"","ignored":false}
{"type":"summary","count":3}

"#]]);
    env.undo("-C sub check-ignore -v own ../a.log special.log").shows(str![[r#"
sub/.undoignore:2:/own	own
.undoignore:2:*.log	../a.log
sub/.undoignore:1:!special.log	special.log

"#]]);
}

#[test]
fn paths_come_from_stdin_and_what_is_wrong_is_told() {
    let env = ruled();
    env.undo_fed("check-ignore --stdin", "a.log\n\"a\\tb.log\"\na.txt\nbuild/\n").shows(str![[r#"
a.log
"a/tb.log"
build/

"#]]);
    let raw = env.undo_fed("check-ignore --stdin -z -v", b"a\n\t\xff.log\0a.txt\0sub/own").ok().stdout;
    assert_eq!(raw, b".undoignore\x002\0*.log\0a\n\t\xff.log\0sub/.undoignore\x002\0/own\0sub/own\0");
    assert_eq!(env.undo_fed("check-ignore --stdin -z -v -n", b"x\0").fails(1).stdout, b"\0\0\0x\0");
    assert_eq!(env.undo_fed("check-ignore --stdin", "").fails(1).text(), "");
    env.undo_fed("check-ignore --stdin", "a.log\n\"a\n").shows(str![[r#"
a.log
---- stderr ----
error: line 2: a quoted path is malformed
hint: -z takes raw paths
[exit 2]

"#]]);
    env.undo("check-ignore a.log ../x").shows(str![[r#"
a.log
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to work in another one, name it: undo -C DIR …
[exit 2]

"#]]);
    env.undo("check-ignore -n a.log").shows(str![[r#"
---- stderr ----
error: -n says more only where -v tells the rules
hint: add -v
[exit 2]

"#]]);
    for line in ["check-ignore", "check-ignore --stdin x", "check-ignore .undo/format", "check-ignore ''"] {
        env.undo(line).fails(2);
    }
    env.write("sub/.undoignore", b"fine\n{a,b\n");
    env.undo("check-ignore sub/x").shows(str![[r#"
---- stderr ----
error: invalid rule in `sub/.undoignore`, line 2: error parsing glob '{a,b': unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
hint: correct that line; a letter after `/` is taken as it is
[exit 2]

"#]]);
}

#[test]
fn it_decides_as_git_does() {
    let env = ruled();
    let names = "a.log\0keep.log\0a.txt\0build\0build/out\0build/no/x.txt\0sub\0sub/a.log\0sub/special.log\0sub/own\0sub/no/own\0";
    let ours = env.undo_fed("check-ignore --stdin -z", names).stdout;
    let twin = env.root().join("git");
    assert!(Command::new("cp").arg("-a").arg(env.path()).arg(&twin).status().unwrap().success());
    for folder in ["", "sub/"] {
        fs::rename(twin.join(format!("{folder}.undoignore")), twin.join(format!("{folder}.gitignore"))).unwrap();
    }
    let git = |arguments: &[&str]| {
        let stdin = fs::File::open(env.root().join("tmp/stdin")).unwrap();
        let mut command = Command::new("git");
        command.current_dir(&twin).env_clear().env("PATH", "/usr/bin:/bin").stdin(stdin);
        command.args(arguments).output().unwrap().stdout
    };
    git(&["init", "-q"]);
    assert_eq!(OsStr::from_bytes(&ours), OsStr::from_bytes(&git(&["check-ignore", "--stdin", "-z"])));
    let ours = env.undo_fed("check-ignore -v -n --stdin -z", names).stdout;
    let theirs = git(&["check-ignore", "-v", "-n", "--stdin", "-z"]);
    let theirs = String::from_utf8(theirs).unwrap().replace(".gitignore", ".undoignore");
    assert_eq!(String::from_utf8(ours).unwrap(), theirs);
}
