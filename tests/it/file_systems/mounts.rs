//! Mounts a file system of each kind for a test: kernel file systems on images, FUSE file systems, and sshfs with a
//! local server.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::env::TestEnv;
use crate::safety::places::Mounted;

/// File systems with a row in docs/metadata.md.
pub const KINDS: [&str; 14] = [
    "ext4",
    "XFS",
    "btrfs",
    "tmpfs",
    "overlayfs",
    "fuse-overlayfs",
    "sshfs",
    "mergerfs",
    "bindfs",
    "gocryptfs",
    "encfs",
    "unionfs-fuse",
    "exfat-fuse",
    "ntfs-3g",
];

/// A worktree on a separate file system. On drop, unmounts it, stops its server and removes its files.
pub struct MountedWorktree {
    _mounts: Vec<Mounted>,
    _server: Option<Server>,
    pub env: TestEnv,
}

/// A process that is killed on drop.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl MountedWorktree {
    /// Mounts the file system as the worktree; `None` if it cannot be mounted here. For an overlay, `fill` creates the
    /// lower layer.
    pub fn new(kind: &str, fill: impl FnOnce(&Path)) -> Option<MountedWorktree> {
        MountedWorktree::with_options(kind, &[], fill)
    }

    /// Like [`MountedWorktree::new`], with sshfs options.
    pub fn with_options(kind: &str, options: &[&str], fill: impl FnOnce(&Path)) -> Option<MountedWorktree> {
        let env = TestEnv::new();
        let layers = env.root().join("layers");
        for name in ["lower", "upper", "work", "one", "two"] {
            fs::create_dir_all(layers.join(name)).unwrap();
        }
        let layer = |name: &str| layers.join(name).display().to_string();
        let place = env.path().display().to_string();
        let (mut mounts, mut server) = (Vec::new(), None);
        let image = |size: u64| {
            let path = layers.join("image");
            File::create(&path).unwrap().set_len(size).unwrap();
            path.display().to_string()
        };
        let is_mounted = match kind {
            "ext4" | "XFS" | "btrfs" => {
                let (kind, image) = (kind.to_lowercase(), image(320 << 20));
                run(&format!("mkfs.{kind}"), &["-q", &image])
                    && mount(&mut mounts, &["-t", &kind, "-o", "loop", &image], &place)
            }
            "tmpfs" => mount(&mut mounts, &["-t", "tmpfs", "tmpfs"], &place),
            "overlayfs" => {
                // Not every file system that tests run on can hold the upper layer.
                let is_mounted = mount(&mut mounts, &["-t", "tmpfs", "tmpfs"], &layers.display().to_string());
                for name in ["lower", "upper", "work"] {
                    fs::create_dir_all(layers.join(name)).unwrap();
                }
                fill(&layers.join("lower"));
                let options =
                    format!("lowerdir={},upperdir={},workdir={}", layer("lower"), layer("upper"), layer("work"));
                is_mounted && mount(&mut mounts, &["-t", "overlay", "overlay", "-o", &options], &place)
            }
            "fuse-overlayfs" => {
                fill(&layers.join("lower"));
                let options =
                    format!("lowerdir={},upperdir={},workdir={}", layer("lower"), layer("upper"), layer("work"));
                fuse(&mut mounts, "fuse-overlayfs", &["-o", &options, &place], &place)
            }
            "sshfs" => {
                let (started, port) = start_sshd(&layers)?;
                server = Some(started);
                let (port, key) = (port.to_string(), format!("IdentityFile={}", layer("key")));
                let source = format!("root@127.0.0.1:{}", layer("one"));
                let unknown = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
                let fixed = ["-p", &port, "-o", &key, &source, &place];
                fuse(&mut mounts, "sshfs", &[&fixed[..], &unknown, options].concat(), &place)
            }
            "mergerfs" => {
                let branches = format!("{}:{}", layer("one"), layer("two"));
                // By default branches with less than 4 GiB free are not written to.
                let options = "category.create=rand,minfreespace=1M";
                fuse(&mut mounts, "mergerfs", &["-o", options, &branches, &place], &place)
            }
            "bindfs" => fuse(&mut mounts, "bindfs", &[&layer("one"), &place], &place),
            "gocryptfs" => {
                let password = ["-q", "-extpass", "echo password"];
                run("gocryptfs", &[&password[..], &["-init", "-scryptn", "10", &layer("one")]].concat())
                    && fuse(&mut mounts, "gocryptfs", &[&password[..], &[&layer("one"), &place]].concat(), &place)
            }
            "encfs" => {
                let arguments = ["--standard", "--extpass=echo password", &layer("one"), &place];
                fuse(&mut mounts, "encfs", &arguments, &place)
            }
            "unionfs-fuse" => {
                fill(&layers.join("two"));
                let branches = format!("{}=RW:{}=RO", layer("one"), layer("two"));
                fuse(&mut mounts, "unionfs", &["-o", "cow,hide_meta_files", &branches, &place], &place)
            }
            "exfat-fuse" => {
                let image = image(32 << 20);
                run("mkfs.exfat", &[&image]) && mount(&mut mounts, &["-t", "exfat-fuse", "-o", "loop", &image], &place)
            }
            "ntfs-3g" => {
                let image = image(32 << 20);
                run("mkfs.ntfs", &["-q", "-F", &image]) && fuse(&mut mounts, "ntfs-3g", &[&image, &place], &place)
            }
            kind => panic!("no file system `{kind}`"),
        };
        is_mounted.then_some(MountedWorktree { _mounts: mounts, _server: server, env })
    }
}

/// Daemons keep inherited file descriptors open, so the test passes none to them.
fn run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn mount(mounts: &mut Vec<Mounted>, arguments: &[&str], place: &str) -> bool {
    let mounted = Mounted::new(arguments, Path::new(place));
    let is_mounted = mounted.is_some();
    mounts.extend(mounted);
    is_mounted
}

fn fuse(mounts: &mut Vec<Mounted>, program: &str, arguments: &[&str], place: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let is_mounted = is_root && run(program, arguments);
    if is_mounted {
        mounts.push(Mounted::adopt(PathBuf::from(place)));
    }
    is_mounted
}

/// Starts a server that accepts only a new key; returns its port too.
fn start_sshd(folder: &Path) -> Option<(Server, u16)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let path = |name: &str| folder.join(name).display().to_string();
    for name in ["host", "key"] {
        if !run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]) {
            return None;
        }
    }
    // Directory for privilege separation of the server.
    fs::create_dir_all("/run/sshd").ok()?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?.local_addr().ok()?.port();
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
         UsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
        path("host"),
        path("key.pub"),
    );
    fs::write(folder.join("settings"), settings).unwrap();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-f", &path("settings")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server(command.spawn().ok()?);
    let started = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if started.elapsed() > Duration::from_secs(5) {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((server, port))
}
