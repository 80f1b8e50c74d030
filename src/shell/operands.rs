//! The guarded commands of a line, and the files and directories that they name.

use std::path::PathBuf;

use super::braces::expand_braces;
use super::deletions::{deleted, deleted_by_find, find_only_reads, operands};
use super::directories::{Certainty, Directories};
use super::line::{Part, Variables, commands, split};
use super::word::{Letter, Word, base_name, is_assignment};
use super::{Guards, Shell};

/// A guarded command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedCommand {
    /// The directories in which the command may run, relative to that of the shell. The last one is that which the line has entered
    /// last.
    pub directories: Vec<PathBuf>,
    /// Whether the command runs in the last one.
    pub certainty: Certainty,
    /// Words that may name files.
    pub operands: Vec<Operand>,
    /// Whether the command deletes what its operands name, with everything below.
    pub deletes: bool,
    /// Whether all operands are paths that the command changes.
    pub has_only_paths: bool,
}

/// A word that may name a file. Paths are relative to the directory of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A path.
    Path(Vec<u8>),
    /// A pattern, which the shell replaces by the paths that match it. `\` quotes.
    Pattern(Vec<u8>),
    /// The directory below which a path lies whose rest only the shell knows.
    Beginning(Vec<u8>),
    /// A path that only the shell knows.
    Unknown,
}

/// Programs that run the command in their arguments, and keywords of shells that precede a command.
const WRAPPERS: [&[u8]; 35] = [
    b"!",
    b"-",
    b"and",
    b"begin",
    b"builtin",
    b"chronic",
    b"command",
    b"coproc",
    b"do",
    b"doas",
    b"elif",
    b"else",
    b"env",
    b"exec",
    b"if",
    b"ionice",
    b"nice",
    b"nocorrect",
    b"noglob",
    b"nohup",
    b"not",
    b"or",
    b"parallel",
    b"repeat",
    b"setsid",
    b"stdbuf",
    b"sudo",
    b"then",
    b"time",
    b"timeout",
    b"until",
    b"while",
    b"xargs",
    b"{",
    b"}",
];

/// Shells that run the text after their option `-c`.
const SHELLS: [&[u8]; 7] = [b"bash", b"dash", b"fish", b"ksh", b"sh", b"su", b"zsh"];

/// Maximum number of words before the command that a wrapper runs.
const MOST_OPTIONS: usize = 100;

/// Programs whose operands all are paths that they change.
const ONLY_PATHS: [&[u8]; 4] = [b"mv", b"rm", b"shred", b"truncate"];

/// Nesting of shells (`sh -c`) beyond which a line is not understood.
const DEEPEST: usize = 5;

/// An assignment with this name and value before a command exempts it.
pub const EXEMPTION: &[u8] = b"UNDO_GUARD=off";

/// The guarded commands of a line. `aliases` are names and what the shell runs instead.
pub fn guarded_commands(
    line: &[u8],
    shell: Shell,
    guards: &Guards,
    aliases: &[(Vec<u8>, Vec<u8>)],
    variables: Variables<'_>,
) -> Vec<GuardedCommand> {
    let mut search = Search { guards, aliases, variables, directories: Directories::default(), found: Vec::new() };
    search.line(line, shell, 0);
    search.found
}

/// The directories that a line of a POSIX shell enters with `cd`, relative to that of the shell.
pub fn entered_directories(line: &[u8], variables: Variables<'_>) -> Vec<PathBuf> {
    let (guards, directories) = (Guards::none(), Directories::default());
    let mut search = Search { guards: &guards, aliases: &[], variables, directories, found: Vec::new() };
    search.line(line, Shell::Bash, 0);
    search.directories.all
}

struct Search<'s> {
    guards: &'s Guards,
    aliases: &'s [(Vec<u8>, Vec<u8>)],
    variables: Variables<'s>,
    directories: Directories,
    found: Vec<GuardedCommand>,
}

