//! Creates, reads, lists and deletes keys in a session.

use std::future::poll_fn;
use std::io::SeekFrom;
use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use futures_core::Stream;
use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::file::TokioCompatFile;
use openssh_sftp_client::fs::{Dir, Fs};
use openssh_sftp_client::metadata::MetaData;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::fs::random;
use crate::remote::backend::{Body, STALE, check_size};
use crate::remote::meter::{Meter, PIECE};
use crate::remote::sftp::failure::Problem;
use crate::remote::sftp::session::Session;
use crate::remote::{Listed, lock};
use crate::time::Timestamp;

type Result<T> = std::result::Result<T, Problem>;

/// Result of [`read`].
pub(super) enum Found {
    Bytes(Vec<u8>),
    /// The key ends before the end of the range.
    TooShort,
    /// A directory has the name of the key.
    Directory,
    /// The key does not exist.
    Nothing,
}

/// Folder of temporary files.
const TEMPORARY: &str = "tmp";

/// Length from which on a key is not sent if it exists.
const LARGE: usize = 256 << 10;

/// Number of pieces that are requested before the first one arrives: more than a fast line has on its way.
const AHEAD: usize = 64;

/// Creates a key; `false` if it exists.
pub(super) async fn create(session: &Session, meter: &Meter, key: &str, body: Body<'_>) -> Result<bool> {
    let mut fs = session.sftp.fs();
    let path = session.path_of(key);
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if body.bytes.len() >= LARGE && exists(&mut fs, &path).await? {
        return Ok(false);
    }
    prepare(session, &mut fs, folder).await?;
    let temporary = session.path_of(&format!("{TEMPORARY}/{:032x}", u128::from_le_bytes(random()?)));
    let written = write(session, meter, &temporary, body).await;
    let created = match written {
        Ok(()) => publish(session, &mut fs, &temporary, &path).await,
        Err(problem) => Err(with_reason(&mut fs, &session.root, body.bytes.len(), problem).await),
    };
    match fs.remove_file(&temporary).await.map_err(Problem::from) {
        Err(problem) if problem.is_lost_connection() => created.and(Err(problem)),
        // Renamed, never made, or the user may not delete. A second name of a key takes no space.
        _ => created,
    }
}

async fn write(session: &Session, meter: &Meter, path: &str, body: Body<'_>) -> Result<()> {
    let file = session.sftp.options().write(true).create_new(true).open(path).await?;
    // Sends pieces without waiting for the answers to those before.
    let mut file = pin!(TokioCompatFile::new(file));
    for piece in body.pieces() {
        let piece = piece?;
        pause(meter.upload_pause(piece.len())).await;
        file.write_all(piece).await?;
    }
    file.flush().await?;
    if session.sftp.support_fsync() {
        file.as_mut().as_mut_file().sync_all().await?;
    }
    Ok(())
}

/// Gives a temporary file its name; `false` if the name exists.
async fn publish(session: &Session, fs: &mut Fs, temporary: &str, path: &str) -> Result<bool> {
    let published = if session.sftp.support_hardlink() {
        fs.hard_link(temporary, path).await
    } else if exists(fs, path).await? {
        return Ok(false);
    } else {
        // Another writer may create the key now, and is replaced: such a server permits one writer only.
        fs.rename(temporary, path).await
    };
    match published.map_err(Problem::from) {
        Ok(()) => Ok(true),
        // Version 3 of the protocol has no code for "exists".
        Err(problem) if problem.is_lost_connection() => Err(problem),
        Err(problem) => {
            if exists(fs, path).await? {
                Ok(false)
            } else {
                Err(problem)
            }
        }
    }
}

/// Makes a folder and the one of temporary files, and removes temporary files of killed processes.
async fn prepare(session: &Session, fs: &mut Fs, folder: &str) -> Result<()> {
    let temporary = session.path_of(TEMPORARY);
    if !lock(&session.folders).contains(&temporary) {
        make_folder(session, fs, &temporary).await?;
        remove_stale_files(fs, &temporary).await?;
    }
    make_folder(session, fs, folder).await
}

/// Makes a folder and its missing parents.
async fn make_folder(session: &Session, fs: &mut Fs, folder: &str) -> Result<()> {
    let mut missing = vec![folder];
    while let Some(&folder) = missing.last() {
        if lock(&session.folders).contains(folder) || folder.is_empty() {
            missing.pop();
            continue;
        }
        match fs.create_dir(folder).await.map_err(Problem::from) {
            Err(problem) if problem.is_not_found() && folder.contains('/') => {
                missing.push(folder.rsplit_once('/').map_or("", |(parent, _)| parent));
                continue;
            }
            Err(problem) if problem.is_lost_connection() || !exists(fs, folder).await? => return Err(problem),
            _ => {}
        }
        lock(&session.folders).insert(folder.to_owned());
        missing.pop();
    }
    Ok(())
}

async fn remove_stale_files(fs: &mut Fs, folder: &str) -> Result<()> {
    let now = SystemTime::now();
    for (name, metadata) in entries(fs.open_dir(folder).await?).await? {
        let modified = metadata.modified().map(|time| time.as_system_time());
        let is_stale = modified.and_then(|time| now.duration_since(time).ok()).is_some_and(|age| age > STALE);
        if is_stale && metadata.file_type().is_some_and(|kind| kind.is_file()) {
            ignore_missing(fs.remove_file(format!("{folder}/{name}")).await.map_err(Problem::from))?;
        }
    }
    Ok(())
}

