//! Failures of SFTP and of `ssh`, with the words of the server and a hint.

use std::fmt;

use openssh_sftp_client::error::{Error as Cause, SftpErrorKind};

use crate::error::{Error, ErrorKind};
use crate::remote::SftpAddress;

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Problem {
    /// The server, the protocol or the connection.
    Sftp(Cause),
    /// The disk of the server is full.
    NoSpace,
    /// Nothing that the server did, or a key that is too large.
    Other(Error),
}

impl From<Cause> for Problem {
    fn from(cause: Cause) -> Problem {
        Problem::Sftp(cause)
    }
}

/// Buffered writes return the server's error inside one of the system.
impl From<std::io::Error> for Problem {
    fn from(cause: std::io::Error) -> Problem {
        Problem::Sftp(cause.downcast::<Cause>().unwrap_or_else(Cause::from))
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        Problem::Other(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Sftp(Cause::SftpError(SftpErrorKind::PermDenied, _)) => f.write_str("permission denied"),
            // OpenSSH repeats the kind as the message.
            Problem::Sftp(Cause::SftpError(SftpErrorKind::Failure, message)) if message.get().0 == "Failure" => {
                f.write_str("the server reports a failure without a reason")
            }
            Problem::Sftp(Cause::SftpError(_, message)) => f.write_str(message.get().0),
            Problem::Sftp(cause) => cause.fmt(f),
            Problem::NoSpace => f.write_str("no space left on the server"),
            Problem::Other(error) => error.fmt(f),
        }
    }
}

impl Problem {
    /// Whether another session may carry out the request.
    pub fn is_lost_connection(&self) -> bool {
        matches!(self, Problem::Sftp(cause) if !matches!(cause, Cause::SftpError(..) | Cause::UnsupportedExtension(_)))
    }

    /// Whether the server answered with this kind of error.
    pub fn is(&self, wanted: fn(&SftpErrorKind) -> bool) -> bool {
        matches!(self, Problem::Sftp(Cause::SftpError(kind, _)) if wanted(kind))
    }

    /// Whether a file or folder does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is(|kind| matches!(kind, SftpErrorKind::NoSuchFile))
    }

    pub fn into_error(self, action: &str, key: &str, address: &SftpAddress) -> Error {
        let is_denied = self.is(|kind| matches!(kind, SftpErrorKind::PermDenied));
        let message = format!("cannot {action} `{key}` in `{address}`: {self}");
        match self {
            Problem::Other(error) => error,
            Problem::NoSpace => Error::new(ErrorKind::NoSpace, message)
                .hint("free some space on the server, then run the command again"),
            Problem::Sftp(_) if is_denied => {
                // Like a policy of S3: the user is known, and may not do this.
                let kind =
                    if matches!(action, "create" | "delete") { ErrorKind::Refused } else { ErrorKind::Unreachable };
                Error::new(kind, message).hint(format!(
                    "to see the permissions: {} ls -la {}",
                    ssh(address),
                    address.path
                ))
            }
            Problem::Sftp(_) => Error::new(ErrorKind::Unreachable, message),
        }
    }
}

/// The error of a session that cannot be opened or was lost. `words` are those of `ssh`.
pub(super) fn not_connected(address: &SftpAddress, words: &str) -> Error {
    let error = Error::new(ErrorKind::Unreachable, format!("cannot reach `{address}`: {words}"));
    let SftpAddress { host, port, .. } = address;
    let has = |text: &str| words.contains(text);
    // As in known_hosts.
    let name = port.map_or(host.clone(), |port| format!("[{host}]:{port}"));
    if has("Could not resolve") {
        error.hint(format!("to look the name up: getent hosts {host}"))
    } else if has("IDENTIFICATION HAS CHANGED") || has("changed") && has("ost key") {
        error.hint(format!("if its administrator confirms a new host key: ssh-keygen -R '{name}'"))
    } else if has("ost key verification failed") {
        error.hint(format!("to check and accept the host key: {}", ssh(address)))
    } else if has("Permission denied") {
        error.hint(format!("to install your key on the server: ssh-copy-id{}", login(address)))
    } else if has("subsystem request failed") {
        error.hint("enable SFTP on the server: Subsystem sftp internal-sftp")
    } else if has("refused") {
        error.hint("check the host and port, and that sshd is running there")
    } else {
        error.hint(format!("to test the connection: {}", ssh(address)))
    }
}

/// The command that logs in.
fn ssh(address: &SftpAddress) -> String {
    format!("ssh{}", login(address))
}

/// The arguments of `ssh` and `ssh-copy-id`, each after a space.
fn login(address: &SftpAddress) -> String {
    let port = address.port.map(|port| format!(" -p {port}")).unwrap_or_default();
    let user = address.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    format!("{port} {user}{}", address.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_lead_to_the_next_step() {
        let address = SftpAddress {
            user: Some("me".into()),
            host: "nas".into(),
            port: Some(2222),
            path: "/srv".into(),
            program: "ssh".into(),
        };
        for (words, hint) in [
            ("ssh: Could not resolve hostname nas: Name or service not known", "to look the name up: getent hosts nas"),
            ("Host key verification failed.", "to check and accept the host key: ssh -p 2222 me@nas"),
            (
                "Host key for [nas]:2222 has changed and you have requested strict checking.",
                "if its administrator confirms a new host key: ssh-keygen -R '[nas]:2222'",
            ),
            ("me@nas: Permission denied (publickey).", "to install your key on the server: ssh-copy-id -p 2222 me@nas"),
            (
                "connect to host nas port 2222: Connection refused",
                "check the host and port, and that sshd is running there",
            ),
        ] {
            let error = not_connected(&address, words);
            assert_eq!((error.kind(), error.hint_text().as_deref()), (ErrorKind::Unreachable, Some(hint)));
            assert!(error.to_string().ends_with(words));
        }
    }
}
