//! Names of the files that a database engine keeps beside a database file, and that are only valid together with it.
//!
//! SQLite writes `NAME-wal`, `NAME-shm` and `NAME-journal`, DuckDB writes `NAME.wal`. A journal of one state applied to the
//! database file of another one corrupts it, so a database file and its journals are recorded and restored together.
//! Only names count, since a journal may be encrypted, empty or overwritten with zeros.

use crate::path::{RepoPath, RepoPathBuf};

/// What is appended to the name of a database file.
const SUFFIXES: [&[u8]; 4] = [b"-wal", b"-shm", b"-journal", b".wal"];

/// The database file that a path would be a journal of.
pub fn database_of(path: &RepoPath) -> Option<RepoPathBuf> {
    let name = path.name()?;
    let stem = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(*suffix)).filter(|stem| !stem.is_empty())?;
    Some(path.parent().unwrap_or(RepoPath::root()).join(stem))
}

/// The paths that would be journals of a database file.
pub fn journals_of(database: &RepoPath) -> impl Iterator<Item = RepoPathBuf> {
    let (directory, name) = (database.parent().unwrap_or(RepoPath::root()), database.name());
    name.into_iter().flat_map(move |name| SUFFIXES.iter().map(move |suffix| directory.join(&[name, suffix].concat())))
}

/// The database file and all its journals.
pub fn files_of(database: &RepoPath) -> impl Iterator<Item = RepoPathBuf> {
    std::iter::once(database.to_owned()).chain(journals_of(database))
}

/// These paths, and the other files of each database of which one is a file. `is_file` says whether a path is one. Returns
/// also what was added.
pub fn with_all_files(
    paths: &[RepoPathBuf],
    is_file: &mut dyn FnMut(&RepoPath) -> crate::error::Result<bool>,
) -> crate::error::Result<(Vec<RepoPathBuf>, Vec<RepoPathBuf>)> {
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
    fn a_selection_grows_by_the_other_files_of_a_database() {
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
