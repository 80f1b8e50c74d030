//! Random rules files and trees: `undo check-ignore` and `undo ls-files --others` print the same as git for the same
//! rules.
//!
//! All cases of a round are folders of one worktree, so that a round takes one process of each command. The seed is
//! printed: `UNDO_TEST_SEED=N` repeats one round, `UNDO_TEST_ROUNDS=N` runs more of them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::env::TestEnv;
use crate::random::Random;
use crate::skip::skip;

/// Number of rounds in a normal test run: together more than 2,000 rules files.
const ROUNDS: u64 = 3;
/// Folders per round, each with two rules files on average.
const CASES: usize = 400;

/// Pieces of names; common ones are repeated.
const PIECES: [&[u8]; 32] = [
    b"a",
    b"b",
    b"c",
    b"a",
    b"b",
    b"a",
    b".",
    b"-",
    b"_",
    b"1",
    b" ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\\",
    b"*",
    b"?",
    b"!",
    b"^",
    b"#",
    b"\t",
    b"\r",
    b"\xc3\xa9",
    b"\xe9",
    b"\xc2\xa0",
    b",",
    b":",
    b"A",
    b"\n",
    b"$",
    b"~",
];
const CLASSES: [&[u8]; 14] = [
    b"alnum", b"alpha", b"blank", b"cntrl", b"digit", b"graph", b"lower", b"print", b"punct", b"space", b"upper",
    b"xdigit", b"other", b"",
];
const RANGES: [&[u8]; 10] =
    [b"a-c", b"+-9", b"\x01-\xff", b"0-z", b"\\a-\\c", b"\x80-\xff", b"/-/", b"c-a", b"a-]", b"a-c-e"];
const LINES: [&[u8]; 22] = [
    b"", b"!", b"/", b"//", b"\\", b"\\/", b"**//", b"[", b"*", b"**", b"!*/", b"*/", b"!/", b"\\!a", b"\\#a", b"# a",
    b"!!a", b"[[]", b"[]]", b"[!]]", b"[^]a]", b"/**/",
];
/// Suffixes of patterns.
const ENDS: [&[u8]; 16] = [
    b" ",
    b"  ",
    b"\\ ",
    b"\\  ",
    b" \\ ",
    b"\t",
    b"\r",
    b"\r\r",
    b" \r",
    b"\r ",
    b"\xc2\xa0",
    b"\\",
    b"\\\\ ",
    b"\0x",
    b" \0",
    b"\r\0",
];

/// Returns true in this percentage of calls.
fn percent(random: &mut Random, often: usize) -> bool {
    random.below(100) < often
}

fn one<'p>(random: &mut Random, of: &[&'p [u8]]) -> &'p [u8] {
    of[random.below(of.len())]
}

fn name(random: &mut Random) -> Vec<u8> {
    loop {
        let length = [1, 1, 2, 2, 3, 4, 6][random.below(7)];
        let name: Vec<u8> = (0..length).flat_map(|_| one(random, &PIECES)).copied().collect();
        if name != b"." && name != b".." {
            return name;
        }
    }
}

fn bracket(random: &mut Random, like: &[u8]) -> Vec<u8> {
    let mut text = b"[".to_vec();
    text.extend(one(random, &[b"", b"", b"!", b"^", b"]", b"!]"]));
    for _ in 0..random.below(4) {
        match random.below(10) {
            0 | 1 => text.extend(like),
            2 => text.extend(one(random, &PIECES)),
            3 | 4 => text.extend(one(random, &RANGES)),
            5 | 6 => text.extend([b"[:", one(random, &CLASSES), b":]"].concat()),
            7 => text.extend([b"\\", one(random, &PIECES)].concat()),
            8 => text.extend(one(random, &[b"[:", b"[", b"[:a", b"-"])),
            _ => text.extend(one(random, &[b"/", b".", b"a"])),
        }
    }
    if percent(random, 93) {
        text.push(b']');
    }
    text
}

/// Turns a path into a pattern that may match it.
fn like(random: &mut Random, path: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::new();
    // Few stars, because git's matching time grows fast with them.
    let (mut at, mut stars) = (0, 0);
    while let Some(&byte) = path.get(at) {
        at += 1;
        match random.below(100) {
            0..6 => pattern.extend([b'\\', byte]),
            6..12 => pattern.push(b'?'),
            12..20 if stars < 5 => {
                stars += 1;
                pattern.extend(one(random, &[b"*", b"*", b"**", b"***", b"**/"]));
                at += random.below(3);
            }
            20..30 => pattern.extend(bracket(random, &[byte])),
            30..32 => {}
            _ => pattern.push(byte),
        }
    }
    pattern
}

