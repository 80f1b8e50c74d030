//! The completion scripts in real shells: what they do with text typed at a terminal.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::agent_hook::{hook, payload};
use crate::env::TestEnv;
use crate::skip::skip;

/// Text typed before TAB, and the resulting line: the same in every shell.
const LINES: [(&str, &str); 36] = [
    ("undo che", "undo checkout "),
    ("undo commit --m", "undo commit --message "),
    ("undo --color=al", "undo --color=always "),
    ("undo config store.c", "undo config store.compression "),
    ("undo config --global us", "undo config --global user.name "),
    ("undo checkout feat", "undo checkout feature/one "),
    ("undo checkout v1", "undo checkout v1.0 "),
    ("undo diff v1.0 lat", "undo diff v1.0 latest "),
    ("undo tag -d v1", "undo tag -d v1.0 "),
    // A recorded path that was deleted.
    ("undo restore a", r"undo restore a\ name "),
    (r"undo restore a\ n", r"undo restore a\ name "),
    ("undo restore pl", "undo restore plain "),
    ("undo restore so", r"undo restore some\ folder/"),
    (r"undo restore some\ folder/", r"undo restore some\ folder/inner "),
    // After `--`, with revisions that start alike.
    ("undo checkout -- v", "undo checkout -- vault "),
    ("undo checkout v1.0 -- v", "undo checkout v1.0 -- vault "),
    ("undo diff -- v", "undo diff -- vault "),
    ("undo log v1.0 -- v", "undo log v1.0 -- vault "),
    // A path of another commit.
    ("undo restore --from v0 ear", "undo restore --from v0 earlier "),
    ("undo checkout v0 -- ear", "undo checkout v0 -- earlier "),
    // A path in the history.
    ("undo cat @:pl", "undo cat @:plain "),
    (r"undo cat v1.0:some\ f", r"undo cat v1.0:some\ folder/"),
    (r"undo cat feature/one:some\ folder/i", r"undo cat feature/one:some\ folder/inner "),
    ("undo log --since=yesterday @ fea", "undo log --since=yesterday @ feature/one "),
    // The second revision of a range.
    ("undo diff v1.0..lat", "undo diff v1.0..latest "),
    // Paths relative to `-C`.
    ("undo -C below checkout feat", "undo -C below checkout feature/one "),
    ("undo -C below restore an", "undo -C below restore another "),
    ("undo -Cbelow commit kep", "undo -Cbelow commit kept "),
    // Topics of `help`.
    ("undo help revis", "undo help revisions "),
    ("undo help op rest", "undo help op restore "),
    ("undo man comm", "undo man commit "),
    // The command of `run`, and its arguments.
    ("undo run -- pla", "undo run -- plain "),
    ("undo run -- und", "undo run -- undo "),
    ("undo run --rollback -- ./some\\ fo", "undo run --rollback -- ./some\\ folder/"),
    ("undo run -- cat pla", "undo run -- cat plain "),
    ("undo no-such-command x", "undo no-such-command x"),
];

/// The same inside an open quote, which each shell closes differently.
const QUOTED: [(&str, &str); 3] = [
    ("undo restore \"a", "undo restore \"a name\""),
    ("undo restore 'a n", "undo restore 'a name'"),
    ("undo cat \"@:a", "undo cat \"@:a name\""),
];

/// Timeout: even on a busy machine, only a hanging shell is silent this long.
const DEADLINE: Duration = Duration::from_secs(900);

/// Revisions that all shells offer.
const REVISIONS: [&str; 8] = ["main", "feature/one", "v1.0", "@", "latest", "-", "@{prompt}", "@{step}"];

fn found(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file());
    if found.is_none() {
        skip(format_args!("{program} is not installed"));
    }
    found
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}

/// Creates a repository with a branch, a tag, and names that a shell must quote. `undo` is the only program in the
/// path.
fn repository() -> TestEnv {
    let env = TestEnv::initialised();
    env.write("earlier", "0");
    env.undo("commit -m zero").ok();
    env.undo("tag v0").ok();
    fs::remove_file(env.path().join("earlier")).unwrap();
    env.write("a name", "a");
    env.write("plain", "b");
    env.write("vault", "v");
    env.write("some folder/inner", "c");
    env.write("below/another", "d");
    env.write("below/kept", "e");
    env.undo("commit -m 'one: two'").ok();
    env.undo("tag v1.0").ok();
    env.undo("branch feature/one").ok();
    hook(&env, "claude", payload(&env, "claude/UserPromptSubmit"));
    hook(&env, "claude", payload(&env, "claude/PreToolUse-Bash"));
    fs::remove_file(env.path().join("a name")).unwrap();
    fs::remove_file(env.path().join("below/another")).unwrap();
    fs::remove_file(env.path().join("some folder/inner")).unwrap();
    let folder = env.root().join("bin");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_undo"), folder.join("undo")).unwrap();
    env.set("PATH", folder);
    env.set("SHELL", "/bin/sh");
    env.set("TERM", "dumb");
    env
}

