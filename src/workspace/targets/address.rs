//! Addresses of targets without relative parts, as the settings store them.

use std::path::{Component, Path, PathBuf};

use crate::error::Result;
use crate::fs;
use crate::metadata::Kind;
use crate::remote::Address;

use super::TargetSettings;

/// The URL with an absolute path that does not depend on other directories than those on it: without `.` and `..`.
pub(super) fn absolute(settings: &TargetSettings, directory: &Path) -> Result<String> {
    let (endpoint, region) = (settings.endpoint.as_deref(), settings.region.as_deref());
    Ok(match Address::parse(&settings.url, endpoint, region, directory)? {
        Address::Directory(path) => Address::Directory(without_dots(&path)?),
        address => address,
    }
    .to_string())
}

/// Removes `.` and `..`. `..` after a symbolic link leads to the parent of the directory that the link names; a link elsewhere stays.
fn without_dots(path: &Path) -> Result<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if fs::stat(&clean)?.is_some_and(|stat| stat.kind == Kind::Symlink) {
                    clean = fs::canonicalize(&clean)?;
                }
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_removed_and_links_stay_unless_dots_follow_them() {
        let root = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(root.path()).unwrap();
        fs::create_dir_all(&root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", root.join("link")).unwrap();
        for (path, clean) in [
            ("a/../disk", "disk"),
            ("a/b/../../disk/./x/", "disk/x"),
            ("missing/../disk", "disk"),
            ("link/disk", "link/disk"),
            ("link/../disk", "a/disk"),
            ("link/../../link/x/..", "link"),
        ] {
            assert_eq!(without_dots(&root.join(path)).unwrap(), root.join(clean), "{path}");
        }
        assert_eq!(without_dots(Path::new("/../../etc/..")).unwrap(), Path::new("/"));
        let at =
            |url: &str| absolute(&TargetSettings { url: url.to_owned(), ..TargetSettings::default() }, &root).unwrap();
        assert_eq!(at("a/../disk"), root.join("disk").to_str().unwrap());
        assert_eq!(at("sftp://nas/a/../b"), "sftp://nas/a/../b");
    }
}