fn line(random: &mut Random, below: &[Vec<u8>]) -> Vec<u8> {
    let mut line = match random.below(100) {
        0..75 if !below.is_empty() => {
            let path = &below[random.below(below.len())];
            let part = match random.below(20) {
                0..10 => path.rsplit(|&byte| byte == b'/').next().unwrap(),
                10..13 => path.split(|&byte| byte == b'/').next().unwrap(),
                _ => path,
            };
            let before = if percent(random, 30) { one(random, &[b"/", b"/", b"**/"]) } else { b"" };
            let after = if percent(random, 10) { one(random, &[b"/**", b"/*", b"*", b"**"]) } else { b"" };
            [before, &like(random, part), after].concat()
        }
        95..98 => one(random, &LINES).to_vec(),
        98 => [b"[", &*b"xyz".repeat(1 + random.below(3000)), b"a]*"].concat(),
        99 => b"a".repeat(200 + random.below(5000)),
        _ => (0..random.below(6))
            .flat_map(|_| match random.below(3) {
                0 => one(random, &PIECES).to_vec(),
                1 => one(random, &[b"/", b"/", b"**", b"*", b"?"]).to_vec(),
                _ => bracket(random, b"b"),
            })
            .collect(),
    };
    if percent(random, 25) {
        line.insert(0, b'!');
    }
    if percent(random, 15) {
        line.push(b'/');
    }
    if percent(random, 25) {
        line.extend(one(random, &ENDS));
    }
    line
}

/// Creates a rules file for a directory with these paths.
fn rules(random: &mut Random, below: &[Vec<u8>]) -> Vec<u8> {
    let lines: Vec<_> = (0..=random.below(6)).map(|_| line(random, below)).collect();
    let mark: &[u8] = if percent(random, 5) { b"\xef\xbb\xbf" } else { b"" };
    [mark, &lines.join(&b'\n'), one(random, &[b"\n", b"\r\n", b""])].concat()
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() }
}

/// A worktree with the same rules for git and `undo`, and the paths to query.
struct GitComparison {
    env: TestEnv,
    paths: Vec<Vec<u8>>,
    rules_files: usize,
}

impl GitComparison {
    fn new() -> GitComparison {
        GitComparison { env: TestEnv::new(), paths: Vec::new(), rules_files: 0 }
    }