impl Search<'_> {
    fn line(&mut self, line: &[u8], shell: Shell, depth: usize) {
        for part in split(line, shell, self.variables) {
            match part {
                Part::Open => self.directories.open(),
                Part::Close => self.directories.close(),
                Part::Command(words, connector) => {
                    self.directories.follow(connector, &words);
                    self.command(&words, shell, depth);
                }
            }
        }
    }

    fn command(&mut self, words: &[Word], shell: Shell, depth: usize) {
        let first = words.iter().take_while(|word| is_assignment(word)).count();
        let is_wrapped = words.get(first).is_some_and(|word| WRAPPERS.contains(&base_name(&word.text())));
        // The options of a wrapper may have values, so the command may begin at any later word.
        let last = words.len().min(first + 1 + if is_wrapped { MOST_OPTIONS } else { 0 });
        let exempt = words.iter().position(|word| word.text() == EXEMPTION).unwrap_or(words.len());
        // The wrapper itself comes last: `xargs rm` is a guard, but `rm -r` after `xargs` says more.
        for at in (first + 1..last).chain([first]).filter(|&at| at < words.len()) {
            if exempt < at || self.simple_command(&words[at..], at > first, shell, depth) {
                return;
            }
        }
    }

    /// Adds a guarded command, or the directory that `cd` enters. Returns whether the command is one of the two.
    fn simple_command(&mut self, words: &[Word], is_wrapped: bool, shell: Shell, depth: usize) -> bool {
        let (program, arguments) = (words[0].text(), &words[1..]);
        let name = base_name(&program);
        if depth < DEEPEST && self.text_command(name, arguments, shell, depth) {
            return true;
        }
        let is_guarded = self.guards.match_command(words) && !(name == b"find" && find_only_reads(arguments));
        if is_guarded {
            self.add(name, arguments);
        } else if matches!(name, b"cd" | b"pushd") {
            let target = arguments.iter().find(|word| !word.text().starts_with(b"-") && !word.is_unknown());
            self.directories.enter(target.map(|word| self.with_home(word)), is_wrapped);
            return true;
        }
        is_guarded
    }

    /// Searches the text that an alias, a shell or `eval` runs. Returns whether the command is one.
    fn text_command(&mut self, name: &[u8], arguments: &[Word], shell: Shell, depth: usize) -> bool {
        if let Some((_, text)) = self.aliases.iter().find(|(alias, _)| alias == name) {
            let mut commands = commands(text, shell, self.variables);
            commands.last_mut().into_iter().for_each(|last| last.extend_from_slice(arguments));
            commands.iter().for_each(|words| self.command(words, shell, depth + 1));
            return true;
        }
        if name == b"eval" {
            let text = arguments.iter().map(Word::text).collect::<Vec<_>>().join(&b' ');
            self.line(&text, shell, depth + 1);
            return true;
        }
        let Some(text) = SHELLS.contains(&name).then(|| text_of_shell(arguments)).flatten() else { return false };
        // Another process.
        self.directories.open();
        self.line(&text, if name == b"fish" { Shell::Fish } else { Shell::Bash }, depth + 1);
        self.directories.close();
        true
    }

    fn add(&mut self, name: &[u8], arguments: &[Word]) {
        let words: Vec<Word> = arguments.iter().flat_map(expand_braces).collect();
        let deleted = deleted(name, &words);
        let deletes = deleted.is_some();
        let others = || {
            // `dd of=FILE`, `--target-directory=DIR`, `-chdir=DIR`.
            let values = words.iter().filter_map(|word| {
                let equals = word.letters.iter().position(|letter| letter.byte == b'=')?;
                let unknown_from = word.unknown_from.map(|from| from.saturating_sub(equals + 1));
                Some(Word { letters: word.letters[equals + 1..].to_vec(), unknown_from })
            });
            operands(&words).chain(values).collect()
        };
        let by_name = if name == b"find" && !deletes { deleted_by_find(&words) } else { Vec::new() };
        self.push(name, &deleted.unwrap_or_else(others), deletes);
        if !by_name.is_empty() {
            self.push(name, &by_name, true);
        }
    }

    fn push(&mut self, name: &[u8], paths: &[Word], deletes: bool) {
        let is_given = |word: &&Word| word.is_unknown() || !word.letters.is_empty();
        let operands = paths.iter().filter(is_given).map(|word| self.operand(word)).collect();
        let (directories, certainty) = self.directories.current();
        self.found.push(GuardedCommand {
            directories,
            certainty,
            operands,
            deletes,
            has_only_paths: ONLY_PATHS.contains(&name),
        });
    }

    fn operand(&self, word: &Word) -> Operand {
        if word.unknown_from == Some(0) {
            return Operand::Unknown;
        }
        if let Some(from) = word.unknown_from {
            let letters = &word.letters[..from];
            let end = letters.iter().rposition(|letter| letter.byte == b'/').map_or(0, |slash| slash + 1);
            return Operand::Beginning(self.with_home(&Word::known(letters[..end].to_vec())));
        }
        let is_special = |letter: &Letter| !letter.is_quoted && matches!(letter.byte, b'*' | b'?' | b'[');
        if !word.letters.iter().any(is_special) {
            return Operand::Path(self.with_home(word));
        }
        let escaped = |letter: &Letter| {
            let needs_escape = letter.is_quoted && matches!(letter.byte, b'*' | b'?' | b'[' | b'\\');
            [needs_escape.then_some(b'\\'), Some(letter.byte)].into_iter().flatten()
        };
        let (mut path, length) = self.tilde(word);
        path.extend(word.letters[length..].iter().flat_map(escaped));
        Operand::Pattern(path)
    }

    /// The text of a word with `~` replaced.
    fn with_home(&self, word: &Word) -> Vec<u8> {
        let (mut path, length) = self.tilde(word);
        path.extend(word.letters[length..].iter().map(|letter| letter.byte));
        path
    }

    /// What a leading `~` (the home directory) or `~+` (the current one) means, and its length. Nothing if there is none.
    fn tilde(&self, word: &Word) -> (Vec<u8>, usize) {
        let is_plain = |at: usize, byte: u8| word.letters.get(at) == Some(&Letter { byte, is_quoted: false });
        let ends = |at: usize| word.letters.get(at).is_none_or(|letter| letter.byte == b'/');
        match (self.variables)("HOME") {
            Some(home) if is_plain(0, b'~') && ends(1) => (home, 1),
            _ if is_plain(0, b'~') && is_plain(1, b'+') && ends(2) => (b".".to_vec(), 2),
            _ => (Vec::new(), 0),
        }
    }
}

