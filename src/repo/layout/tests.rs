//! Tests layouts of directories and files `.undo`.

use super::*;

#[test]
fn store_link_round_trips_any_path() {
    let path = PathBuf::from(OsStr::from_bytes(b"/data/\xff with\nnewline"));
    let older = StoreLink { id: "ab".repeat(16), directory: None, path };
    assert_eq!(StoreLink::parse(&older.encode()).unwrap(), older);
    let link = StoreLink { directory: Some(DirectoryId([0xab; 16])), ..older };
    let bytes = link.encode();
    assert_eq!(StoreLink::parse(&bytes).unwrap(), link);
    for end in 0..bytes.len() {
        let parsed = StoreLink::parse(&bytes[..end]);
        // The newline inside the path makes one shorter text whole: a path that is not there.
        assert!(parsed.is_err() || bytes[end - 1] == b'\n', "cut at {end}");
    }
    let relative = String::from_utf8_lossy(&bytes).replace("= /", "= ");
    assert_eq!(StoreLink::parse(relative.as_bytes()).unwrap_err().kind(), ErrorKind::Damaged);
    let later = String::from_utf8_lossy(&bytes).replace("store 1", "store 2");
    assert_eq!(StoreLink::parse(later.as_bytes()).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn discover_finds_the_nearest_repository() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    std::fs::create_dir_all(root.join("a/b/c")).unwrap();
    let error = Layout::discover(&root.join("a/b/c")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRepository);
    assert_eq!(error.to_string(), format!("no repository in `{}` or above it", root.join("a/b/c").display()));
    assert_eq!(error.hint_text().as_deref(), Some("create one here with `undo init`"));
    std::fs::create_dir(root.join(".undo")).unwrap();
    std::fs::create_dir(root.join("a/.undo")).unwrap();
    let layout = Layout::discover(&root.join("a/b/c")).unwrap();
    let (worktree, repository) = (root.join("a"), root.join("a/.undo"));
    let start = RepoPathBuf::new(b"b/c".to_vec()).unwrap();
    assert_eq!(layout, Layout { worktree, repository, attachment: Attachment::Own, start });
    assert_eq!(layout.index(), root.join("a/.undo/index"));
    assert_eq!(layout.pack(PackId([0xab; 32])).parent(), Some(&*root.join("a/.undo/packs/ab")));
}

#[test]
fn external_store_has_an_index_per_worktree() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let (work, store) = (root.join("work"), root.join("store"));
    std::fs::create_dir(&work).unwrap();
    let link = StoreLink { id: "00".repeat(16), directory: None, path: store.clone() };
    std::fs::write(work.join(".undo"), link.encode()).unwrap();
    let error = Layout::discover(&work).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoRepository);
    assert!(!store.exists(), "nothing is made in its place");
    std::fs::create_dir(&store).unwrap();
    std::fs::write(store.join("format"), Format::new().unwrap().to_text()).unwrap();
    let error = Layout::discover(&work).unwrap_err();
    assert!(error.to_string().ends_with("but another one"), "{error}");
    let other = Format::new().unwrap();
    let format = other.to_text().replace(&other.id_text(), &link.id);
    std::fs::write(store.join("format"), format).unwrap();
    let layout = Layout::discover(&work).unwrap();
    assert_eq!((&layout.repository, layout.is_elsewhere()), (&store, true));
    let other = Layout { worktree: root.join("other"), ..layout.clone() };
    assert_ne!(layout.index(), other.index());
    assert!(layout.index().file_name().unwrap().to_str().unwrap().starts_with("index-"));
}
