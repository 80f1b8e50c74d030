//! The program `ssh` and the SFTP session over its pipes.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use openssh_sftp_client::{Sftp, SftpOptions};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::runtime::Runtime;

use crate::error::{Error, ErrorKind, Result};
use crate::remote::sftp::failure::not_connected;
use crate::remote::{SftpAddress, lock};

/// An open session. Dropping it ends `ssh`.
pub(super) struct Session {
    pub sftp: Sftp,
    /// Directory of the target.
    pub root: String,
    /// Folders that exist.
    pub folders: Mutex<BTreeSet<String>>,
    _ssh: Ssh,
    words: Arc<Mutex<String>>,
}

/// A running `ssh`.
struct Ssh(Child);

impl Drop for Ssh {
    fn drop(&mut self) {
        // Every acknowledged request is complete.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Session {
    /// Starts `ssh`, which asks the terminal for what it needs to know.
    pub fn open(address: &SftpAddress, runtime: &Runtime) -> Result<Session> {
        let program = address.program.display();
        let failed = |cause: std::io::Error| {
            Error::new(ErrorKind::Unreachable, format!("cannot run `{program}`"))
                .with_source(cause)
                .hint("install the client of OpenSSH")
        };
        let mut child = command(address).spawn().map_err(failed)?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut ssh = Ssh(child);
        let words = Arc::new(Mutex::new(String::new()));
        let reader = stderr.map(|stderr| read_words(stderr, words.clone()));
        let pipes = (stdin.map(OwnedFd::from), stdout.map(OwnedFd::from));
        let opened = runtime.block_on(async {
            let (Some(stdin), Some(stdout)) = pipes else { return Err("it has no pipes".to_owned()) };
            let stdin = Sender::from_owned_fd(stdin).map_err(|cause| cause.to_string())?;
            let stdout = Receiver::from_owned_fd(stdout).map_err(|cause| cause.to_string())?;
            Sftp::new(stdin, stdout, SftpOptions::default()).await.map_err(|cause| cause.to_string())
        });
        let root = address.path.clone();
        match opened {
            Ok(sftp) => Ok(Session { sftp, root, folders: Mutex::default(), _ssh: ssh, words }),
            Err(cause) => {
                // `ssh` has ended, or does not speak SFTP. Its last words say why.
                let _ = ssh.0.kill();
                reader.map(JoinHandle::join);
                Err(not_connected(address, &last_words(&words).unwrap_or(cause)))
            }
        }
    }

    /// The path of a key or folder.
    pub fn path_of(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// What `ssh` has reported, if anything.
    pub fn last_words(&self) -> Option<String> {
        last_words(&self.words)
    }

    /// The extensions that the server lacks, of those that make keys atomic and durable.
    pub fn missing_extensions(&self) -> Vec<&'static str> {
        let extensions =
            [("hardlink@openssh.com", self.sftp.support_hardlink()), ("fsync@openssh.com", self.sftp.support_fsync())];
        extensions.into_iter().filter(|(_, is_supported)| !is_supported).map(|(name, _)| name).collect()
    }
}

fn command(address: &SftpAddress) -> Command {
    let mut command = Command::new(&address.program);
    // As `sftp` does. The two intervals end a connection whose other end is gone.
    for option in [
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        "ClearAllForwardings=yes",
        "RemoteCommand=none",
        "RequestTTY=no",
        "ConnectTimeout=30",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ] {
        command.arg("-o").arg(option);
    }
    if let Some(port) = address.port {
        command.arg("-p").arg(port.to_string());
    }
    if let Some(user) = &address.user {
        command.arg("-l").arg(user);
    }
    command.args(["-s", "--", &address.host, "sftp"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Maximum length of the words that are kept.
const MOST_WORDS: usize = 4 << 10;

/// Reads what `ssh` writes until it ends.
fn read_words(mut source: impl Read + Send + 'static, words: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 1 << 10];
        while let Ok(length @ 1..) = source.read(&mut buffer) {
            let mut words = lock(&words);
            if words.len() < MOST_WORDS {
                words.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        }
    })
}

/// The lines that say why a connection failed: the last one, and the one that warns of a changed key.
fn last_words(words: &Mutex<String>) -> Option<String> {
    let words = lock(words);
    let lines = || words.lines().map(|line| line.trim_matches(['@', ' ', '\r'])).filter(|line| !line.is_empty());
    let changed = lines().find(|line| line.contains("IDENTIFICATION HAS CHANGED"));
    // A connection that is closed for a reason is reported in a second line.
    let last = lines().rfind(|line| !line.starts_with("Connection closed")).or_else(|| lines().next_back());
    match (changed, last) {
        (Some(changed), Some(last)) if changed != last => Some(format!("{changed} {last}")),
        (_, last) => last.map(str::to_owned),
    }
}
