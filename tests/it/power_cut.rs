//! Power cuts at random moments of commits and collections, on real file systems: the shutdown ioctl of ext4 and XFS drops everything that was not
//! flushed. After each cut the file system recovers, and every acknowledged commit is there and exact.
//!
//! `UNDO_TEST_ROUNDS=N` cuts N times on each file system, `UNDO_TEST_SEED=N` repeats a sequence.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::env::TestEnv;
use crate::random::Random;
use crate::safety::places::Mounted;
use crate::skip::skip;
use crate::tree::{Tree, assert_same};

/// Waits for a line on stdin, then shuts the file system down without flushing its journal (`EXT4_IOC_SHUTDOWN`, which is
/// `XFS_IOC_GOINGDOWN`).
const CUT: &str = "\
import fcntl, os, struct, sys
place = os.open(sys.argv[1], os.O_RDONLY)
print(flush=True)
sys.stdin.readline()
fcntl.ioctl(place, 0x8004587D, struct.pack('I', 2))
";

/// A disk that can lose power: an image in memory, mounted at the worktree.
struct Disk {
    image: PathBuf,
    place: PathBuf,
    _memory: Mounted,
}

impl Disk {
    fn new(env: &TestEnv, kind: &str) -> Option<Disk> {
        let folder = env.root().join("memory");
        fs::create_dir(&folder).unwrap();
        let memory = Mounted::new(&["-t", "tmpfs", "tmpfs"], &folder)?;
        let image = folder.join("image");
        fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
        let made = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image).output();
        let disk = Disk { image, place: env.path(), _memory: memory };
        (made.is_ok_and(|output| output.status.success()) && disk.mount()).then_some(disk)
    }

    fn mount(&self) -> bool {
        let mounted = Command::new("mount").args(["-o", "loop"]).args([&self.image, &self.place]).output();
        mounted.is_ok_and(|output| output.status.success())
    }

    /// Prepares a power cut, which a line on stdin of the process triggers.
    fn prepare_cut(&self) -> Child {
        let mut child = Command::new("python3")
            .args(["-c", CUT])
            .arg(&self.place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // The process is ready.
        std::io::Read::read(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        child
    }

    fn restart(&self) {
        self.unmount();
        assert!(self.mount(), "the file system recovers");
    }

    fn unmount(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while !Command::new("umount").arg(&self.place).output().unwrap().status.success() {
            assert!(Instant::now() < end, "the file system is in use");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.place).output();
    }
}

/// A history on a disk that loses power, and what it has to contain.
struct History {
    env: TestEnv,
    disk: Disk,
    random: Random,
    /// The recorded tree of each commit in the log, by id.
    commits: BTreeMap<String, Tree>,
    /// Cuts during a command, and cuts after it was acknowledged.
    cuts: [usize; 2],
}

impl History {
    fn edit(&mut self) {
        for _ in 0..=self.random.below(4) {
            let path = format!("{}/{}", self.random.of(&["a", "b", "c"]), self.random.of(&["x", "y", "z"]));
            match self.random.below(4) {
                0 => drop(fs::remove_file(self.env.path().join(path))),
                _ => self.env.write(&path, self.random.bytes()),
            }
        }
    }

    /// Starts a command, cuts the power at a random moment, and restarts. Returns whether the command had succeeded.
    fn cut_during(&mut self, arguments: &[&str], usual: Duration) -> bool {
        let mut cut = self.disk.prepare_cut();
        let mut command = self.env.command(env!("CARGO_BIN_EXE_undo"));
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let moment = usual.mul_f64(self.random.below(2000) as f64 / 1000.0);
        let mut command = command.spawn().unwrap();
        sleep(moment);
        let ended = command.try_wait().unwrap();
        cut.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(cut.wait().unwrap().success(), "the power is cut");
        command.wait().unwrap();
        self.cuts[usize::from(ended.is_some())] += 1;
        self.disk.restart();
        // After a real power cut another boot id invalidates the index.
        let _ = fs::remove_file(self.env.path().join(".undo/index"));
        ended.is_some_and(|status| status.success())
    }

    fn log(&self) -> Vec<String> {
        let lines = self.env.undo("log --json").ok().json();
        lines.iter().filter_map(|line| Some(line.get("id")?.as_str()?.to_owned())).collect()
    }

    /// Checks the whole repository, and some commits byte for byte.
    fn check(&mut self, log: &[String]) {
        let verified = self.env.undo("verify");
        assert_eq!(verified.code, 0, "{verified}");
        let missing: Vec<&String> = self.commits.keys().filter(|id| !log.contains(id)).collect();
        assert!(missing.is_empty(), "acknowledged commits are missing: {missing:?}");
        let known: Vec<&String> = log.iter().filter(|id| self.commits.contains_key(*id)).collect();
        for n in [0, self.random.below(known.len().max(1)), self.random.below(known.len().max(1))] {
            if let Some(id) = known.get(n) {
                self.check_commit(id, &self.commits[*id]);
            }
        }
    }

    fn check_commit(&self, id: &str, expected: &Tree) {
        let out = self.env.root().join("memory/out");
        self.env.undo(&format!("export {id} {}", out.display())).ok();
        assert_same(&Tree::read(&out), expected);
        fs::remove_dir_all(out).unwrap();
    }

    /// One round: a command during which the power may be cut, and all checks.
    fn round(&mut self, usual: Duration) {
        if self.random.below(3) == 0 { self.collect(usual) } else { self.record(usual) }
    }

    /// Forgets a commit, and cuts the power while its content is collected.
    fn collect(&mut self, usual: Duration) {
        let old: Vec<String> = self.log().into_iter().skip(1).collect();
        if !old.is_empty() {
            let id = &old[self.random.below(old.len())];
            self.env.undo(&format!("forget {id}")).ok();
            self.commits.remove(id);
        }
        self.cut_during(&["gc", "--now"], usual * 3);
        let log = self.log();
        self.check(&log);
    }

    fn record(&mut self, usual: Duration) {
        self.edit();
        let recorded = Tree::read(&self.env.path());
        let before = self.log();
        let is_acknowledged = self.cut_during(&["commit", "-m", "x"], usual);
        let log = self.log();
        let new: Vec<&String> = log.iter().filter(|id| !before.contains(id)).collect();
        assert!(!is_acknowledged || new.len() <= 1, "one commit");
        if let [id] = new.as_slice() {
            self.commits.insert((*id).clone(), recorded);
        } else if is_acknowledged {
            // A changed mtime alone makes no commit.
            let out = self.env.root().join("memory/out");
            self.env.undo(&format!("export @ {}", out.display())).ok();
            assert_eq!(Tree::read(&out).contents(), recorded.contents());
            fs::remove_dir_all(out).unwrap();
        }
        self.check(&log);
    }
}

/// Cuts the power many times on a file system of this kind.
fn cut_power(kind: &str) {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let (rounds, seed) = (number("UNDO_TEST_ROUNDS", 200), number("UNDO_TEST_SEED", 1));
    let env = TestEnv::new();
    let Some(disk) = Disk::new(&env, kind) else {
        return skip(format_args!("{kind} is not available (needs root, a loop device and mkfs.{kind})"));
    };
    env.undo("init").ok();
    env.undo("config gc.auto false").ok();
    env.write("a/x", "first");
    env.undo("commit -m first").ok();
    flush(&env.path());
    let random = Random::new(seed as u64);
    let mut history = History { env, disk, random, commits: BTreeMap::new(), cuts: [0; 2] };
    history.edit();
    let start = Instant::now();
    history.env.undo("commit -m timed").ok();
    let usual = start.elapsed();
    for round in 0..rounds {
        println!("UNDO_TEST_SEED={seed}, {kind}, round {round}");
        history.round(usual);
    }
    println!("{kind}: cuts during commands, and after: {:?}; commits: {}", history.cuts, history.commits.len());
    assert!(rounds < 50 || history.cuts.iter().all(|&cuts| cuts > rounds / 10), "{:?}", history.cuts);
}

fn flush(path: &Path) {
    rustix::fs::syncfs(fs::File::open(path).unwrap()).unwrap();
}

#[test]
fn ext4_keeps_acknowledged_commits_across_power_cuts() {
    cut_power("ext4");
}

#[test]
fn xfs_keeps_acknowledged_commits_across_power_cuts() {
    cut_power("xfs");
}