/// The text after the option `-c` of a shell.
fn text_of_shell(arguments: &[Word]) -> Option<Vec<u8>> {
    let texts: Vec<Vec<u8>> = arguments.iter().map(Word::text).collect();
    if let Some(text) = texts.iter().find_map(|text| text.strip_prefix(b"--command=")) {
        return Some(text.to_owned());
    }
    let is_option = |text: &Vec<u8>| {
        let is_short = text.starts_with(b"-") && !text.starts_with(b"--");
        (is_short && text.contains(&b'c')) || text == b"--command"
    };
    let mut rest = texts.iter().skip_while(|text| !is_option(text)).skip(1).peekable();
    // `bash -c -o pipefail TEXT`
    while let Some(option) = rest.next_if(|text| matches!(text.first(), Some(b'-' | b'+'))) {
        if matches!(option.last(), Some(b'o' | b'O')) {
            rest.next();
        }
    }
    rest.next().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::DEFAULT;

    fn search(line: &str) -> Vec<GuardedCommand> {
        let guards = Guards::parse(DEFAULT).unwrap();
        let aliases = [(b"clean".to_vec(), b"rm -rf build".to_vec()), (b"mv".to_vec(), b"mv -i".to_vec())];
        guarded_commands(line.as_bytes(), Shell::Bash, &guards, &aliases, &|name| {
            (name == "HOME").then(|| b"/home/ann".to_vec())
        })
    }

    /// The guarded commands as `[DIRECTORIES] OPERANDS`; patterns after `~`, deleted operands after `-`.
    fn shown(line: &str) -> String {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        let command = |command: &GuardedCommand| {
            let operand = |one: &Operand| {
                let (mark, path) = match one {
                    Operand::Path(path) => ("", path),
                    Operand::Pattern(path) => ("~", path),
                    Operand::Beginning(path) => ("?", path),
                    Operand::Unknown => return "?".to_owned(),
                };
                format!("{}{mark}{}", if command.deletes { "-" } else { "" }, text(path))
            };
            let operands: Vec<_> = command.operands.iter().map(operand).collect();
            let mark = match command.certainty {
                Certainty::Certain => "",
                Certainty::IfEntered => "?",
                Certainty::Possible => "??",
            };
            format!("[{}{mark}] {}", command.directories.last().unwrap().display(), operands.join(" "))
        };
        search(line).iter().map(command).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn operands_are_paths() {
        for (line, expected) in [
            ("rm -rf shop 'a b'", "[] -shop -a b"),
            ("rm -r ~/x \"~/y\" $HOME/z $unknown ~+/v", "[] -/home/ann/x -~/y -/home/ann/z ? -./v"),
            ("rm -r p/$x/y ~/$x 'q/'\"$(a)\" r/@(s|t)", "[] -?p/ -?/home/ann/ -?q/ -?r/"),
            ("rm -r sh* 'a*' \"b*\"c?", r"[] -~sh* -a* -~b\*c?"),
            ("rm -r {a,b{c,d}}/x {e}", "[] -a/x -bc/x -bd/x -{e}"),
            ("rm -rf -- -data", "[] --data"),
            ("mv a b", "[] a b"),
            ("dd if=/dev/zero of=db/file", "[] if=/dev/zero of=db/file /dev/zero db/file"),
            ("terraform -chdir=infra destroy", "[] destroy infra"),
            ("rsync -a --delete src/ shop/", "[] -shop/"),
            ("rsync -a --delete --exclude=.undo src/ shop/", "[] src/ shop/ .undo"),
            ("rsync -a --delete --exclude .undo src/ shop/", "[] .undo src/ shop/"),
            ("find shop -name x -delete", "[] shop x"),
            ("find shop -type f -delete", "[] -shop"),
            ("find . -name 'sh*' -exec rm -rf {} +", "[] . sh* rm {} +; [] -~./sh*"),
            ("find . -name 'sh*' -exec rm {} +", "[] . sh* rm {} +"),
            ("find . -name .undo -prune -o -name b -exec rm -r {} +", "[] . .undo b rm {} +"),
            ("rm file", ""),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn entered_directories_need_no_guarded_command() {
        for (line, expected) in [
            ("cd ../shop && make clean", "../shop"),
            ("(cd ~/x; make) && cd 'a b' && make", "/home/ann/x, a b"),
            ("cd a; cd b; (cd c); sh -c 'cd d'; cd e", "a, a/b, a/b/c, a/b/d, a/b/e"),
            ("sh -c 'cd x && make'", "x"),
            ("cd $unknown && make; cd", ""),
        ] {
            let found = entered_directories(line.as_bytes(), &|name| (name == "HOME").then(|| b"/home/ann".to_vec()));
            let found: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
            assert_eq!(found.join(", "), expected, "{line}");
        }
    }

    #[test]
    fn directories_precede_commands() {
        for (line, expected) in [
            ("cd shop && rm -rf data", "[shop] -data"),
            ("cd a; cd b; mv c d; rm -r e", "[a/b?] c d; [a/b?] -e"),
            ("(cd ~/x && pushd y && rm -r .)", "[/home/ann/x/y] -."),
            ("(cd a && ls); rm -r x; (cd b && rm -r y)", "[] -x; [b] -y"),
            ("bash -c 'cd a'; ls $(cd b); rm -r x", "[] -x"),
            ("cd a && ls | xargs rm -r && (rm -r x)", "[a] ; [a] -x"),
            ("cd a &&\nls && rm -r x\nrm -r y", "[a] -x; [a?] -y"),
            ("cd a || exit; rm -r x", "[a?] -x"),
            ("cd a & rm -r x", "[a??] -x"),
            ("cd a | cat; rm -r x", "[a??] -x"),
            ("if b; then cd a; fi; rm -r x", "[a??] -x"),
            ("f() { cd a; }; rm -r x", "[a??] -x"),
            ("b && cd a; rm -r x", "[a??] -x"),
            ("b && cd a && rm -r x", "[a] -x"),
            ("cd $unknown; rm -r x", "[??] -x"),
            ("cd a; cd -; rm -r x", "[a??] -x"),
            ("if b; then cd a; fi; cd /c && rm -r x", "[/c] -x"),
        ] {
            assert_eq!(shown(line), expected, "{line}");
        }
    }

    #[test]
    fn commands_after_wrappers_are_found() {
        for line in [
            "sudo rm -r x",
            "sudo -u bob -- rm -r x",
            "doas rm -r x",
            "command rm -r x",
            "env -i A=b rm -r x",
            "A=b C=d rm -r x",
            "nice -n 10 ionice -c 3 rm -r x",
            "time rm -r x",
            "\\rm -r x",
            "/usr/bin/rm -r x",
            "=rm -r x",
            "if true; then rm -r x; fi",
            "for i in a; do rm -r x; done",
            "while ! rm -r x; do :; done",
            "f() { rm -r x; }",
            "sh -c 'rm -r x'",
            "sudo bash -ec \"rm -r x\"",
            "bash --norc -c 'rm -r x'",
            "eval 'rm -r' x",
            "echo $(rm -r x)",
            "true && rm -r x | cat",
            "timeout 5 rm -r x",
            "case $y in (a) rm -r x;; esac",
            "case $y in a) rm -r x;; esac",
            "for f (a b) rm -r x",
            "repeat 3 rm -r x",
            "bash -cx 'rm -r x'",
            "bash -c -o pipefail -- 'rm -r x'",
            "su bob --command='rm -r x'",
            "rm -r {x..x}",
        ] {
            assert_eq!(shown(line), "[] -x", "{line}");
        }
        assert_eq!(shown("ls | xargs -0 rm -r"), "[] ");
        assert_eq!(shown("ls | xargs rm -r x"), "[] -x");
        assert_eq!(shown("ls | xargs rm -f x"), "[] rm x");
        assert_eq!(shown("A=b"), "");
    }

    #[test]
    fn aliases_are_expanded() {
        assert_eq!(shown("clean more"), "[] -build -more");
        assert_eq!(shown("clean 'a b' c*"), "[] -build -a b -~c*");
        assert_eq!(shown("mv a b"), "[] a b");
        assert_eq!(shown("echo clean"), "");
        let guards = Guards::parse(DEFAULT).unwrap();
        for name in ["r", "rm"] {
            let alias = [(name.as_bytes().to_vec(), b"rm -rf".to_vec())];
            let line = format!("{name} x");
            let found = guarded_commands(line.as_bytes(), Shell::Bash, &guards, &alias, &|_| None);
            assert_eq!((found.len(), &found[0].operands[..]), (1, &[Operand::Path(b"x".to_vec())][..]), "{name}");
        }
    }

    #[test]
    fn exempted_and_harmless_commands_are_not_guarded() {
        for line in [
            "UNDO_GUARD=off rm -r x",
            "UNDO_GUARD=off sudo rm -r x",
            "sudo UNDO_GUARD=off rm -r x",
            "find . -exec grep x {} +",
            "echo 'rm -r x'",
            "grep 'rm -r' x",
            "# rm -r x",
        ] {
            assert_eq!(shown(line), "", "{line}");
        }
        assert_eq!(shown("find . -exec sh -c 'mv $0 x' {} +"), "[] . sh mv $0 x {} +");
    }
}