/// Reads a key, or a range of it.
pub(super) async fn read(session: &Session, meter: &Meter, key: &str, range: Option<&Range<u64>>) -> Result<Found> {
    let opened = session.sftp.open(session.path_of(key)).await.map_err(Problem::from);
    let mut file = match opened {
        Err(problem) if problem.is_not_found() => return Ok(Found::Nothing),
        opened => opened?,
    };
    let metadata = file.metadata().await?;
    if metadata.file_type().is_some_and(|kind| kind.is_dir()) {
        return Ok(Found::Directory);
    }
    let size = metadata.len().unwrap_or(0);
    let range = range.cloned().unwrap_or(0..size);
    if range.end > size {
        return Ok(Found::TooShort);
    }
    check_size(key, range.end - range.start)?;
    let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
    let (mut starts, mut running) = ((0..bytes.len()).step_by(PIECE), JoinSet::new());
    loop {
        for start in starts.by_ref().take(AHEAD - running.len()) {
            let (mut file, length) = (file.clone(), PIECE.min(bytes.len() - start));
            let position = SeekFrom::Start(range.start + start as u64);
            running.spawn(async move {
                file.seek(position).await?;
                // Asks for the rest if an answer is short.
                Ok::<_, openssh_sftp_client::Error>((start, file.read_all(length, BytesMut::new()).await?))
            });
        }
        let Some(ended) = running.join_next().await else { return Ok(Found::Bytes(bytes)) };
        let (start, piece) = ended.expect("a task that reads does not panic")?;
        pause(meter.download_pause(piece.len())).await;
        bytes[start..start + piece.len()].copy_from_slice(&piece);
    }
}

/// Lists the files below a folder.
pub(super) async fn list(session: &Session, folder: &str) -> Result<Vec<Listed>> {
    let (mut keys, mut running) = (Vec::new(), JoinSet::new());
    let start = |running: &mut JoinSet<_>, folder: String| {
        let (mut fs, path) = (session.sftp.fs(), session.path_of(&folder));
        running.spawn(async move {
            let opened = fs.open_dir(path).await.map_err(Problem::from);
            match opened {
                Err(problem) if problem.is_not_found() => Ok((folder, Vec::new())),
                opened => Ok((folder, entries(opened?).await?)),
            }
        });
    };
    let mut folders = vec![folder.to_owned()];
    loop {
        // Servers limit the number of open folders.
        while let Some(folder) = folders.pop_if(|_| running.len() < AHEAD) {
            start(&mut running, folder);
        }
        let Some(ended) = running.join_next().await else { return Ok(keys) };
        let listed: Result<(String, Vec<(String, MetaData)>)> = ended.expect("a task that lists does not panic");
        let (folder, entries) = listed?;
        for (name, metadata) in entries {
            let name = format!("{folder}/{name}");
            if metadata.file_type().is_some_and(|kind| kind.is_dir()) {
                folders.push(name);
            } else {
                let seconds = metadata.modified().map_or(0, |time| i64::from(time.into_raw()));
                let modified = Timestamp { seconds, nanoseconds: 0 };
                keys.push(Listed { name, size: metadata.len().unwrap_or(0), modified });
            }
        }
    }
}

/// Deletes a key, if it exists.
pub(super) async fn delete(session: &Session, key: &str) -> Result<()> {
    ignore_missing(session.sftp.fs().remove_file(session.path_of(key)).await.map_err(Problem::from))
}

fn ignore_missing(result: Result<()>) -> Result<()> {
    match result {
        Err(problem) if problem.is_not_found() => Ok(()),
        result => result,
    }
}

async fn exists(fs: &mut Fs, path: &str) -> Result<bool> {
    match fs.symlink_metadata(path).await.map_err(Problem::from) {
        Ok(_) => Ok(true),
        Err(problem) if problem.is_not_found() => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// The names in a folder.
async fn entries(dir: Dir) -> Result<Vec<(String, MetaData)>> {
    let (mut entries, mut found) = (pin!(dir.read_dir()), Vec::new());
    while let Some(entry) = poll_fn(|context| entries.as_mut().poll_next(context)).await {
        let entry = entry?;
        match entry.filename().to_str() {
            Some(name) if !matches!(name, "." | "..") => found.push((name.to_owned(), entry.metadata())),
            _ => {}
        }
    }
    Ok(found)
}

/// Version 3 of the protocol has no code for a full disk, so a failed write asks for the free space.
async fn with_reason(fs: &mut Fs, root: &str, needed: usize, problem: Problem) -> Problem {
    if !problem.is(|kind| matches!(kind, SftpErrorKind::Failure)) {
        return problem;
    }
    match fs.statvfs(root).await {
        Ok(space) if space.bavail.saturating_mul(space.frsize) < needed as u64 => Problem::NoSpace,
        // All inodes are used.
        Ok(space) if space.favail == 0 && space.files > 0 => Problem::NoSpace,
        _ => problem,
    }
}

async fn pause(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}