/// An interactive shell at a pseudoterminal.
struct Terminal {
    shell: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// All output so far.
    all: Vec<u8>,
}

impl Terminal {
    /// Starts a shell with the prompt `READY> ` that shows its line as `<<…>>` and clears it on Ctrl-G.
    fn start(env: &TestEnv, script: &Path, shell: &str) -> Terminal {
        let mut command = env.command(script.to_str().unwrap());
        command.args(["-qec", shell, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.spawn().unwrap();
        let (keys, mut output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let _ = sender.send(bytes[..length].to_vec());
            }
        });
        let mut terminal = Terminal { shell, keys, screen, all: Vec::new() };
        terminal.read_until("READY> ");
        terminal
    }

    /// Returns the output up to this text. Waits for slow shells; ends when the shell has exited.
    #[track_caller]
    fn read_until(&mut self, mark: &str) -> String {
        let (mut shown, begun) = (Vec::new(), Instant::now());
        loop {
            let text = String::from_utf8_lossy(&shown).into_owned();
            if text.contains(mark) {
                return text;
            }
            match self.screen.recv_timeout(DEADLINE.saturating_sub(begun.elapsed())) {
                Ok(more) => {
                    self.all.extend_from_slice(&more);
                    shown.extend(more);
                }
                Err(error) => panic!("{error}: no `{mark}` in all of {:?}", String::from_utf8_lossy(&self.all)),
            }
        }
    }

    /// Returns the output after these keys; the last one is Ctrl-G or similar.
    #[track_caller]
    fn type_keys(&mut self, keys: &str) -> String {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
        let shown = self.read_until(">>");
        let (_, line) = shown.rsplit_once("<<").unwrap();
        line.split_once(">>").unwrap().0.to_owned()
    }

