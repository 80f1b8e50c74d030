//! Runs the built `undo` with an empty environment and a clock that advances a minute per command, and renders its
//! output as a transcript.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use snapbox::IntoData;
use tempfile::TempDir;

use crate::json_keys;
use crate::skip::skip;

/// User id of nobody, who runs commands as a user if the tests run as root.
const NOBODY: u32 = 65534;

/// Date of the test clock.
const DAY: &str = "2026-01-05";

/// A temporary worktree, home and folder for temporary files. Removed on drop.
pub struct TestEnv {
    root: PathBuf,
    variables: RefCell<BTreeMap<OsString, OsString>>,
    commands: Cell<u32>,
    _temp: TempDir,
}

/// Output and exit status of a command.
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Exit status; 128 + N if signal N ended the command.
    pub code: i32,
    line: String,
    root: PathBuf,
}

impl TestEnv {
    pub fn new() -> TestEnv {
        let temp = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(temp.path()).unwrap();
        for name in ["home", "tmp", "work"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let env = TestEnv { root, variables: RefCell::default(), commands: Cell::new(0), _temp: temp };
        for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp")] {
            env.set(name, env.root.join(folder));
        }
        for (name, value) in [("PATH", "/usr/bin:/bin"), ("TZ", "UTC"), ("LANG", "C.UTF-8"), ("USER", "tester")] {
            env.set(name, value);
        }
        env
    }

    /// Creates an empty repository.
    pub fn initialised() -> TestEnv {
        let env = TestEnv::new();
        env.undo("init").ok();
        env
    }

    /// Path of the worktree, where commands are run.
    pub fn path(&self) -> PathBuf {
        self.root.join("work")
    }

    /// Path of the parent folder, for external stores and exports.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sets an environment variable for all later commands.
    pub fn set(&self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.variables.borrow_mut().insert(name.into(), value.into());
    }

    /// Writes a file of the worktree, and creates its parent folders.
    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Reads a file of the worktree.
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.path().join(path)).unwrap()
    }

    /// Runs `undo` with these arguments, split at spaces; quotes keep them together.
    #[must_use = "check the exit status"]
    pub fn undo(&self, line: &str) -> Output {
        self.run(line, Command::new(env!("CARGO_BIN_EXE_undo")))
    }

    /// Runs `undo` with these bytes on its stdin.
    #[must_use = "check the exit status"]
    pub fn undo_with_stdin(&self, line: &str, stdin: impl AsRef<[u8]>) -> Output {
        let fed = self.root.join("tmp/stdin");
        fs::write(&fed, stdin).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_undo"));
        self.prepare(&mut command);
        command.stdin(fs::File::open(fed).unwrap()).args(split(line));
        self.output(line, command)
    }

    /// Runs `undo` as nobody, who becomes the owner of the worktree; without root, as the current user.
    #[must_use = "check the exit status"]
    pub fn undo_as_user(&self, line: &str) -> Output {
        if !rustix::process::geteuid().is_root() {
            return self.undo(line);
        }
        let command = self.as_nobody();
        change_owner(&self.root);
        self.run(line, command)
    }

    /// Like [`TestEnv::undo_as_user`], with these bytes on the stdin.
    #[must_use = "check the exit status"]
    pub fn undo_as_user_with_stdin(&self, line: &str, stdin: impl AsRef<[u8]>) -> Output {
        if !rustix::process::geteuid().is_root() {
            return self.undo_with_stdin(line, stdin);
        }
        let fed = self.root.join("tmp/stdin");
        fs::write(&fed, stdin).unwrap();
        let mut command = self.as_nobody();
        change_owner(&self.root);
        self.prepare(&mut command);
        command.stdin(fs::File::open(fed).unwrap()).args(split(line));
        self.output(line, command)
    }

    /// Runs `undo` as nobody, without changing owners; `None` without root.
    pub fn undo_as_other_user(&self, line: &str) -> Option<Output> {
        if !rustix::process::geteuid().is_root() {
            skip("only root can run a command as another user");
            return None;
        }
        fs::set_permissions(&self.root, fs::Permissions::from_mode(0o755)).unwrap();
        Some(self.run(line, self.as_nobody()))
    }

    fn as_nobody(&self) -> Command {
        // Other users may not have access to the build folder.
        let program = self.root.join("undo");
        if !program.exists() {
            // Copied by another process: a file that is open for writing here, inherited by a child of another thread,
            // cannot be executed.
            let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_undo")).arg(&program).status().unwrap();
            assert!(copied.success());
        }
        let mut command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY);
        command
    }

    /// Runs a bash script with `undo` on its path.
    #[must_use = "check the exit status"]
    pub fn shell(&self, script: &str) -> Output {
        let mut command = Command::new("bash");
        self.prepare(&mut command);
        let folder = Path::new(env!("CARGO_BIN_EXE_undo")).parent().unwrap();
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).args(["-c", script]);
        self.output(script, command)
    }

    /// Builds a command with the environment, directory and clock of `undo`.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        let number = self.commands.replace(self.commands.get() + 1);
        let time = format!("{DAY}T{:02}:{:02}:00Z", 8 + number / 60 % 16, number % 60);
        command.current_dir(self.path()).stdin(Stdio::null());
        command.env_clear().env("UNDO_TIME", time).envs(&*self.variables.borrow());
    }

    fn run(&self, line: &str, mut command: Command) -> Output {
        self.prepare(&mut command);
        command.args(split(line));
        self.output(line, command)
    }

    fn output(&self, line: &str, mut command: Command) -> Output {
        let output = command.output().unwrap();
        let code = output.status.code().or_else(|| output.status.signal().map(|signal| 128 + signal)).unwrap();
        if line.contains("--json") {
            json_keys::check(&output.stdout);
            json_keys::check(&output.stderr);
        }
        let (line, root) = (line.to_owned(), self.root.clone());
        Output { stdout: output.stdout, stderr: output.stderr, code, line, root }
    }
}