    fn write(&self, path: &[u8], bytes: &[u8]) {
        let path = self.env.path().join(OsStr::from_bytes(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn write_rules(&mut self, directory: &[u8], bytes: &[u8]) {
        self.rules_files += 1;
        self.write(&join(directory, b".gitignore"), bytes);
        self.write(&join(directory, b".undoignore"), bytes);
    }

    /// Adds a folder of random files, folders and rules, and paths that do not exist.
    fn add_case(&mut self, random: &mut Random, root: &[u8]) {
        let mut directories = vec![Vec::new()];
        for _ in 0..=random.below(4) {
            let directory = join(&directories[random.below(directories.len())], &name(random));
            if !directories.contains(&directory) {
                directories.push(directory);
            }
        }
        let mut files = BTreeSet::new();
        for _ in 0..3 + random.below(5) {
            files.insert(join(&directories[random.below(directories.len())], &name(random)));
        }
        files.retain(|file| !directories.contains(file));
        for directory in &directories {
            fs::create_dir_all(self.env.path().join(OsStr::from_bytes(&join(root, directory)))).unwrap();
        }
        files.iter().for_each(|file| self.write(&join(root, file), b""));
        let mut paths: Vec<_> = files.into_iter().chain(directories.iter().skip(1).cloned()).collect();
        for directory in &directories {
            if directory.is_empty() || percent(random, 35) {
                let start = if directory.is_empty() { 0 } else { directory.len() + 1 };
                let is_below = |path: &&Vec<u8>| path.len() > start && path.starts_with(&join(directory, b"")[..]);
                let below: Vec<_> = paths.iter().filter(is_below).map(|path| path[start..].to_vec()).collect();
                let bytes = rules(random, &below);
                self.write_rules(&join(root, directory), &bytes);
            }
        }
        for _ in 0..2 {
            paths.push(join(&paths[random.below(paths.len())], &name(random)));
        }
        self.paths.extend(paths.iter().map(|path| join(root, path)));
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.env.path()).env("HOME", self.env.root()).env("LC_ALL", "C").env_remove("GIT_DIR");
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("XDG_CONFIG_HOME", self.env.root());
        command
            .arg("--git-dir")
            .arg(self.env.root().join("git"))
            .arg("--work-tree")
            .arg(self.env.path())
            .args(arguments);
        command
    }

    /// Compares all answers of git and `undo`.
    fn compare(&self) {
        let asked = self.env.root().join("asked");
        fs::write(&asked, [self.paths.join(&0), vec![0]].concat()).unwrap();
        let stdin = || fs::File::open(&asked).unwrap();
        assert!(self.git(&["init", "-q"]).status().unwrap().success());
        self.env.undo("init -q --store ../store").ok();
        let arguments = ["check-ignore", "-v", "-n", "--stdin", "-z"];
        let theirs = self.git(&arguments).arg("--no-index").stdin(stdin()).output().unwrap();
        assert!(theirs.status.code().is_some_and(|code| code < 2), "{theirs:?}");
        let mut undo = self.env.command(env!("CARGO_BIN_EXE_undo"));
        let ours = undo.args(arguments).stdin(stdin()).output().unwrap();
        let fields = |bytes: &[u8]| bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (ours, mut theirs) = (fields(&ours.stdout), fields(&theirs.stdout));
        assert_eq!((ours.len(), theirs.len()), (self.paths.len() * 4 + 1, self.paths.len() * 4 + 1));
        for (ours, theirs) in ours.chunks(4).zip(theirs.chunks_mut(4)) {
            if let Some(directory) = theirs[0].strip_suffix(b".gitignore") {
                theirs[0] = [directory, b".undoignore"].concat();
            }
            let shown =
                |answer: &[Vec<u8>]| answer.iter().map(|field| field.escape_ascii().to_string()).collect::<Vec<_>>();
            assert_eq!(shown(ours), shown(theirs), "file, line, pattern and path of undo and git differ");
        }
        let theirs = self.git(&["ls-files", "--others", "--exclude-standard", "-z"]).output().unwrap().stdout;
        // git lists no directories, and omits an ignored `.undoignore`.
        let mut undo = self.env.command(env!("CARGO_BIN_EXE_undo"));
        let ours = undo.args(["ls-files", "--others", "-z"]).output().unwrap().stdout;
        let own: [&[u8]; 2] = [b".undoignore", b".undo"];
        let is_compared = |path: &Vec<u8>| !own.iter().any(|own| path.rsplit(|&b| b == b'/').next() == Some(own));
        let files = |bytes: &[u8]| -> BTreeSet<String> {
            let files = fields(bytes).into_iter().filter(|path| !path.ends_with(b"/") && is_compared(path));
            files.map(|path| path.escape_ascii().to_string()).collect()
        };
        let (ours, theirs) = (files(&ours), files(&theirs));
        let differences: Vec<_> = ours.symmetric_difference(&theirs).collect();
        assert!(differences.is_empty(), "listed by only one of the two: {differences:?}");
        assert!(theirs.len() > 1, "git listed nothing");
    }
}

fn has_git() -> bool {
    let version = Command::new("git").arg("--version").output();
    match &version {
        Ok(version) => println!("{}", String::from_utf8_lossy(&version.stdout).trim()),
        Err(_) => skip("git is not installed"),
    }
    version.is_ok()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn random_patterns_match_as_in_git() {
    if !has_git() {
        return;
    }
    let seeds: Vec<u64> = match number("UNDO_TEST_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("UNDO_TEST_ROUNDS").unwrap_or(ROUNDS)).collect(),
    };
    let mut rules_files = 0;
    for seed in &seeds {
        println!("UNDO_TEST_SEED={seed}");
        let random = &mut Random::new(*seed);
        let mut comparison = GitComparison::new();
        for number in 0..CASES {
            comparison.add_case(random, format!("case-{number}").as_bytes());
        }
        // Rules at the root, too, except those that match the folders of the cases: they would exclude all queries.
        let root = [&*rules(random, &comparison.paths), b"\n!/case-[0-9]*/\n"].concat();
        comparison.write_rules(b"", &root);
        comparison.compare();
        rules_files += comparison.rules_files;
    }
    println!("{rules_files} rules files");
    assert!(rules_files as u64 > seeds.len() as u64 * 2000 / ROUNDS);
}

#[test]
fn bracket_expressions_match_as_in_git() {
    if !has_git() {
        return;
    }
    let mut comparison = GitComparison::new();
    let classes = CLASSES.iter().map(|class| [b"[:", *class, b":]"].concat());
    let sets = classes.chain(RANGES.iter().map(|range| range.to_vec()));
    let sets: Vec<Vec<u8>> = sets.chain([b"\\]".to_vec(), b"[:".to_vec(), b"-".to_vec(), b"^".to_vec()]).collect();
    let starts: [&[u8]; 4] = [b"x[", b"x[!", b"x[^", b"x[]"];
    let brackets = sets.iter().flat_map(|set| starts.map(|start| [start, set.as_slice(), b"]"].concat()));
    let patterns = brackets.chain([b"x?".to_vec(), b"/x?".to_vec(), b"x\\?".to_vec()]);
    for (number, pattern) in patterns.enumerate() {
        let folder = format!("pattern-{number}").into_bytes();
        comparison.write_rules(&folder, &pattern);
        let bytes = (1..=u8::MAX).filter(|&byte| byte != b'/');
        comparison.paths.extend(bytes.map(|byte| join(&folder, &[b'x', byte])));
    }
    comparison.compare();
}
