//! Names of the files that a database engine keeps next to a database file and that are valid only together with it.
//!
//! SQLite writes `NAME-wal`, `NAME-shm` and `NAME-journal`; DuckDB writes `NAME.wal`. Applying a journal to a database
//! file of another state corrupts the database, so a database file and its journals are recorded and restored together.
//! Only names count, because a journal may be encrypted, empty or overwritten with zeros.

use crate::error::Result;
use crate::fs::{self, Dir};
use crate::message::Message;
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::shell_word;

/// Suffixes that are appended to the name of a database file.
const SUFFIXES: [&[u8]; 4] = [b"-wal", b"-shm", b"-journal", b".wal"];

/// Files that mark a whole directory as one database: PostgreSQL, MySQL (InnoDB), MongoDB (WiredTiger), LMDB, LevelDB
/// and RocksDB.
pub const CLUSTER_MARKERS: [&[u8]; 5] = [b"PG_VERSION", b"ibdata1", b"WiredTiger", b"data.mdb", b"CURRENT"];

/// Other files of such a directory, which a running server keeps open or locked.
pub const CLUSTER_LOCKS: [&[u8]; 4] = [b"lock.mdb", b"WiredTiger.lock", b"mongod.lock", b"LOCK"];

/// The database file of which this path would be a journal.
pub fn database_of(path: &RepoPath) -> Option<RepoPathBuf> {
    let name = path.name()?;
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(*suffix)).filter(|stem| !stem.is_empty())?;
    Some(path.parent().unwrap_or(RepoPath::root()).join(stem))
}

/// The possible journals of a database file.
pub fn journals_of(database: &RepoPath) -> impl Iterator<Item = RepoPathBuf> {
    let (directory, name) = (database.parent().unwrap_or(RepoPath::root()), database.name());
    name.into_iter().flat_map(move |name| SUFFIXES.iter().map(move |suffix| directory.join(&[name, suffix].concat())))
}

/// The database file and its possible journals.
pub fn files_of(database: &RepoPath) -> impl Iterator<Item = RepoPathBuf> {
    std::iter::once(database.to_owned()).chain(journals_of(database))
}

/// Returns these paths plus the other files of their databases, and separately the paths that were added. `is_file`
/// says whether a path is a file.
pub fn with_all_files(
    paths: &[RepoPathBuf],
    is_file: &mut dyn FnMut(&RepoPath) -> Result<bool>,
) -> Result<(Vec<RepoPathBuf>, Vec<RepoPathBuf>)> {
    let mut added: Vec<RepoPathBuf> = Vec::new();
    for path in paths.iter().filter(|path| !path.is_root()) {
        if !is_file(path)? {
            continue;
        }
        let database = match database_of(path) {
            Some(database) if is_file(&database)? => database,
            _ => path.clone(),
        };
        for file in files_of(&database) {
            let is_selected = paths.iter().chain(&added).any(|selected| file.is_within(selected));
            if !is_selected && is_file(&file)? {
                added.push(file);
            }
        }
    }
    added.sort();
    Ok((paths.iter().chain(&added).cloned().collect(), added))
}

/// Describes how to get a consistent copy of the database that a file belongs to, if any.
pub fn consistent_copy(root: &Dir, path: &RepoPath) -> Option<Message> {
    let exists = |path: &RepoPath| matches!(root.stat_below(path), Ok(Some(_)));
    let cluster = path.ancestors().find(|directory| exists(&directory.join(b"postmaster.pid")));
    if let Some(cluster) = cluster {
        let message = Message::from("for a consistent copy of the PostgreSQL data in ") + Message::path(cluster);
        return Some(message + " use `pg_basebackup` or `pg_dump`");
    }
    let database = database_of(path).filter(|database| exists(database));
    let has_journal = || journals_of(path).any(|journal| exists(&journal));
    let database = database.or_else(|| (has_journal() || is_sqlite(root, path)).then(|| path.to_owned()))?;
    let backup = [b".backup '", database.name()?, b".copy'"].concat();
    let message = Message::from("for a consistent copy of the database ") + Message::path(&database) + ": sqlite3 ";
    Some(message + Message::argument(&database) + " " + shell_word(&backup))
}

/// Whether a file has the header of an SQLite database.
fn is_sqlite(root: &Dir, path: &RepoPath) -> bool {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    let mut start = [0; MAGIC.len()];
    let file = root.open_file_below(path);
    file.is_ok_and(|file| matches!(fs::read_at(&file, &mut start, 0), Ok(length) if start[..length] == *MAGIC))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPathBuf {
        RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn journals_are_recognized_by_name() {
        for (text, database) in [
            ("app.db-wal", Some("app.db")),
            ("d/app.db-shm", Some("d/app.db")),
            ("d/app.db-journal", Some("d/app.db")),
            ("app.duckdb.wal", Some("app.duckdb")),
            ("-wal", None),
            ("d/-journal", None),
            ("app.db", None),
            ("app.db-wal/file", None),
            ("", None),
        ] {
            assert_eq!(database_of(&path(text)), database.map(path), "{text}");
        }
        let journals = ["d/a-wal", "d/a-shm", "d/a-journal", "d/a.wal"].map(path);
        assert!(journals_of(&path("d/a")).eq(journals));
        assert_eq!(journals_of(RepoPath::root()).count(), 0);
    }

    #[test]
    fn a_selection_includes_the_other_files_of_a_database() {
        let files = ["a", "a-wal", "a-journal", "d/b", "d/b-shm", "c-wal", "e"].map(path);
        let grown = |paths: &[&str]| {
            let paths: Vec<RepoPathBuf> = paths.iter().map(|text| path(text)).collect();
            let (_, added) = with_all_files(&paths, &mut |path| Ok(files.iter().any(|file| **file == *path))).unwrap();
            added.iter().map(|path| path.display().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(grown(&["a"]), ["a-journal", "a-wal"]);
        assert_eq!(grown(&["a-wal"]), ["a", "a-journal"]);
        assert_eq!(grown(&["d/b", "a", "a-wal"]), ["a-journal", "d/b-shm"]);
        for alone in ["d", "c-wal", "e", ""] {
            assert!(grown(&[alone]).is_empty(), "{alone}");
        }
    }
}
