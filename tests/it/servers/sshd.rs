//! OpenSSH's sshd on its own port, with its own keys, for SFTP.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use undo::internals::remote::{Address, Options, Remote, SftpAddress};

use super::{command, free_ports, listens, start, wait_until};
use crate::skip::skip;

const PROGRAM: &str = "/usr/sbin/sshd";

/// A running server, which ends when this value is dropped.
pub struct Sshd {
    directory: TempDir,
    port: u16,
    child: Child,
}

impl Sshd {
    /// Starts a server with these options of `internal-sftp`. `None` if sshd is not installed: the caller returns.
    pub fn start(options: &str) -> Option<Sshd> {
        if !Path::new(PROGRAM).exists() {
            skip(format_args!("{PROGRAM} is not installed"));
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for name in ["host_key", "user_key", "other_key"] {
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(root.join(name)));
        }
        let [port] = free_ports();
        std::fs::copy(root.join("user_key.pub"), root.join("authorized_keys")).unwrap();
        let host_key = std::fs::read_to_string(root.join("host_key.pub")).unwrap();
        std::fs::write(root.join("known_hosts"), format!("[127.0.0.1]:{port} {host_key}")).unwrap();
        let place = root.display();
        let configuration = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {place}/host_key\nAuthorizedKeysFile {place}/authorized_keys\n\
             StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin yes\nMaxStartups 100\nSubsystem sftp internal-sftp {options}\nForceCommand internal-sftp {options}\n"
        );
        std::fs::write(root.join("sshd_config"), configuration).unwrap();
        // sshd of root insists on this directory.
        let _ = std::fs::create_dir("/run/sshd");
        let mut sshd = command(PROGRAM);
        sshd.args(["-D", "-f"]).arg(root.join("sshd_config")).arg("-E").arg(root.join("log"));
        let child = start(sshd);
        wait_until("the start of sshd", Duration::from_secs(20), || listens(port));
        let sshd = Sshd { directory, port, child };
        sshd.write_client("user_key");
        Some(sshd)
    }

    /// Writes the program `ssh`, which logs in with this key. A child process writes it: the system does not run a program that
    /// another process has open for writing, and processes started at this moment inherit our files.
    fn write_client(&self, key: &str) {
        let place = self.directory.path().display();
        let options = [
            "-F /dev/null",
            &format!("-o IdentityFile={place}/{key}"),
            "-o IdentitiesOnly=yes",
            &format!("-o UserKnownHostsFile={place}/known_hosts"),
            "-o GlobalKnownHostsFile=/dev/null",
            "-o StrictHostKeyChecking=yes",
            "-o BatchMode=yes",
        ];
        let script = format!("#!/bin/sh\nexec /usr/bin/ssh {} \"$@\"\n", options.join(" "));
        let file = self.program();
        let mut write = Command::new("sh");
        run(write.arg("-c").arg("printf %s \"$1\" > \"$2\" && chmod +x \"$2\"").arg("sh").arg(script).arg(file));
    }

    /// The client of this server.
    pub fn program(&self) -> PathBuf {
        self.directory.path().join("ssh")
    }

    /// Changes the key that the client logs in with to one that the server does not know.
    pub fn use_unknown_key(&self) {
        self.write_client("other_key");
    }

    /// Changes the key that the client expects of the server; `None` to expect none.
    pub fn expect_host_key(&self, name: Option<&str>) {
        let root = self.directory.path();
        let key = name.map(|name| std::fs::read_to_string(root.join(name)).unwrap());
        let line = key.map(|key| format!("[127.0.0.1]:{} {key}", self.port)).unwrap_or_default();
        std::fs::write(root.join("known_hosts"), line).unwrap();
    }

    /// A directory of the server.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The URL of a directory of the server.
    pub fn url(&self, name: &str) -> String {
        format!("sftp://127.0.0.1:{}{}", self.port, self.path(name).display())
    }

    /// The address of a directory of the server.
    pub fn address(&self, name: &str) -> SftpAddress {
        let path = self.path(name).to_str().unwrap().to_owned();
        SftpAddress { user: None, host: "127.0.0.1".into(), port: Some(self.port), path, program: self.program() }
    }

    /// A remote in a directory of the server.
    pub fn remote(&self, name: &str) -> Remote {
        Remote::new(Address::Sftp(self.address(name)), Options::default())
    }

    /// Kills the processes of all connections.
    pub fn drop_connections(&self) {
        let parent = self.child.id().to_string();
        // Exit status 1: no process.
        Command::new("pkill").args(["-KILL", "-P", &parent]).status().unwrap();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.drop_connections();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
