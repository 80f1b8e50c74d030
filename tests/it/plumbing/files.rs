//! `check-ignore` and `ls-files`: files of the worktree.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use snapbox::str;

use crate::env::TestEnv;

/// Creates rules at the root and in a directory, and files that they ignore and include.
fn create_rules() -> TestEnv {
    let env = TestEnv::initialised();
    env.write(".undoignore", b"# left out\n*.log\n!keep.log\n/build/\n");
    env.write("sub/.undoignore", b"!special.log\n/own\n");
    for name in ["a.log", "keep.log", "a.txt", "build/out", "sub/a.log", "sub/special.log", "sub/own", "sub/b.txt"] {
        env.write(name, name);
    }
    env
}

#[test]
fn check_ignore_prints_paths_and_rules() {
    let env = create_rules();
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
fn check_ignore_reads_stdin_and_reports_errors() {
    let env = create_rules();
    env.undo_with_stdin("check-ignore --stdin", "a.log\n\"a\\tb.log\"\na.txt\nbuild/\n").shows(str![[r#"
a.log
"a/tb.log"
build/

"#]]);
    let raw = env.undo_with_stdin("check-ignore --stdin -z -v", b"a\n\t\xff.log\0a.txt\0sub/own").ok().stdout;
    assert_eq!(raw, b".undoignore\x002\0*.log\0a\n\t\xff.log\0sub/.undoignore\x002\0/own\0sub/own\0");
    assert_eq!(env.undo_with_stdin("check-ignore --stdin -z -v -n", b"x\0").fails(1).stdout, b"\0\0\0x\0");
    assert_eq!(env.undo_with_stdin("check-ignore --stdin", "").fails(1).text(), "");
    env.write("bytes/.undoignore", b"caf\xe9  \r\n");
    let raw = env.undo_with_stdin("check-ignore --stdin -z -v", b"bytes/caf\xe9").ok().stdout;
    assert_eq!(raw, b"bytes/.undoignore\x001\0caf\xe9\0bytes/caf\xe9\0");
    env.undo_with_stdin("check-ignore --stdin -z -v --json", b"bytes/caf\xe9").shows(str![[r#"
{"type":"ignored","path":"bytes/caf�","path_bytes":"Ynl0ZXMvY2Fm6Q==","file":"bytes/.undoignore","line":1,"pattern":"caf�","pattern_bytes":"Y2Fm6Q==","ignored":true}
{"type":"summary","count":1}

"#]]);
    env.undo_with_stdin("check-ignore --stdin", "a.log\n\"a\n").shows(str![[r#"
a.log
---- stderr ----
error: line 2: the quoted path is malformed
hint: with -z, paths are raw
[exit 2]

"#]]);
    env.undo("check-ignore a.log ../x").shows(str![[r#"
a.log
---- stderr ----
error: `../x` is outside the worktree `[ROOT]/work`
hint: to use another worktree: undo -C DIR …
[exit 2]

"#]]);
    env.undo("check-ignore -n a.log").shows(str![[r#"
---- stderr ----
error: -n requires -v
hint: add -v
[exit 2]

"#]]);
    for line in ["check-ignore", "check-ignore --stdin x", "check-ignore .undo/format", "check-ignore ''"] {
        env.undo(line).fails(2);
    }
    env.write("sub/.undoignore", b"fine\n[a,b\n");
    env.undo("check-ignore sub/x").shows(str![[r#"
---- stderr ----
warning: this line is not a valid pattern and is ignored
  sub/.undoignore  line 2: `[` has no closing `]`; for a literal bracket write `/[`
[exit 1]

"#]]);
}

#[test]
fn check_ignore_matches_git() {
    let env = create_rules();
    let names = "a.log\0keep.log\0a.txt\0build\0build/out\0build/no/x.txt\0sub\0sub/a.log\0sub/special.log\0sub/own\0sub/no/own\0";
    let ours = env.undo_with_stdin("check-ignore --stdin -z", names).stdout;
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
    let ours = env.undo_with_stdin("check-ignore -v -n --stdin -z", names).stdout;
    let theirs = git(&["check-ignore", "-v", "-n", "--stdin", "-z"]);
    let theirs = String::from_utf8(theirs).unwrap().replace(".gitignore", ".undoignore");
    assert_eq!(String::from_utf8(ours).unwrap(), theirs);
}

/// Creates a commit, and then one change of each kind.
fn changed() -> TestEnv {
    let env = create_rules();
    env.write("gone/file", b"gone\n");
    env.write("was-file", b"file\n");
    env.write("was-folder/file", b"file\n");
    env.write("deleted", b"deleted\n");
    std::os::unix::fs::symlink("a.txt", env.path().join("link")).unwrap();
    env.undo("commit").ok();
    env.write("a.txt", b"changed\n");
    fs::set_permissions(env.path().join("sub/b.txt"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_dir_all(env.path().join("gone")).unwrap();
    fs::remove_file(env.path().join("deleted")).unwrap();
    fs::remove_file(env.path().join("was-file")).unwrap();
    env.write("was-file/new", b"new\n");
    fs::remove_dir_all(env.path().join("was-folder")).unwrap();
    env.write("was-folder", b"file\n");
    env.write("fresh/new", b"new\n");
    fs::create_dir(env.path().join("empty")).unwrap();
    env
}

#[test]
fn ls_files_lists_the_index() {
    let env = changed();
    env.undo("ls-files").shows(str![[r#"
.undoignore
a.txt
deleted
gone/file
keep.log
link
sub/.undoignore
sub/b.txt
sub/special.log
was-file
was-folder/file

"#]]);
    env.undo("ls-files sub link nowhere was-folder/file").shows(str![[r#"
link
sub/.undoignore
sub/b.txt
sub/special.log
was-folder/file

"#]]);
    assert_eq!(env.undo("-C sub ls-files b.txt").text(), "sub/b.txt\n");
    env.undo("ls-files --json link was-file").shows(str![[r#"
{"type":"file","path":"link","state":"known","kind":"symlink"}
{"type":"file","path":"was-file","state":"known","kind":"file"}
{"type":"summary","count":2}

"#]]);
    let lines = env.undo("ls-files -s link sub/b.txt").text();
    let (link, file) = lines.split_once('\n').unwrap();
    assert!(link.starts_with("120777 symlink - ") && link.ends_with(" -\tlink\ta.txt"), "{link}");
    let id = blake3::hash(b"sub/b.txt").to_hex();
    assert!(file.starts_with(&format!("100644 blob {id} ")) && file.ends_with(" -\tsub/b.txt\n"), "{file}");
    let raw = env.undo("ls-files -s -z link").text();
    assert_eq!(raw, format!("{}\0", link.replace("link\ta", "link\0a")));
    let json = env.undo("ls-files -s --json link").json();
    assert_eq!(
        (&json[0]["type"], &json[0]["kind"], &json[0]["target"]["path"]),
        (&"entry".into(), &"symlink".into(), &"a.txt".into())
    );
    env.undo("ls-files -s -m").fails(2);
    let known = env.undo("ls-files").text();
    env.undo("commit").ok();
    assert_ne!(env.undo("ls-files").text(), known);
    let (known, lines) = (env.undo("ls-files").text(), env.undo("ls-files -s").text());
    // A missing or damaged cache only costs time.
    let index = env.path().join(".undo/index");
    let mut bytes = fs::read(&index).unwrap();
    let middle = bytes.len() - 40;
    bytes[middle] ^= 1;
    fs::write(&index, bytes).unwrap();
    assert_eq!(env.undo("ls-files").text(), known);
    fs::remove_file(&index).unwrap();
    assert_eq!(env.undo("ls-files").text(), known);
    assert_eq!(env.undo("ls-files -s").text(), lines);
    assert!(!index.exists());
}

#[test]
fn ls_files_options_combine() {
    let env = changed();
    env.undo("ls-files -m").shows(str![[r#"
a.txt
deleted
gone/file
sub/b.txt
was-file
was-folder/file

"#]]);
    env.undo("ls-files -d").shows(str![[r#"
deleted
gone/file
was-folder/file

"#]]);
    env.undo("ls-files -o").shows(str![[r#"
fresh/new
was-file/new
was-folder

"#]]);
    env.undo("ls-files -i").shows(str![[r#"
a.log
build/
sub/a.log
sub/own

"#]]);
    env.undo("ls-files -m -d -o -i --json").shows(str![[r#"
{"type":"file","path":"a.log","state":"ignored","kind":"file"}
{"type":"file","path":"a.txt","state":"modified","kind":"file"}
{"type":"file","path":"build","state":"ignored","kind":"directory"}
{"type":"file","path":"deleted","state":"deleted","kind":"file"}
{"type":"file","path":"fresh/new","state":"new","kind":"file"}
{"type":"file","path":"gone/file","state":"deleted","kind":"file"}
{"type":"file","path":"sub/a.log","state":"ignored","kind":"file"}
{"type":"file","path":"sub/b.txt","state":"modified","kind":"file"}
{"type":"file","path":"sub/own","state":"ignored","kind":"file"}
{"type":"file","path":"was-file","state":"modified","kind":"file"}
{"type":"file","path":"was-file/new","state":"new","kind":"file"}
{"type":"file","path":"was-folder","state":"new","kind":"file"}
{"type":"file","path":"was-folder/file","state":"deleted","kind":"file"}
{"type":"summary","count":13}

"#]]);
    env.undo("ls-files -o -m sub was-file").shows(str![[r#"
sub/b.txt
was-file
was-file/new

"#]]);
    env.undo("ls-files -o -i /").fails(2);
    let listed = env.undo("ls-files -m -o").text();
    env.undo("commit").ok();
    assert!(listed.lines().count() > 5);
    assert_eq!(env.undo("ls-files -m -d -o").text(), "");
    // Before the first commit everything is new.
    let env = create_rules();
    assert_eq!(env.undo("ls-files -o").text(), env.undo("ls-files").text());
    assert_eq!(env.undo("ls-files -m").text(), "");
}

#[test]
fn ls_files_quotes_names_and_reports_unlisted_entries() {
    let env = TestEnv::initialised();
    for name in [&b"a\tb"[..], b"a\nb", b"\"q\"", b"\xff"] {
        fs::write(env.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let _socket = std::os::unix::net::UnixListener::bind(env.path().join("socket")).unwrap();
    env.undo("ls-files -o").shows(str![[r#"
"/"q/""
"a/tb"
"a/nb"
"/377"

"#]]);
    assert_eq!(env.undo("ls-files -z -o").stdout, b"\"q\"\0a\tb\0a\nb\0\xff\0");
    env.undo("commit").ok();
    assert_eq!(env.undo("ls-files -z").stdout, b"\"q\"\0a\tb\0a\nb\0\xff\0");
    env.write("secret", b"secret\n");
    fs::set_permissions(env.path().join("secret"), fs::Permissions::from_mode(0o000)).unwrap();
    env.undo_as_user("ls-files -o").shows(str![[r#"
---- stderr ----
warning: not covered because it cannot be read
  secret  cannot be read
[exit 3]

"#]]);
}

#[test]
fn ls_files_matches_git() {
    let env = changed();
    let twin = env.root().join("git");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(&twin).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &twin);
        let output = command.args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    env.undo(&format!("export @ {}", twin.display())).ok();
    for folder in ["", "sub/"] {
        fs::rename(twin.join(format!("{folder}.undoignore")), twin.join(format!("{folder}.gitignore"))).unwrap();
    }
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "x"]);
    for entry in fs::read_dir(&twin).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != ".git") {
        let is_directory = entry.file_type().unwrap().is_dir();
        if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }.unwrap();
    }
    let copied = Command::new("cp").arg("-a").arg(env.path().join(".")).arg(&twin).status().unwrap();
    assert!(copied.success());
    for folder in ["", "sub/"] {
        fs::rename(twin.join(format!("{folder}.undoignore")), twin.join(format!("{folder}.gitignore"))).unwrap();
    }
    fs::remove_dir_all(twin.join(".undo")).unwrap();
    let sorted = |text: String| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    for (ours, theirs) in [
        ("ls-files", &["ls-files"][..]),
        ("ls-files -m", &["ls-files", "-m"]),
        ("ls-files -d", &["ls-files", "-d"]),
        ("ls-files -o", &["ls-files", "-o", "--exclude-standard"]),
        ("ls-files -i", &["ls-files", "-o", "-i", "--exclude-standard", "--directory"]),
        ("ls-files -m -o", &["ls-files", "-m", "-o", "--exclude-standard"]),
    ] {
        let theirs: BTreeSet<String> =
            sorted(git(theirs)).into_iter().map(|path| path.replace(".gitignore", ".undoignore")).collect();
        assert_eq!(sorted(env.undo(ours).text()), theirs, "{ours}");
    }
}
