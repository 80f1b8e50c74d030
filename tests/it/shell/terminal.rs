//! A shell in tmux, with the hook and an `undo` that counts its calls.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{newest, newest_file, repository};
use crate::crash::has_strace;
use crate::env::TestEnv;
use crate::errors::lock::LockHolder;
use crate::skip::skip;

/// Timeout: even on a busy machine, only a hanging shell is silent this long.
const DEADLINE: Duration = Duration::from_secs(300);

/// A shell.
pub struct Terminal {
    pub env: TestEnv,
    lines: usize,
}

impl Terminal {
    /// Starts a shell in a repository, with a start file that contains `before`, the hook, and `after`. `None` if a program is missing.
    pub fn start(shell: &str, settings: &str, before: &str, after: &str) -> Option<Terminal> {
        for program in ["tmux", shell] {
            if Command::new(program).arg(if program == "tmux" { "-V" } else { "--version" }).output().is_err() {
                skip(format_args!("{program} is not installed"));
                return None;
            }
        }
        let env = repository();
        let folder = env.root().join("bin");
        fs::create_dir(&folder).unwrap();
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{}'\nexec '{}' \"$@\"\n",
            env.root().join("calls").display(),
            env!("CARGO_BIN_EXE_undo")
        );
        // Written by another process: a file that is open for writing here, inherited by a child of another thread, cannot
        // be executed.
        let mut write = Command::new("sh");
        write.args(["-c", "printf %s \"$1\" >\"$2\"; chmod +x \"$2\"", "sh"]).arg(script).arg(folder.join("undo"));
        assert!(write.status().unwrap().success());
        env.set("PATH", format!("{}:/usr/bin:/bin", folder.display()));
        env.set("SHELL", "/bin/sh");
        env.set("ZDOTDIR", env.root().join("home"));
        if !settings.is_empty() {
            env.undo(&format!("config -q --global {settings}")).ok();
        }
        let file = env.root().join("home/.zshrc");
        let (prompt, load) = match shell {
            "fish" => ("function fish_prompt; printf 'READY> '; end", "undo shell-hook fish | source"),
            _ => ("PS1='READY> '", "eval \"$(undo shell-hook SHELL)\""),
        };
        fs::write(&file, format!("{prompt}\n{before}\n{}\n{after}\n", load.replace("SHELL", shell))).unwrap();
        let file = file.display();
        let shell = match shell {
            "bash" => format!("bash --noprofile --rcfile '{file}' -i"),
            "zsh" => "zsh -d -i".to_owned(),
            _ => format!("fish --no-config -i -C 'source {file}'"),
        };
        let log = env.root().join("trace");
        let trace = format!("strace -f -qq -e trace=execve,fork,vfork,clone,clone3 -o '{}' ", log.display());
        let shell = if before.contains("# traced") { trace + &shell } else { shell };
        let mut terminal = Terminal { env, lines: 0 };
        let directory = terminal.path("work");
        let start =
            ["-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "50", "-c", directory.to_str().unwrap()];
        terminal.tmux(&[&start[..], &[&shell]].concat());
        terminal.line("echo started");
        terminal.calls();
        Some(terminal)
    }

    /// Makes recordings incomplete: reading `data/new` fails.
    pub fn make_a_file_unreadable(&self) {
        let file = self.path("work/data/new");
        let reads = "-e trace=read,pread64 -e inject=read,pread64:error=EIO";
        let strace = format!("strace -f -qq -o /dev/null -P {} {reads}", file.display());
        let mut sed = Command::new("sed");
        sed.args(["-i", &format!("s#^exec#exec {strace}#")]).arg(self.path("bin/undo"));
        assert!(sed.status().unwrap().success());
    }

    /// Starts a shell whose processes are traced.
    pub fn start_traced(shell: &str) -> Option<Terminal> {
        has_strace().then(|| Terminal::start(shell, "", "# traced", ""))?
    }

    /// Not in the repository, which some tests remove.
    fn tmux_command(&self) -> Command {
        let mut command = self.env.command("tmux");
        command.current_dir(self.env.root()).arg("-S").arg(self.env.root().join("tmux"));
        command
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = self.tmux_command().args(arguments).output().unwrap();
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Types keys.
    pub fn keys(&self, text: &str) {
        self.tmux(&["send-keys", "-l", "--", text]);
    }

    /// Presses a key, such as `Enter` or `C-c`.
    pub fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    /// What the screen and the lines above it show.
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-1000"])
    }

