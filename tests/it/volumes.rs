//! Worktrees on separate file systems: tmpfs, images in a loop device, overlays. They need root.

use std::fs::File;
use std::process::Command;

use crate::env::TestEnv;
use crate::safety::places::Mounted;
use crate::skip::skip;

/// A test environment whose worktree is on a file system of this kind.
pub struct Volume {
    pub kind: &'static str,
    // Dropped first: unmounted before their folder is removed, the last one mounted first.
    _mounts: Vec<Mounted>,
    pub env: TestEnv,
}

impl Volume {
    /// One volume of each kind that can be mounted here; the others are reported as skipped.
    pub fn each(kinds: &[&'static str]) -> Vec<Volume> {
        kinds.iter().filter_map(|kind| Volume::new(kind)).collect()
    }

    /// `"plain"`: the file system of the tests. `"overlay"`: an overlay on that. `"overlay-tmpfs"`: an overlay on a
    /// tmpfs.
    pub fn new(kind: &'static str) -> Option<Volume> {
        let env = TestEnv::new();
        let mounts = match kind {
            "plain" => Some(Vec::new()),
            "tmpfs" => Mounted::new(&["-t", "tmpfs", "tmpfs"], &env.path()).map(|mount| vec![mount]),
            "overlay" => overlay(&env).map(|mount| vec![mount]),
            "overlay-tmpfs" => on_tmpfs(&env),
            _ => image(&env, kind).map(|mount| vec![mount]),
        };
        if mounts.is_none() {
            skip(format_args!("{kind} is not available (needs root, and for images a loop device and mkfs.{kind})"));
        }
        Some(Volume { kind, _mounts: mounts?, env })
    }
}

fn image(env: &TestEnv, kind: &str) -> Option<Mounted> {
    let image = env.root().join("image");
    File::create(&image).unwrap().set_len(400 << 20).unwrap();
    let made = Command::new(format!("mkfs.{kind}")).arg("-q").arg(&image).output();
    let is_made = made.is_ok_and(|output| output.status.success());
    is_made.then(|| Mounted::new(&["-t", kind, "-o", "loop", image.to_str().unwrap()], &env.path())).flatten()
}

fn overlay(env: &TestEnv) -> Option<Mounted> {
    let base = env.root().join("layers");
    let folder = |name: &str| {
        let folder = base.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder.display().to_string()
    };
    let options = format!("lowerdir={},upperdir={},workdir={}", folder("lower"), folder("upper"), folder("work"));
    Mounted::new(&["-t", "overlay", "overlay", "-o", &options], &env.path())
}

fn on_tmpfs(env: &TestEnv) -> Option<Vec<Mounted>> {
    let base = env.root().join("layers");
    std::fs::create_dir_all(&base).unwrap();
    let below = Mounted::new(&["-t", "tmpfs", "tmpfs"], &base)?;
    Some(vec![overlay(env)?, below])
}