/// Makes nobody the owner of a folder and everything in it.
fn change_owner(path: &Path) {
    let metadata = fs::symlink_metadata(path).unwrap();
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| change_owner(&entry.unwrap().path()));
    }
    if metadata.uid() != NOBODY {
        lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        // Changing the owner clears set-user-id bits.
        if !metadata.is_symlink() {
            fs::set_permissions(path, fs::Permissions::from_mode(metadata.permissions().mode())).unwrap();
        }
    }
}

impl Output {
    /// Checks that the exit status is 0.
    #[track_caller]
    pub fn ok(self) -> Output {
        self.fails(0)
    }

    /// Checks the exit status.
    #[track_caller]
    pub fn fails(self, code: i32) -> Output {
        assert_eq!(self.code, code, "undo {}\n{self}", self.line);
        self
    }

    /// Checks the transcript: `.shows(snapbox::str![])`, filled in by `SNAPSHOTS=overwrite cargo test`.
    #[track_caller]
    pub fn shows(self, expected: impl IntoData) -> Output {
        let assert = snapbox::Assert::new().action_env(snapbox::assert::DEFAULT_ACTION_ENV);
        assert.eq(self.to_string(), expected);
        self
    }

    /// Returns stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).unwrap()
    }

    /// Parses stdout as JSON values.
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        let values = serde_json::Deserializer::from_slice(&self.stdout).into_iter();
        let values: Result<_, _> = values.collect();
        values.unwrap_or_else(|error| panic!("no JSON: {error}\nundo {}\n{self}", self.line))
    }
}

/// Formats the transcript: stdout, stderr if not empty, and the exit status if not 0. Variable parts are replaced by
/// words in brackets.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from_utf8_lossy(&self.stdout).into_owned();
        if !self.stderr.is_empty() {
            text += "---- stderr ----\n";
            text += &String::from_utf8_lossy(&self.stderr);
        }
        if self.code != 0 {
            text += &format!("[exit {}]\n", self.code);
        }
        let (user, host) = (undo::internals::fs::user_name(), undo::internals::fs::host_name());
        for user in [user.as_str(), "nobody"] {
            text = text.replace(&format!("{user} on {host}"), "[USER] on [HOST]");
            text = text.replace(&format!("{user}@{host}"), "[USER]@[HOST]");
            text = text.replace(&format!(r#""user":"{user}","host":"{host}""#), r#""user":"[USER]","host":"[HOST]""#);
            text = text.replace(&format!("  {user}\n"), "  [USER]\n");
        }
        let text = text.replace(env!("CARGO_BIN_EXE_undo"), "[UNDO]");
        f.write_str(&redacted(&text, self.root.to_str().unwrap()))
    }
}

