//! The comparison in README.md: each tool records a directory, which is then damaged and restored in place; each row
//! checks one property. Missing tools are skipped.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use rustix::fs::{CWD, FileType, Mode, SeekFrom, XattrFlags};

use crate::skip::skip;

/// Rows of the table with the property that each one reads: equal before and after means "yes".
type Property = fn(&Path) -> String;
const ROWS: [(&str, Property); 10] = [
    ("content and executable bit", |root| {
        format!("{:?} {}", fs::read(root.join("data")).ok(), mode(&root.join("tool")) & 0o111)
    }),
    ("all mode bits", |root| format!("{:o} {:o}", mode(&root.join("private")), mode(&root.join("shared")))),
    ("modification times", |root| match fs::symlink_metadata(root.join("data")) {
        Ok(data) => format!("{}.{}", data.mtime(), data.mtime_nsec()),
        Err(_) => String::new(),
    }),
    ("empty folders", |root| root.join("empty/inner").is_dir().to_string()),
    ("hard links", |root| {
        let inode = |name: &str| fs::metadata(root.join(name)).map(|found| found.ino()).unwrap_or(name.len() as u64);
        (inode("link-one") == inode("link-other")).to_string()
    }),
    ("extended attributes and ACLs", |root| {
        let mut value = vec![0; 100];
        let length = rustix::fs::lgetxattr(root.join("data"), "user.origin", value.as_mut_slice()).unwrap_or(0);
        format!("{:?}", &value[..length])
    }),
    ("holes of sparse files, exactly", |root| {
        format!("{:?} {:?}", holes(&root.join("sparse")), holes(&root.join("zeros")))
    }),
    ("FIFOs", |root| {
        fs::symlink_metadata(root.join("fifo")).is_ok_and(|found| found.file_type().is_fifo()).to_string()
    }),
    ("files added later are removed", |root| root.join("later").exists().to_string()),
    ("unsaved changes are recorded first", |root| fs::read_to_string(root.join("../records")).unwrap_or_default()),
];

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).map_or(0, |found| found.mode())
}

fn holes(path: &Path) -> Vec<u64> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let mut found = vec![file.metadata().map_or(0, |metadata| metadata.len())];
    let mut at = 0;
    while let Ok(data) = rustix::fs::seek(&file, SeekFrom::Data(at)) {
        at = rustix::fs::seek(&file, SeekFrom::Hole(data)).expect("data is followed by a hole");
        found.extend([data, at]);
    }
    found
}

/// Commands of a tool: create a store and record; restore in place; `count` prints the number of records.
struct Tool {
    name: &'static str,
    record: &'static str,
    back: &'static str,
    count: &'static str,
}

const TOOLS: [Tool; 4] = [
    Tool {
        name: "undo",
        record: "undo commit --init -q -m one",
        back: "undo checkout -q @",
        count: "undo log --json | grep -c '\"type\":\"commit\"'",
    },
    Tool {
        name: "git",
        record: "git init -q && git add -A && git -c user.name=a -c user.email=a commit -q -m one",
        back: "git reset -q --hard && git clean -fdq",
        count: "git rev-list --all --count",
    },
    Tool {
        name: "restic",
        record: "restic -q -r ../store init && restic -q -r ../store backup .",
        back: "restic -q -r ../store restore latest --target .",
        count: "restic -r ../store snapshots --json | tr , '\\n' | grep -c short_id",
    },
    Tool {
        name: "borg",
        record: "borg init -e none ../store && borg create ../store::one .",
        back: "borg extract ../store::one",
        count: "borg list --short ../store | wc -l",
    },
];

fn fill(root: &Path) {
    for (name, mode) in [("data", 0o644), ("tool", 0o755), ("private", 0o600), ("shared", 0o664)] {
        fs::write(root.join(name), name).unwrap();
        fs::set_permissions(root.join(name), Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir_all(root.join("empty/inner")).unwrap();
    fs::write(root.join("link-one"), "linked").unwrap();
    fs::hard_link(root.join("link-one"), root.join("link-other")).unwrap();
    let _ = rustix::fs::lsetxattr(root.join("data"), "user.origin", b"here", XattrFlags::empty());
    let sparse = File::create(root.join("sparse")).unwrap();
    sparse.set_len(1 << 20).unwrap();
    sparse.write_all_at(&[1; 8192], 512 << 10).unwrap();
    fs::write(root.join("zeros"), vec![0; 1 << 20]).unwrap();
    rustix::fs::mknodat(CWD, root.join("fifo"), FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    File::options()
        .write(true)
        .open(root.join("data"))
        .unwrap()
        .set_modified(UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_789))
        .unwrap();
}

fn damage(root: &Path) {
    for name in ["tool", "private", "shared", "link-one", "link-other", "sparse", "zeros", "fifo"] {
        fs::remove_file(root.join(name)).unwrap();
    }
    fs::remove_dir_all(root.join("empty")).unwrap();
    let _ = rustix::fs::lremovexattr(root.join("data"), "user.origin");
    fs::write(root.join("data"), "unsaved work").unwrap();
    fs::write(root.join("later"), "later").unwrap();
}

/// Returns "yes" or "no" for each row; `None` if the tool is not installed.
fn measure(tool: &Tool) -> Option<BTreeMap<&'static str, &'static str>> {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("work");
    fs::create_dir(&root).unwrap();
    let undo = Path::new(env!("CARGO_BIN_EXE_undo")).parent().unwrap();
    let shell = |command: &str| {
        Command::new("sh")
            .args(["-c", command])
            .current_dir(&root)
            .env("PATH", format!("{}:{}", undo.display(), std::env::var("PATH").unwrap_or_default()))
            .env("HOME", place.path())
            .envs([
                ("RESTIC_PASSWORD", "x"),
                ("GIT_CONFIG_GLOBAL", "/dev/null"),
                ("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes"),
            ])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    if !shell(&format!("command -v {}", tool.name)).status.success() {
        skip(format_args!("{} is not installed", tool.name));
        return None;
    }
    let count = || fs::write(place.path().join("records"), shell(tool.count).stdout).unwrap();
    fill(&root);
    let look = || ROWS.map(|(row, look)| (row, look(&root)));
    let recorded = shell(tool.record);
    assert!(recorded.status.success(), "{}: {}", tool.name, String::from_utf8_lossy(&recorded.stderr));
    count();
    let before = look();
    damage(&root);
    shell(tool.back);
    count();
    let after = look();
    let same = before.iter().zip(&after).map(|((row, before), (_, after))| {
        let is_kept = if *row == "unsaved changes are recorded first" { before != after } else { before == after };
        (*row, if is_kept { "yes" } else { "no" })
    });
    Some(same.collect())
}

#[test]
fn readme_comparison_matches_tools() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let table: BTreeMap<String, Vec<String>> = readme
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(cells)
        .map(|row| (row[0].clone(), row[1..].to_vec()))
        .collect();
    let mut wrong = Vec::new();
    for (column, tool) in TOOLS.iter().enumerate() {
        for (row, is) in measure(tool).into_iter().flatten() {
            let says = table.get(row).and_then(|cells| cells.get(column)).map_or("(no cell)", String::as_str);
            if says != is {
                wrong.push(format!("{}: {row}: README says {says}, the tool does {is}", tool.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
