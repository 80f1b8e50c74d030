//! A target in a directory of an SSH server, over SFTP. No program of ours runs there.
//!
//! A key is written to a temporary file, flushed, linked to its name, and the temporary name removed: a link never replaces a name.
//! Temporary files are in the folder `tmp`.

mod access;
mod failure;
mod session;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use tokio::runtime::Runtime;

use crate::error::{Error, ErrorKind};
use crate::remote::backend::{Attempt, Backend, Body, Failure, check_length, is_directory, too_short};
use crate::remote::meter::{Kind, Meter};
use crate::remote::{Created, Listed, SftpAddress, lock};

use failure::{Problem, not_connected};
use session::Session;

/// Access to a directory on a server. Keys are files of it.
pub(super) struct Sftp {
    address: SftpAddress,
    meter: Arc<Meter>,
    /// Started by the first request. Each thread that waits for an answer drives it.
    runtime: Mutex<Option<Arc<Runtime>>>,
    session: Mutex<Connection>,
}

#[derive(Default)]
struct Connection {
    /// The session in use.
    session: Option<Arc<Session>>,
    /// Whether a session was opened before. Then failures to open one may pass.
    has_connected: bool,
}

impl Sftp {
    pub fn new(address: &SftpAddress, meter: Arc<Meter>) -> Sftp {
        Sftp { address: address.clone(), meter, runtime: Mutex::default(), session: Mutex::default() }
    }

    fn runtime(&self) -> Attempt<Arc<Runtime>> {
        let mut runtime = lock(&self.runtime);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.clone());
        }
        let failed =
            |cause: std::io::Error| Error::new(ErrorKind::Io, "cannot wait for network connections").with_source(cause);
        let new = Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?);
        *runtime = Some(new.clone());
        Ok(new)
    }

    /// Opens a session, or returns the open one.
    fn session(&self, runtime: &Runtime) -> Attempt<Arc<Session>> {
        let mut connection = lock(&self.session);
        if let Some(session) = &connection.session {
            return Ok(session.clone());
        }
        let opened = Session::open(&self.address, runtime);
        let session = Arc::new(opened.map_err(|error| Failure { error, is_transient: connection.has_connected })?);
        connection.has_connected = true;
        connection.session = Some(session.clone());
        Ok(session)
    }

    /// Carries out one request. A lost connection is replaced by the next one.
    fn request<T>(
        &self,
        kind: Kind,
        action: &str,
        key: &str,
        work: impl AsyncFnOnce(&Session) -> Result<T, Problem>,
    ) -> Attempt<T> {
        let _running = self.meter.start(kind);
        let runtime = self.runtime()?;
        let session = self.session(&runtime)?;
        match runtime.block_on(work(&session)) {
            Ok(value) => Ok(value),
            Err(problem) if problem.is_lost_connection() => {
                let mut connection = lock(&self.session);
                if connection.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, &session)) {
                    connection.session = None;
                }
                let words = session.last_words().unwrap_or_else(|| problem.to_string());
                Err(Failure::transient(not_connected(&self.address, &words)))
            }
            Err(problem) => Err(problem.into_error(action, key, &self.address).into()),
        }
    }
}

impl Backend for Sftp {
    fn create(&self, key: &str, body: Body<'_>) -> Attempt<Created> {
        self.request(Kind::Create, "create", key, async |session| {
            let created = access::create(session, &self.meter, key, body).await?;
            Ok(if created { Created::New } else { Created::Exists })
        })
    }

    fn read(&self, key: &str, range: Option<Range<u64>>) -> Attempt<Option<Vec<u8>>> {
        let bytes = self.request(Kind::Read, "read", key, async |session| {
            access::read(session, &self.meter, key, range.as_ref()).await
        })?;
        match (bytes, &range) {
            (access::Found::Bytes(bytes), range) => {
                check_length(key, &bytes, range.as_ref())?;
                Ok(Some(bytes))
            }
            (access::Found::Directory, _) => Err(is_directory(key).into()),
            (access::Found::TooShort, Some(range)) => Err(too_short(key, range).into()),
            (access::Found::TooShort | access::Found::Nothing, _) => Ok(None),
        }
    }

    fn list(&self, folder: &str, _after: Option<&str>) -> Attempt<Vec<Listed>> {
        self.request(Kind::List, "list", folder, async |session| access::list(session, folder).await)
    }

    fn delete(&self, key: &str) -> Attempt<()> {
        self.request(Kind::Delete, "delete", key, async |session| access::delete(session, key).await)
    }

    fn missing_extensions(&self) -> Attempt<Vec<&'static str>> {
        let session = self.session(&*self.runtime()?)?;
        Ok(session.missing_extensions())
    }
}