    #[track_caller]
    fn wait(&self, what: &str, is_done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_done() {
            assert!(begun.elapsed() < DEADLINE, "no {what} on the screen:\n{}", self.screen());
            sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(text, || self.screen().contains(text));
    }

    /// Waits until the shell has run all lines that were typed.
    #[track_caller]
    pub fn finish(&mut self) {
        self.lines += 1;
        let done = self.env.root().join(format!("done-{}", self.lines));
        self.keys(&format!("echo >{}", done.display()));
        self.press("Enter");
        self.wait("prompt", || done.exists());
    }

    /// Types a line, and waits until the shell has run it.
    #[track_caller]
    pub fn line(&mut self, line: &str) {
        for part in line.split('\n') {
            self.keys(part);
            self.press("Enter");
        }
        self.finish();
    }

    /// The calls of `undo` since the last question, as the line that each was for.
    pub fn calls(&self) -> Vec<String> {
        let file = self.env.root().join("calls");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let _ = fs::remove_file(file);
        let calls = text.split("shell-hook ").skip(1).filter_map(|call| call.split_once(" --before "));
        calls.map(|(_, line)| line.trim_end().to_owned()).collect()
    }

    /// What a command writes into a file of the directory.
    #[track_caller]
    pub fn output(&mut self, line: &str) -> String {
        let file = self.env.root().join("out");
        self.line(&format!("{line} >{}", file.display()));
        fs::read_to_string(file).unwrap()
    }

    pub fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.env.root().join(path)
    }

    /// The programs and processes that the shell has started until now.
    pub fn processes(&self) -> usize {
        let trace = fs::read_to_string(self.path("trace")).unwrap();
        let is_call = |line: &str| ["execve(", "fork(", "clone(", "clone3("].iter().any(|call| line.contains(call));
        let is_start = |line: &&str| is_call(line) && !line.contains("CLONE_THREAD");
        trace.lines().filter(is_start).count()
    }

    /// Checks that lines without a guarded command start nothing.
    #[track_caller]
    pub fn ordinary_lines_start_no_process(mut self, lines: &[&str]) {
        self.line("cd .");
        let started = self.processes();
        for line in lines {
            self.line(line);
            assert_eq!(self.processes(), started, "{line}\n{}", self.screen());
        }
        // A program is one process, of the shell or of the program, and one call of `execve`.
        self.line("/bin/true");
        let own = self.processes() - started;
        self.line("/bin/rm -f none");
        assert_eq!(self.processes() - started, 2 * own, "{}", self.screen());
        assert_eq!(self.calls(), Vec::<String>::new());
    }

    /// Checks that the state before a line was recorded, for the line that the shell runs, and that the line ran.
    #[track_caller]
    pub fn records(&mut self, line: &str, expected: &str) {
        self.env.write("data/content", line);
        self.line(line);
        assert_eq!(self.calls(), [expected], "{line}\n{}", self.screen());
        let typed = expected.split(" --alias=").next().unwrap();
        let shown = typed.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        assert_eq!(newest(&self.env), format!("before: {shown}"), "{line}\n{}", self.screen());
        assert!(!self.has("work/data"), "{line}\n{}", self.screen());
        assert_eq!(newest_file(&self.env, ".", "data/content"), line);
    }

    /// Checks that Ctrl-C ends the recording and not the line.
    #[track_caller]
    pub fn interrupt_skips_the_recording(mut self) {
        let holder = LockHolder::of(&self.env, "");
        self.keys("rm -rf data; echo after > after");
        self.press("Enter");
        // Another command holds the lock.
        self.wait_for("waiting: ");
        // A stopped process would keep its locks, and the line would run.
        self.press("C-z");
        sleep(Duration::from_millis(500));
        assert!(self.has("work/data"));
        self.press("C-c");
        self.finish();
        assert!(self.screen().contains("the state before this command was not recorded"), "{}", self.screen());
        assert!(!self.has("work/data") && self.has("work/after"), "{}", self.screen());
        drop(holder);
    }

    /// Checks that nothing of a line runs that deletes a history.
    #[track_caller]
    pub fn refuses(&mut self, line: &str) {
        self.refuses_after(line, &[]);
    }

    /// The same for a line that is typed, and changed or chosen with other keys.
    #[track_caller]
    pub fn refuses_after(&mut self, line: &str, keys: &[&str]) {
        let refusals = || self.screen().matches("was not run (shell.strict)").count();
        let before = refusals();
        self.keys(line);
        for key in keys {
            self.press(key);
            sleep(Duration::from_millis(300));
        }
        self.press("Enter");
        self.wait("refusal", || refusals() > before);
        // Fish leaves the line on the command line.
        self.press("C-u");
        self.finish();
        assert!(self.has("work/data/old"), "{line}");
        assert!(!self.has("after") && !self.has("work/after"), "{line}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux_command().arg("kill-server").output();
    }
}
