//! Guards: the commands before which a shell records, as the setting `shell.guard` lists them.
//!
//! `git reset --hard` matches `git` with the arguments `reset` and, later, `--hard`. `a|b` stands for either word, `-r` also
//! for a group of letters such as `-fr`, and `--del*` for each word that begins with `--del`.

use super::word::{Word, base_name};

/// Stands for [`DEFAULT_GUARDS`] in the setting.
pub const DEFAULT: &str = "default";

/// The default guards, which docs/shell.md lists.
const DEFAULT_GUARDS: &str = "rm -r|-R|--r*, xargs rm, mv, dd, truncate, shred, rsync --del*|--remove-source-files, \
    rclone sync|move|moveto|delete|deletefile|purge, find -delete|-exec|-execdir|-ok|-okdir, sed -i|--in-place, perl -i, \
    chmod -R|--recursive, chown -R|--recursive, chgrp -R|--recursive, setfacl -R|--recursive, \
    git reset --hard|--merge|--keep, git clean|checkout|restore|rebase|filter-branch, git switch -f|--force|--discard-changes, \
    hg update -C|--clean, hg purge, svn revert, terraform apply|destroy, tofu apply|destroy, pulumi up|destroy, ansible-playbook, \
    tar --overwrite|--recursive-unlink, unzip -o, rename, restic restore";

/// Maximum number of letters before the `r` of a group such as `-fr`.
const GROUP: usize = 4;

/// The guards of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards(Vec<Guard>);

/// A program, and arguments that must follow in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Guard {
    programs: Vec<String>,
    arguments: Vec<Vec<Argument>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Argument {
    /// `-r`: a letter, alone or in a group.
    Letter(char),
    /// `--del*`: the beginning of a word.
    Beginning(String),
    /// A whole word, or what stands before its `=`.
    Whole(String),
}

impl Guards {
    /// Parses a list of guards, separated by commas. `None` if it is not valid.
    pub fn parse(text: &str) -> Option<Guards> {
        let names = text.split(',').map(str::trim).filter(|guard| !guard.is_empty());
        let guards = names.flat_map(|guard| if guard == DEFAULT { DEFAULT_GUARDS } else { guard }.split(','));
        guards.map(Guard::parse).collect::<Option<_>>().map(Guards)
    }

    /// Guards that match no command.
    pub(super) fn none() -> Guards {
        Guards(Vec::new())
    }

    /// Whether a command is guarded. `words` begins with the program.
    pub fn match_command(&self, words: &[Word]) -> bool {
        let Some((program, arguments)) = words.split_first() else { return false };
        let program = program.text();
        let name = base_name(&program);
        self.0.iter().any(|guard| {
            let is_named = guard.programs.iter().any(|program| program.as_bytes() == name);
            let mut rest = arguments.iter();
            is_named && guard.arguments.iter().all(|one_of| rest.any(|word| one_of.iter().any(|one| one.matches(word))))
        })
    }

    /// The programs, once each.
    pub(super) fn programs(&self) -> Vec<&str> {
        let mut programs: Vec<&str> = self.0.iter().flat_map(|guard| &guard.programs).map(String::as_str).collect();
        programs.sort_unstable();
        programs.dedup();
        programs
    }

    /// Patterns of `case` that match the arguments of a program, in a text with a space before and after each word.
    /// They may match more than [`Guards::match_command`].
    pub(super) fn case_patterns(&self, program: &str) -> Vec<String> {
        let of_program = self.0.iter().filter(|guard| guard.programs.iter().any(|name| name == program));
        of_program.flat_map(|guard| combinations(&guard.arguments)).map(|words| words + "*").collect()
    }

    /// A Perl-compatible regular expression that matches lines with a guarded command. It may match more than
    /// [`Guards::match_command`].
    pub(super) fn expression(&self) -> String {
        let guard = |guard: &Guard| {
            let programs = guard.programs.iter().map(|name| escape(name)).collect::<Vec<_>>().join("|");
            let of_argument = |one_of: &Vec<Argument>| {
                let words: Vec<String> = one_of.iter().map(Argument::expression).collect();
                format!(".*[^\\w.+:%-](?:{})", words.join("|"))
            };
            let arguments: String = guard.arguments.iter().map(of_argument).collect();
            format!("(?:{programs})(?![\\w.+:%-]){arguments}")
        };
        let guards: Vec<String> = self.0.iter().map(guard).collect();
        format!("(?s)(?<![\\w.+:%-])(?:{})", guards.join("|"))
    }
}

impl Guard {
    fn parse(text: &str) -> Option<Guard> {
        let mut words = text.split_whitespace().map(|word| word.split('|'));
        let programs: Vec<String> = words.next()?.map(str::to_owned).collect();
        let arguments = words.map(|one_of| one_of.map(Argument::parse).collect()).collect::<Option<_>>()?;
        programs.iter().all(|program| is_plain(program)).then_some(Guard { programs, arguments })
    }
}