/// Splits at spaces; quotes and backslashes work as in a shell.
fn split(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(letters.next()),
            ('"' | '\'', None) => {
                word.get_or_insert_default();
                quote = Some(letter);
            }
            (_, Some(open)) if letter == open => quote = None,
            (' ' | '\n', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Replaces ids by `[ID]`, times other than the test clock's by `[TIME]`, durations and rates by `[DURATION]` and
/// `[RATE]`, and the test directory by `[ROOT]`.
fn redacted(text: &str, root: &str) -> String {
    let text = text.replace(root, "[ROOT]");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(letter) = rest.chars().next() {
        let is_start = !out.ends_with(|before: char| before.is_alphanumeric() || before == '.' || before == '_');
        let found = if is_start { time(rest).or_else(|| span(rest)).or_else(|| id(rest)) } else { None };
        let (length, word) = found.unwrap_or((letter.len_utf8(), &rest[..letter.len_utf8()]));
        out.push_str(word);
        rest = &rest[length..];
    }
    out
}

/// Matches an id of 64 hex digits, or a prefix of 8.
fn id(text: &str) -> Option<(usize, &str)> {
    let length = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
    let is_hex = text[..length].bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (is_hex && (length == 8 || length == 64)).then_some((length, "[ID]"))
}

/// Matches `2026-08-01 14:00:00`, or the form with `T`, a fraction and `Z`.
fn time(text: &str) -> Option<(usize, &str)> {
    const SHAPE: &[u8] = b"dddd-dd-dd?dd:dd:dd";
    let is_shaped = text.len() >= SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'?' => byte == b' ' || byte == b'T',
            _ => byte == *shape,
        });
    if !is_shaped {
        return None;
    }
    let tail = text[SHAPE.len()..].find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != 'Z');
    let length = tail.map_or(text.len(), |tail| SHAPE.len() + tail);
    Some((length, if text.starts_with(DAY) { &text[..length] } else { "[TIME]" }))
}

/// Matches durations (`12 ms`, `0.34 s`) and rates (`12.3 MiB/s`).
fn span(text: &str) -> Option<(usize, &str)> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.' && letter != ',')?;
    let unit = text[digits..].trim_start_matches(' ');
    let length = unit.find(|letter: char| !letter.is_alphanumeric() && letter != '/').unwrap_or(unit.len());
    let word = match &unit[..length] {
        _ if digits == 0 => return None,
        "ms" | "s" => "[DURATION]",
        unit if unit.ends_with("/s") => "[RATE]",
        _ => return None,
    };
    Some((text.len() - unit.len() + length, word))
}

#[test]
fn output_is_a_transcript() {
    let env = TestEnv::new();
    let version = env.undo("--version").ok().shows(snapbox::str!["undo [..]"]);
    assert!(version.text().starts_with("undo "));
    let failed = env.undo("'no such command'").fails(2).to_string();
    assert!(failed.starts_with("---- stderr ----\n") && failed.ends_with("\n[exit 2]\n"), "{failed}");
    env.undo_as_user("--version").ok();
}

#[test]
fn split_follows_shell_quoting() {
    assert_eq!(split(r#"commit -m 'one "two"' a\ b "" "c\"d" "#), ["commit", "-m", "one \"two\"", "a b", "", "c\"d"]);
}

#[test]
fn variable_output_is_redacted() {
    let long = "0123456789abcdef".repeat(4);
    for (text, expected) in [
        (format!("commit {long}, 12345678 deadbeef."), "commit [ID], [ID] [ID]."),
        ("2025-08-01 14:00:00 2025-08-01T14:00:00.123456789Z,".to_owned(), "[TIME] [TIME],"),
        (
            "2026-01-05 08:01:00 and 1234567 x12345678 deadbeef0".to_owned(),
            "2026-01-05 08:01:00 and 1234567 x12345678 deadbeef0",
        ),
        (
            "in 12 ms, 3.4 s at 12.3 MiB/s, 12 files, 3.4 KiB".to_owned(),
            "in [DURATION], [DURATION] at [RATE], 12 files, 3.4 KiB",
        ),
        ("/tmp/x/work/a".to_owned(), "[ROOT]/work/a"),
    ] {
        assert_eq!(redacted(&text, "/tmp/x"), expected);
    }
}
