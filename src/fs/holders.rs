//! Finds the processes that use a file: by its locks, and by its open handles in `/proc`.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::Serialize;

/// A process, as named in messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Name of its program, truncated to 15 bytes by the kernel.
    pub name: String,
}

/// Device and inode number of a file.
pub type FileId = (u64, u64);

/// Inode numbers of all files that any process has locked. On some file systems the device numbers are not those of
/// `stat`, so each match must be confirmed with [`is_locked`].
pub fn locked_inodes() -> HashSet<u64> {
    let text = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let inode = |line: &str| line.split_ascii_whitespace().find_map(|word| word.splitn(3, ':').nth(2)?.parse().ok());
    // "1: POSIX  ADVISORY  WRITE 19028 fe:00:5400786 0 EOF"; a waiting process has "->" in front of the type.
    text.lines().filter_map(inode).collect()
}

/// Whether another process holds a lock of any kind on a file.
pub fn is_locked(file: &File) -> bool {
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return true;
    }
    let _ = file.unlock();
    // SAFETY: the structure is plain data, for which zeros are valid.
    #[expect(unsafe_code, reason = "asking for a record lock has no safe form")]
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    // SAFETY: the call writes to the structure, which outlives it.
    #[expect(unsafe_code, reason = "asking for a record lock has no safe form")]
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    result == 0 && lock.l_type != libc::F_UNLCK as libc::c_short
}

/// Finds the processes that have these files open for writing, locked, or mapped for shared writing. Each file is given
/// with its name, and only files of that name are checked, because a `stat` of any other file could hang on a dead
/// server.
pub fn users_of(files: &[(FileId, &[u8])]) -> HashMap<FileId, Vec<Process>> {
    let mut users: HashMap<FileId, Vec<Process>> = HashMap::new();
    let names: HashSet<&[u8]> = files.iter().map(|(_, name)| *name).collect();
    let wanted: HashSet<FileId> = files.iter().map(|(id, _)| *id).collect();
    let Ok(processes) = std::fs::read_dir("/proc") else { return users };
    for process in processes.flatten() {
        let pid = process.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|pid| *pid != std::process::id()) else { continue };
        let mut found = open_files(&process.path(), &names, &wanted);
        found.extend(mapped_files(&process.path(), &names, files));
        for id in found {
            let name = program_of(pid).unwrap_or_default();
            users.entry(id).or_default().push(Process { pid, name });
        }
    }
    users.values_mut().for_each(|processes| processes.sort());
    users
}

/// Name of a process's program; `None` if the process does not exist in this namespace.
pub fn program_of(pid: u32) -> Option<String> {
    let name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
}

fn open_files(process: &Path, names: &HashSet<&[u8]>, wanted: &HashSet<FileId>) -> HashSet<FileId> {
    let Ok(handles) = std::fs::read_dir(process.join("fd")) else { return HashSet::new() };
    let file = |handle: std::fs::DirEntry| {
        let target = std::fs::read_link(handle.path()).ok()?;
        let name = target.file_name().filter(|name| names.contains(name.as_bytes()));
        name.filter(|_| target.is_absolute())?;
        let metadata = std::fs::metadata(handle.path()).ok()?;
        Some((metadata.dev(), metadata.ino())).filter(|id| wanted.contains(id))
    };
    handles.flatten().filter_map(file).collect()
}

fn mapped_files(process: &Path, names: &HashSet<&[u8]>, files: &[(FileId, &[u8])]) -> HashSet<FileId> {
    let text = std::fs::read(process.join("maps")).unwrap_or_default();
    let file = |line: &[u8]| {
        // "7f1e-7f2e rw-s 00000000 fe:00 5400786   /path"; the device may differ from that of `stat`.
        let line = OsStr::from_bytes(line).to_string_lossy().into_owned();
        let mut words = line.split_ascii_whitespace();
        let (permissions, inode) = (words.nth(1)?, words.nth(2)?.parse::<u64>().ok()?);
        let name = line.rsplit('/').next()?;
        let is_file = |(id, known): &&(FileId, &[u8])| id.1 == inode && *known == name.as_bytes();
        files.iter().find(is_file).filter(|_| permissions.starts_with("rw-s") && names.contains(name.as_bytes()))
    };
    text.split(|byte| *byte == b'\n').filter_map(file).map(|(id, _)| *id).collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn id(path: &Path) -> FileId {
        let metadata = std::fs::metadata(path).unwrap();
        (metadata.dev(), metadata.ino())
    }

    #[test]
    fn processes_with_open_files_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a file");
        std::fs::write(&path, "x").unwrap();
        assert_eq!(users_of(&[(id(&path), b"a file")]), HashMap::new());
        let handle = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::from(handle)).spawn().unwrap();
        let users = users_of(&[(id(&path), b"a file")]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(users[&id(&path)], [Process { pid: child.id(), name: "sleep".to_owned() }]);
        assert_eq!(program_of(u32::MAX), None);
    }

    #[test]
    fn both_kinds_of_locks_are_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let holder = File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        assert!(!is_locked(&reader));
        holder.lock_shared().unwrap();
        assert!(is_locked(&reader) && locked_inodes().contains(&id(&path).1));
        holder.unlock().unwrap();
        assert!(!is_locked(&reader));
        // A process does not see its own record locks, so another process must hold the lock.
        let script = "import fcntl,sys,time; f=open(sys.argv[1],'w'); fcntl.lockf(f,fcntl.LOCK_EX); print('held',flush=True); time.sleep(60)";
        let python = Command::new("python3").args(["-c", script]).arg(&path).stdout(Stdio::piped()).spawn();
        let Ok(mut python) = python else { return };
        let mut text = [0; 4];
        std::io::Read::read_exact(python.stdout.as_mut().unwrap(), &mut text).unwrap();
        assert!(is_locked(&reader) && locked_inodes().contains(&id(&path).1));
        python.kill().unwrap();
        python.wait().unwrap();
        assert!(!is_locked(&reader));
    }
}