    #[track_caller]
    fn completes(&mut self, quoted_end: &str) {
        for (typed, expected) in LINES {
            assert_eq!(self.type_keys(&format!("{typed}\t\x07")), expected, "{typed}");
        }
        for (typed, expected) in QUOTED {
            assert_eq!(self.type_keys(&format!("{typed}\t\x07")), format!("{expected}{quoted_end}"), "{typed}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[track_caller]
fn offers(line: &str, words: &[&str]) {
    let offered: Vec<&str> = line.split_whitespace().collect();
    for word in words {
        assert!(offered.contains(word), "no `{word}` in {offered:?}");
    }
}

/// An interactive bash with the completion script.
fn start_bash(env: &TestEnv, script_program: &Path, bash: &Path) -> Terminal {
    let start = format!(
        "PS1='READY> '\n\
         show() {{ printf '\\n<<%s>>\\n' \"$READLINE_LINE\"; READLINE_LINE= READLINE_POINT=0; }}\n\
         bind -x '\"\\C-g\": show'\n\
         bind '\"\\C-o\": insert-completions'\n\
         source '{}'\n",
        script("undo.bash").display()
    );
    let file = env.root().join("home/start");
    fs::write(&file, start).unwrap();
    let shell = format!("{} --noprofile --rcfile '{}' -i", bash.display(), file.display());
    Terminal::start(env, script_program, &shell)
}

#[test]
fn bash_completes_commands_options_revisions_and_paths() {
    let (Some(script_program), Some(bash)) = (found("script"), found("bash")) else { return };
    let env = repository();
    let mut terminal = start_bash(&env, &script_program, &bash);
    terminal.completes("");
    offers(&terminal.type_keys("undo checkout \x0f\x07"), &REVISIONS);
    let commands = terminal.type_keys("undo \x0f\x07");
    offers(&commands, &["init", "commit", "log", "checkout"]);
    assert!(!commands.contains("--"), "{commands}");
    offers(&terminal.type_keys("undo --\x0f\x07"), &["--json", "--no-pager"]);
    offers(&terminal.type_keys("undo restore --\x0f\x07"), &["--from", "--dry-run"]);
}

/// An interactive zsh that loads the completion script.
fn start_zsh(env: &TestEnv, script_program: &Path, zsh: &Path, load: &str) -> Terminal {
    // `seen` collects all added completions, since the line shows only one of them.
    let start = format!(
        "PS1='READY> ' LISTMAX=9999 LINES=100 COLUMNS=200\n\
         autoload -Uz compinit\n\
         {load}\n\
         typeset -a seen\n\
         compadd() {{\n\
             local -a hits\n\
             [[ \" $* \" == *' -'[OAD]' '* ]] || {{ builtin compadd -A hits \"$@\"; seen+=($hits) }}\n\
             builtin compadd \"$@\"\n\
         }}\n\
         show() {{ print -r -- $'\\n'\"<<$BUFFER>>\"; BUFFER= }}\n\
         show-offered() {{ print -r -- $'\\n'\"<<$seen>>\"; BUFFER= seen=() }}\n\
         zle -N show; bindkey '^G' show\n\
         zle -N show-offered; bindkey '^O' show-offered\n",
    );
    fs::write(env.root().join("home/.zshrc"), start).unwrap();
    env.set("ZDOTDIR", env.root().join("home"));
    // Skips the system's start files, which may load completions.
    Terminal::start(env, script_program, &format!("{} -d -i", zsh.display()))
}

/// Zsh with the script autoloaded or sourced.
fn zsh(load: &str) {
    let (Some(script_program), Some(zsh)) = (found("script"), found("zsh")) else { return };
    let env = repository();
    let mut terminal = start_zsh(&env, &script_program, &zsh, load);
    terminal.completes(" ");
    // Discards earlier completions.
    terminal.type_keys("\x0f");
    // Zsh quotes the braces of `@{step}`.
    offers(&terminal.type_keys("undo checkout \t\x0f").replace('\\', ""), &REVISIONS);
    offers(&terminal.type_keys("undo \t\x0f"), &["init", "commit", "log", "checkout"]);
    offers(&terminal.type_keys("undo restore --\t\x0f"), &["--from", "--dry-run"]);
}

#[test]
fn zsh_completes_with_autoloaded_script() {
    zsh(&format!("fpath=('{}' $fpath); compinit -u -D", script("").display()));
}

#[test]
fn zsh_completes_with_sourced_script() {
    zsh("compinit -u -D; source <(undo completions zsh)");
}

#[test]
fn fish_completes_commands_options_revisions_and_paths() {
    let Some(fish) = found("fish") else { return };
    let env = repository();
    let complete = |line: &str| -> Vec<String> {
        let mut command = env.command(fish.to_str().unwrap());
        command.args(["--no-config", "-c", "source $argv[1]; complete -C $argv[2]"]);
        let output = command.arg(script("undo.fish")).arg(line).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    };
    for (typed, expected) in LINES.iter().chain(&QUOTED) {
        // Fish passes the last word unchanged, and quotes it on insertion.
        let plain = |line: &str| line.replace("\\ ", "\0").replace(['"', '\''], "");
        let last = match QUOTED.iter().find(|(quoted, _)| quoted == typed) {
            Some((_, line)) => line.split(['"', '\'']).nth(1).unwrap().to_owned(),
            None => plain(expected.trim_end()).rsplit(' ').next().unwrap().replace('\0', " "),
        };
        let expected = if *typed == "undo no-such-command x" { vec![] } else { vec![last] };
        assert_eq!(complete(typed), expected, "{typed}");
    }
    offers(&complete("undo checkout ").join(" "), &REVISIONS);
    offers(&complete("undo ").join(" "), &["init", "commit", "log", "checkout"]);
    assert!(!complete("undo ").join(" ").contains("--"));
    offers(&complete("undo restore --").join(" "), &["--from", "--dry-run"]);
}

/// Names that shells treat specially, or that terminals cannot show.
const AWKWARD: [&[u8]; 62] = [
    b"a b",
    b" a",
    b"a ",
    b"a  b",
    b"a\tb",
    b"a\nb",
    b"a\n",
    b"\na",
    b"a'b",
    b"'a'",
    b"a\"b",
    b"\"a\"",
    b"a\\b",
    b"a\\",
    b"\\",
    b"#hash",
    b"a#b",
    b"!bang",
    b"a!b",
    b"!!",
    b"{x,y}.txt",
    b"{1..3}",
    b"~",
    b"~root",
    b"a~",
    b"$HOME",
    b"a$b",
    b"$(true)",
    b"`true`",
    b"a;b",
    b"a&b",
    b"a|b",
    b"a<b",
    b"a>b",
    b"(a)",
    b"a*b",
    b"*",
    b"?",
    b"[a-z]",
    b"[",
    b"]",
    b"a=b",
    b"=a",
    b"a:b",
    b":a",
    b"a@b",
    b"@",
    b"a%b",
    b"^a",
    b"a^b",
    b"-a",
    b"--json",
    b"a,b",
    b"a+b",
    b".hidden",
    b"...",
    b"\x1b[31mred",
    b"a\rb",
    "größe".as_bytes(),
    "表 👩‍🔬".as_bytes(),
    "a\u{202e}b".as_bytes(),
    b"a\xffb",
];

/// Creates and records a folder for each of [`AWKWARD`], with a file of that name.
fn awkward_names() -> TestEnv {
    let env = repository();
    for (n, name) in AWKWARD.iter().enumerate() {
        let folder = env.path().join(format!("d{n}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(OsStr::from_bytes(name)), "").unwrap();
    }
    env.undo("commit -qm awkward").ok();
    env
}

/// Completes each name in a terminal, and lets the shell read the completed line: `read` runs it with the line as `$1`, and
/// prints its words, each ended by NUL. Names that a shell cannot complete must not be completed to something else.
#[track_caller]
fn completes_awkward_names(terminal: &mut Terminal, env: &TestEnv, read: &[&str], impossible: &[&[u8]]) {
    for (n, name) in AWKWARD.iter().enumerate() {
        let typed = format!("undo -C d{n} restore ");
        let line = terminal.type_keys(&format!("{typed}\t\x07")).replace("\r\n", "\n");
        if impossible.contains(name) {
            assert_eq!(line.trim_end(), typed.trim_end());
            continue;
        }
        let output = env.command(read[0]).args(&read[1..]).arg(&line).output().unwrap();
        let words: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        let path = words.get(4).map(|path| path.strip_prefix(b"./").unwrap_or(path)).unwrap_or_default();
        let (path, name) = (path.escape_ascii().to_string(), name.escape_ascii().to_string());
        assert_eq!((path, words.len()), (name, 6), "{line}\n{output:?}");
    }
}

#[test]
fn bash_completes_awkward_names() {
    let (Some(script_program), Some(bash)) = (found("script"), found("bash")) else { return };
    let env = awkward_names();
    let mut terminal = start_bash(&env, &script_program, &bash);
    let read = [bash.to_str().unwrap(), "-c", "eval \"set -- $1\"; printf '%s\\0' \"$@\"", "bash"];
    completes_awkward_names(&mut terminal, &env, &read, &[]);
}

#[test]
fn zsh_completes_awkward_names() {
    let (Some(script_program), Some(zsh)) = (found("script"), found("zsh")) else { return };
    let env = awkward_names();
    let mut terminal = start_zsh(&env, &script_program, &zsh, "compinit -u -D; source <(undo completions zsh)");
    let read = [zsh.to_str().unwrap(), "-f", "-c", "eval \"set -- $1\"; printf '%s\\0' \"$@\"", "zsh"];
    completes_awkward_names(&mut terminal, &env, &read, &[]);
}

#[test]
fn fish_completes_awkward_names() {
    let (Some(script_program), Some(fish)) = (found("script"), found("fish")) else { return };
    let env = awkward_names();
    let file = env.root().join("home/start");
    let start = format!(
        "function fish_prompt; printf 'READY> '; end\n\
         source '{}'\n\
         bind \\cg 'printf \"\\n<<%s>>\\n\" (commandline | string collect); commandline \"\"; commandline -f repaint'\n",
        script("undo.fish").display()
    );
    fs::write(&file, start).unwrap();
    let shell = format!("{} --no-config -i -C 'source {}'", fish.display(), file.display());
    let mut terminal = Terminal::start(&env, &script_program, &shell);
    let read = [fish.to_str().unwrap(), "--no-config", "-c", "eval \"printf '%s\\\\0' $argv[1]\""];
    // Fish has no words that are not UTF-8, separates the description by a TAB, and offers names that begin with a dot only
    // after a dot.
    let not_offered: [&[u8]; 8] = [b"a\xffb", b"a\tb", b"~", b"~root", b"-a", b"--json", b".hidden", b"..."];
    completes_awkward_names(&mut terminal, &env, &read, &not_offered);
    assert_eq!(terminal.type_keys("undo -C d22 restore ./\t\x07"), "undo -C d22 restore ./~ ");
}

#[test]
fn completion_scripts_contain_no_build_paths() {
    for file in fs::read_dir(script("")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for place in [env!("CARGO_MANIFEST_DIR"), env!("CARGO_BIN_EXE_undo"), "/target/"] {
            assert!(!text.contains(place), "{}: {place}", path.display());
        }
    }
}
