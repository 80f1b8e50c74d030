//! Paths with `.`, `..`, links and trailing slashes name the same directory.

use std::fs;
use std::os::unix::fs::symlink;

use super::Shop;

/// The paths of all directories that the stores know, sorted.
fn known(shop: &Shop) -> Vec<String> {
    let stores = shop.env.undo("stores --json").ok().json();
    let directories = stores.iter().filter_map(|store| store["directories"].as_array());
    let mut paths: Vec<String> =
        directories.flatten().map(|directory| directory["path"].as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

#[test]
fn stores_know_directories_by_their_path_without_links_and_dots() {
    for spelled in ["", ".", "./", "../copy", "../copy/.", "../link", "../link/"] {
        for verb in ["adopt", "split"] {
            let shop = Shop::new();
            symlink("copy", shop.env.path().join("link")).unwrap();
            shop.copy("copy");
            shop.in_directory("copy", &format!("stores {verb} {spelled}")).ok();
            let copy = shop.env.path().join("copy").display().to_string();
            let expected = match verb {
                "adopt" => vec![copy],
                _ => vec![copy, shop.path().display().to_string()],
            };
            assert_eq!(known(&shop), expected, "{verb} {spelled}");
            fs::remove_dir_all(shop.env.path().join("copy")).unwrap();
            shop.env.undo("revive copy").ok();
            assert_eq!(known(&shop), expected, "{verb} {spelled}");
        }
    }
}

#[test]
fn a_directory_is_created_and_revived_under_any_spelling() {
    for spelled in ["shop/.", "./shop/", "shop/../shop", "link/shop"] {
        let shop = Shop::empty();
        symlink(".", shop.env.path().join("link")).unwrap();
        shop.env.undo(&format!("init --outside {spelled}")).ok();
        shop.env.write("shop/file", "file");
        shop.undo("commit -m one").ok();
        let path = shop.path().display().to_string();
        assert_eq!(known(&shop), [path.as_str()], "{spelled}");
        shop.remove();
        // Only an existing directory has a parent.
        let revived = if spelled == "shop/../shop" { "shop" } else { spelled };
        shop.env.undo(&format!("revive {revived}")).ok();
        assert_eq!(known(&shop), [path.as_str()], "{spelled}");
        fs::remove_file(shop.path().join("file")).unwrap();
        // An empty directory with its `.undo`.
        shop.env.undo(&format!("revive {spelled}")).ok();
        assert_eq!(known(&shop), [path.as_str()], "{spelled}");
        assert_eq!(shop.env.read("shop/file"), b"file", "{spelled}");
    }
}