impl Argument {
    fn parse(text: &str) -> Option<Argument> {
        let letter = text.strip_prefix('-').and_then(|rest| rest.parse::<char>().ok());
        match (letter, text.strip_suffix('*')) {
            (Some(letter), _) if letter.is_ascii_alphanumeric() => Some(Argument::Letter(letter)),
            (_, Some(beginning)) => is_plain(beginning).then(|| Argument::Beginning(beginning.to_owned())),
            _ => is_plain(text).then(|| Argument::Whole(text.to_owned())),
        }
    }

    fn matches(&self, word: &Word) -> bool {
        let text = word.text();
        match self {
            Argument::Letter(letter) => {
                let Some(group) = text.strip_prefix(b"-") else { return false };
                let length = group.iter().take(GROUP + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
                group[..length].iter().any(|&byte| char::from(byte) == *letter)
            }
            Argument::Beginning(beginning) => text.starts_with(beginning.as_bytes()),
            Argument::Whole(whole) => text.split(|&byte| byte == b'=').next() == Some(whole.as_bytes()),
        }
    }

    fn expression(&self) -> String {
        match self {
            Argument::Letter(letter) => format!("-[0-9A-Za-z]{{0,{GROUP}}}{letter}"),
            Argument::Beginning(beginning) => escape(beginning),
            Argument::Whole(whole) => format!("{}(?![\\w.+:%-])", escape(whole)),
        }
    }
}

/// Whether a word has only characters without a meaning in patterns and scripts.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_.+:%-".contains(letter))
}

/// Escapes a plain word for a regular expression.
fn escape(word: &str) -> String {
    word.replace('.', "\\.").replace('+', "\\+")
}

/// The patterns of one argument; `is_last` if no other must follow.
fn case_words(argument: &Argument, is_last: bool) -> Vec<String> {
    match argument {
        Argument::Letter(letter) => {
            (0..=GROUP).map(|before| format!("' -'{}{letter}", "[[:alnum:]]".repeat(before))).collect()
        }
        Argument::Beginning(beginning) => vec![format!("' {beginning}'")],
        Argument::Whole(whole) if is_last => vec![format!("' {whole} '")],
        Argument::Whole(whole) => vec![format!("' {whole}'")],
    }
}

/// Each way to choose one alternative of every argument, as one pattern.
fn combinations(arguments: &[Vec<Argument>]) -> Vec<String> {
    let mut all = vec![String::new()];
    for (at, one_of) in arguments.iter().enumerate() {
        let words: Vec<String> = one_of.iter().flat_map(|one| case_words(one, at + 1 == arguments.len())).collect();
        all = all.iter().flat_map(|before| words.iter().map(move |word| format!("{before}*{word}"))).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::Shell;
    use crate::shell::line::commands;

    fn is_guarded(guards: &Guards, line: &str) -> bool {
        commands(line.as_bytes(), Shell::Bash, &|_| None).iter().any(|words| guards.match_command(words))
    }

    #[test]
    fn default_guards_can_be_extended_and_replaced() {
        let guards = Guards::parse("default, kubectl delete|drain").unwrap();
        assert!(is_guarded(&guards, "kubectl -n x delete pod y") && is_guarded(&guards, "rm -r x"));
        let guards = Guards::parse("kubectl delete").unwrap();
        assert!(is_guarded(&guards, "kubectl delete pod y") && !is_guarded(&guards, "rm -r x"));
        assert!(!is_guarded(&Guards::parse("").unwrap(), "rm -r x"));
    }

    #[test]
    fn documentation_lists_the_default_guards() {
        let page = include_str!("../../docs/shell.md");
        let listed = page.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
        assert_eq!(listed.split_whitespace().collect::<Vec<_>>().join(" "), DEFAULT_GUARDS);
    }

    #[test]
    fn guards_with_special_characters_are_rejected() {
        for bad in ["rm $(x)", "rm 'a'", "r* -r", "rm a*b", "rm|", "rm -r|", "rm ;", "rm a\\", "é", "rm -é"] {
            assert_eq!(Guards::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn default_guards_match_destructive_commands() {
        let guards = Guards::parse(DEFAULT).unwrap();
        for line in [
            "rm -r x",
            "rm x -fr",
            "xargs -0 rm -f",
            "rm -vvfR x",
            "rm --recursive x",
            "/bin/rm -r x",
            "\\rm '-r' x",
            "mv a b",
            "dd if=a of=b",
            "rsync -a --delete-after a/ b/",
            "git reset --hard",
            "git -C x reset HEAD~1 --hard",
            "git checkout .",
            "git clean -fdx",
            "terraform -chdir=x destroy",
            "find . -name x -delete",
            "sed -Ei.bak s/a/b/ x",
            "sed --in-place=.bak s/a/b/ x",
            "chmod -R go= x",
        ] {
            assert!(is_guarded(&guards, line), "{line}");
        }
        for line in [
            "ls -r",
            "rm x",
            "rm -f bar",
            "rm",
            "xargs ls",
            "rmdir -p a/r",
            "git status",
            "git reset x",
            "git commit -m reset",
            "sed s/-i/x/ y",
            "echo mv",
            "chmod go= x",
            "find . -name '*.r'",
            "rsync -a a/ b/",
        ] {
            assert!(!is_guarded(&guards, line), "{line}");
        }
    }
}
