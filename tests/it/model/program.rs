//! `undo run` with a script of random edits: kept, rolled back, or killed. The script ends by making a plain copy of
//! the directory, which is the expected state after it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{Model, list};
use crate::env::Output;
use crate::tree::Tree;

/// Handling of the script's changes, with its exit status.
struct Handling {
    name: &'static str,
    options: &'static str,
    exit: i32,
    is_taken_back: bool,
}

const HANDLINGS: [Handling; 5] = [
    Handling { name: "kept run", options: "", exit: 0, is_taken_back: false },
    Handling { name: "kept run", options: "--on-fail keep", exit: 3, is_taken_back: false },
    Handling { name: "run rolled back", options: "--rollback", exit: 0, is_taken_back: true },
    Handling { name: "failed run rolled back", options: "--on-fail rollback", exit: 3, is_taken_back: true },
    Handling { name: "guarded run", options: "--guard 'changed<0'", exit: 0, is_taken_back: true },
];

/// Accepted messages of runs that exit 125: obstacles of the rollback or of the run.
const REFUSALS: [&str; 2] = ["would be replaced, but no commit has this content", "unfinished"];

impl Model {
    /// Runs a script; neither the state before nor after it may be lost.
    pub(super) fn run_program(&mut self) {
        let way = &HANDLINGS[self.random.below(HANDLINGS.len())];
        let (all, covered) = self.contents();
        let before = Tree::read(&self.env.path());
        self.met.extend(all.iter().cloned());
        let is_parent_killed = self.random.below(8) == 0;
        let (script, copy) = self.script(way.exit, is_parent_killed);
        let line = format!("run {} -- sh {}", way.options, script.display());
        let at = (self.has_strace && !is_parent_killed && self.random.below(4) == 0).then(|| self.kill_point());
        let output = match at {
            Some((family, n)) => self.killed_in(family, n, &line),
            None => Some(self.env.undo(&line)),
        };
        let ended = output.as_ref().map(|output| output.code);
        let text = fs::read_to_string(&script).unwrap();
        self.story.push(format!("undo {line}: {ended:?}, {at:?}, parent killed: {is_parent_killed}\n{text}"));
        let between = copy.exists().then(|| contents(&copy));
        // Ignored files stay in place.
        let has_rules = fs::read_to_string(copy.join(".undoignore")).is_ok_and(|rules| !rules.trim().is_empty());
        if let Some(between) = &between {
            // Recorded content survives the script; ignored content may not.
            let recorded = self.in_commits();
            let is_gone = |hash: &String| all.contains(hash) && !covered.contains(hash) && !between.contains(hash);
            self.met.retain(|hash| !is_gone(hash) || recorded.contains(hash));
            self.met.extend(between.iter().cloned());
        }
        let is_killed = output.is_none() || is_parent_killed;
        self.done.extend(output.is_none().then(|| "killed run".to_owned()));
        self.done.extend((is_parent_killed && between.is_some()).then(|| "run with its parent killed".to_owned()));
        self.check(if is_killed { "run, killed" } else { &line });
        match output.filter(|_| !is_parent_killed) {
            Some(output) => self.has_ended(way, &output, (&before, between.as_ref()), has_rules),
            None => self.finish(),
        }
    }

    /// Checks a finished run.
    fn has_ended(
        &mut self,
        way: &Handling,
        output: &Output,
        (before, between): (&Tree, Option<&BTreeSet<String>>),
        has_rules: bool,
    ) {
        let expected = if way.options.contains("guard") { 6 } else { way.exit };
        let text = output.to_string();
        let is_refused = output.code == 125 && REFUSALS.iter().any(|part| text.contains(part));
        assert!(output.code == expected || output.code == 3 || is_refused, "{}\n{text}", way.options);
        self.done.extend((output.code == expected).then(|| way.name.to_owned()));
        match between {
            Some(_) if is_refused || output.code == 3 && way.exit != 3 => {}
            Some(_) if way.is_taken_back && has_rules => {}
            Some(_) if way.is_taken_back => {
                assert_eq!(self.differences(before), Vec::<String>::new(), "{}\n{text}", way.options)
            }
            Some(between) => assert_eq!(self.contents().0, *between, "{}\n{text}", way.options),
            None => assert!(is_refused, "the script did not run\n{text}"),
        }
    }

    /// After a kill during the rollback, continues or undoes it.
    fn finish(&mut self) {
        if String::from_utf8_lossy(&self.env.undo("status").stderr).contains("unfinished") {
            let way_out = ["checkout --continue", "undo"][self.random.below(2)];
            let output = self.run(way_out);
            assert!([0, 3].contains(&output.code), "{output}");
        }
    }

    fn kill_point(&mut self) -> (&'static str, usize) {
        let families =
            ["write,pwrite64,pwritev2", "rename,renameat2", "unlinkat", "fsync,fdatasync", "fchmod,utimensat"];
        (families[self.random.below(5)], 1 + self.random.below(30))
    }

    /// Kills only `undo`, not the program that it runs. `None` if it was killed.
    fn killed_in(&self, family: &str, n: usize, line: &str) -> Option<Output> {
        let strace = format!("strace -qq -o /dev/null -e trace={family} -e inject={family}:signal=SIGKILL:when={n}");
        let output = self.env.shell(&format!("exec {strace} undo {line}"));
        (output.code != 137).then_some(output)
    }

    /// Creates a script, and the path of its final copy of the directory.
    fn script(&mut self, exit: i32, kills_parent: bool) -> (PathBuf, PathBuf) {
        let tmp = self.env.root().join("tmp");
        let (script, copy) = (tmp.join("script"), tmp.join("copy"));
        let _ = fs::remove_dir_all(&copy);
        let mut lines: Vec<String> = (0..=self.random.below(4)).map(|at| self.script_line(at)).collect();
        let (making, copying) = (tmp.join("copying"), "find . -mindepth 1 -maxdepth 1 ! -name .undo -exec cp -a {}");
        lines.push(format!("rm -rf {0}; mkdir {0}; {copying} {0} \\;; mv {0} {1}", making.display(), copy.display()));
        lines.extend(kills_parent.then(|| "kill -9 $PPID".to_owned()));
        lines.push(format!("exit {exit}\n"));
        fs::write(&script, lines.join("\n")).unwrap();
        (script, copy)
    }

    fn script_line(&mut self, at: usize) -> String {
        let (path, other) = (self.relative(), self.relative());
        let new = self.env.root().join(format!("tmp/new-{at}"));
        fs::write(&new, self.random.bytes()).unwrap();
        let (path, other, new, undo) = (path.display(), other.display(), new.display(), env!("CARGO_BIN_EXE_undo"));
        let line = match self.random.below(10) {
            0 | 1 => format!("mkdir -p $(dirname {path}); rm -rf {path}; cp {new} {path}"),
            2 => format!("[ -f {path} ] && cat {new} >> {path}"),
            3 => format!("rm -rf {path}"),
            4 => format!("mv {path} {other}"),
            5 => format!("ln {path} {other}"),
            6 => format!("chmod 600 {path}"),
            7 => format!("[ -f {path} ] && truncate -s 100 {path}"),
            8 => format!("{undo} commit -m inner"),
            _ => format!("{undo} undo"),
        };
        format!("{{ {line}; }} > /dev/null 2>&1")
    }
}

/// Returns the contents of all files of a copy.
fn contents(copy: &std::path::Path) -> BTreeSet<String> {
    let mut files = Vec::new();
    list(copy, &mut files);
    files.into_iter().filter(|(path, _)| !path.contains(".undo-")).map(|(_, hash)| hash).collect()
}
