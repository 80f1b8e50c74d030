//! A target in a directory: a second disk, or a mounted network share.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::environment::Durability::Synced;
use crate::error::Result;
use crate::fs::{self, AtomicFile, Stat};
use crate::metadata::Kind as FileKind;
use crate::remote::backend::{Attempt, Backend, Body, STALE, check_length, check_size, is_directory, too_short};
use crate::remote::meter::{Kind, Meter, PIECE};
use crate::remote::{Created, Listed, lock};

/// Keys are files. A file without a name, or with a temporary one, becomes a key when it is complete and durable.
pub(super) struct Directory {
    root: PathBuf,
    meter: Arc<Meter>,
    /// Folders that exist and whose names are durable.
    folders: Mutex<BTreeSet<PathBuf>>,
}

impl Directory {
    pub fn new(root: &Path, meter: Arc<Meter>) -> Directory {
        Directory { root: root.to_owned(), meter, folders: Mutex::default() }
    }

    fn path_of(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Makes a folder and its parents durable, and removes temporary files that a killed process left there.
    fn prepare(&self, folder: &Path) -> Result<()> {
        if lock(&self.folders).contains(folder) {
            return Ok(());
        }
        let mut missing = Vec::new();
        for above in folder.ancestors().filter(|above| !above.as_os_str().is_empty()) {
            if fs::target_kind(above)?.is_some() {
                break;
            }
            missing.push(above);
        }
        for folder in missing.into_iter().rev() {
            fs::create_dir_private(folder)?;
            fs::sync_dir(
                folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new(".")),
                Synced,
            )?;
        }
        remove_stale_files(folder)?;
        lock(&self.folders).insert(folder.to_owned());
        Ok(())
    }

    fn try_create(&self, key: &str, body: Body<'_>) -> Result<Created> {
        let path = self.path_of(key);
        self.prepare(path.parent().unwrap_or(&self.root))?;
        if fs::exists(&path)? {
            return Ok(Created::Exists);
        }
        let file = AtomicFile::create(&path)?;
        for piece in body.pieces() {
            let piece = piece?;
            self.meter.upload(piece.len());
            fs::write_all(file.file(), piece)?;
        }
        Ok(if file.publish(Synced)? { Created::New } else { Created::Exists })
    }

    fn try_read(&self, key: &str, range: Option<&Range<u64>>) -> Result<Option<Vec<u8>>> {
        let path = self.path_of(key);
        let file = match fs::open(&path) {
            Ok(file) => file,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let Stat { size, kind, .. } = fs::stat_file(&file)?;
        if kind == FileKind::Directory {
            return Err(is_directory(key));
        }
        let range = range.cloned().unwrap_or(0..size);
        if range.end > size {
            return Err(too_short(key, &range));
        }
        check_size(key, range.end - range.start)?;
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or(usize::MAX)];
        for (number, piece) in bytes.chunks_mut(PIECE).enumerate() {
            fs::read_exact_at(&file, piece, range.start + (number * PIECE) as u64)?;
            self.meter.download(piece.len());
        }
        Ok(Some(bytes))
    }

    fn collect(&self, folder: &str, keys: &mut Vec<Listed>) -> Result<()> {
        for name in fs::list(&self.path_of(folder))? {
            let Ok(name) = String::from_utf8(name) else { continue };
            let name = format!("{folder}/{name}");
            match fs::stat(&self.path_of(&name))? {
                Some(stat) if stat.kind == FileKind::Directory => self.collect(&name, keys)?,
                Some(Stat { size, metadata, .. }) => keys.push(Listed { name, size, modified: metadata.mtime }),
                // Deleted meanwhile.
                None => {}
            }
        }
        Ok(())
    }
}

impl Backend for Directory {
    fn create(&self, key: &str, body: Body<'_>) -> Attempt<Created> {
        let _running = self.meter.start(Kind::Create);
        Ok(self.try_create(key, body)?)
    }

    fn read(&self, key: &str, range: Option<Range<u64>>) -> Attempt<Option<Vec<u8>>> {
        let _running = self.meter.start(Kind::Read);
        let bytes = self.try_read(key, range.as_ref())?;
        if let Some(bytes) = &bytes {
            check_length(key, bytes, range.as_ref())?;
        }
        Ok(bytes)
    }

    fn list(&self, folder: &str, _after: Option<&str>) -> Attempt<Vec<Listed>> {
        let _running = self.meter.start(Kind::List);
        let mut keys = Vec::new();
        self.collect(folder, &mut keys)?;
        Ok(keys)
    }

    fn delete(&self, key: &str) -> Attempt<()> {
        let _running = self.meter.start(Kind::Delete);
        Ok(fs::remove_file(&self.path_of(key))?)
    }
}

/// Removes temporary files of killed processes.
fn remove_stale_files(folder: &Path) -> Result<()> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    for name in fs::list(folder)?.iter().filter(|name| name.ends_with(b".tmp")) {
        let path = folder.join(OsStr::from_bytes(name));
        let Some(stat) = fs::stat(&path)? else { continue };
        let age = now.as_secs().saturating_sub(u64::try_from(stat.metadata.mtime.seconds).unwrap_or(0));
        if stat.kind == FileKind::File && age > STALE.as_secs() {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
