//! Recognizes command lines that run only `undo`.

use super::Shell;
use super::line::commands;
use super::word::{Word, base_name, is_assignment};

/// Programs that only read, as they stand after a pipe. `sort` and `uniq` can write a file.
const READERS: [&[u8]; 15] = [
    b":", b"cat", b"column", b"cut", b"echo", b"egrep", b"fgrep", b"grep", b"head", b"jq", b"less", b"ls", b"more",
    b"tail", b"wc",
];

/// Global options of `undo` whose value is the next word. A test of the command line compares them.
const WITH_VALUE: [&[u8]; 4] = [b"-C", b"--color", b"--progress", b"--wait"];

/// Options of commands whose value is a command. The same test compares them.
const RUNNING: [&[u8]; 2] = [b"--run", b"--tool"];

/// Redirections that write no file.
const HARMLESS: [&[u8]; 10] = [
    b"2>&1",
    b"1>&2",
    b">&2",
    b"2>&-",
    b"&>/dev/null",
    b"2>/dev/null",
    b"2> /dev/null",
    b">/dev/null",
    b"> /dev/null",
    b">|/dev/null",
];

/// Whether a line runs `undo`, and otherwise only programs that change no file. `undo run` and `undo diff --tool` count as the
/// commands that they run.
pub fn runs_only_undo(line: &[u8]) -> bool {
    let mut kinds = Vec::new();
    for words in commands(line, Shell::Bash, &|_| None) {
        let first = words.iter().take_while(|word| is_assignment(word)).count();
        let Some((program, arguments)) = words[first..].split_first() else { return false };
        let program = program.text();
        if base_name(&program) == b"cd" {
            continue;
        }
        let is_undo = base_name(&program) == b"undo" && !runs_command(arguments);
        if !is_undo && !READERS.contains(&base_name(&program)) {
            return false;
        }
        kinds.push(is_undo);
    }
    // What `undo` prints may go to a file. `cat new > file` is a change without `undo`.
    kinds.contains(&true) && (!kinds.contains(&false) || !may_write(line))
}

/// Whether the arguments of `undo` are those of `undo run`, or have an option whose value is a command.
fn runs_command(arguments: &[Word]) -> bool {
    let texts: Vec<Vec<u8>> = arguments.iter().map(Word::text).take_while(|text| text != b"--").collect();
    let is_running = |text: &Vec<u8>| RUNNING.contains(&text.split(|&byte| byte == b'=').next().unwrap_or_default());
    let mut words = texts.iter();
    while let Some(word) = words.next() {
        match &word[..] {
            option if WITH_VALUE.contains(&option) => _ = words.next(),
            // `-qC DIR`
            group if group.starts_with(b"-") && !group.starts_with(b"--") && group.ends_with(b"C") => _ = words.next(),
            option if option.starts_with(b"-") => {}
            command => return command == b"run" || words.any(is_running),
        }
    }
    false
}

/// Whether a line may redirect output to a file. `>` in quotes counts as well.
fn may_write(line: &[u8]) -> bool {
    let mut rest = line;
    while let Some(first) = rest.first() {
        if let Some(harmless) = HARMLESS.iter().find(|harmless| rest.starts_with(harmless)) {
            rest = &rest[harmless.len()..];
        } else if *first == b'>' {
            return true;
        } else {
            rest = &rest[1..];
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_run_only_undo() {
        for line in [
            "undo restore --from @{step} f",
            "undo restore --from '@{step 2}' f",
            "/usr/local/bin/undo -C shop checkout @{step}",
            "cd shop && undo diff @{step} -- a | head -50",
            "undo diff --stat @{step} 2>&1 | grep -c '|'; undo status",
            "UNDO_WORKERS=1 undo agent log --json 2>/dev/null | jq -r '.id'",
            "undo cat @{step}:f > f",
            "cd shop && undo cat @{step}:f > f",
            "undo status || echo failed",
            "undo restore --wait 5s --from @{step} -- run --tool",
            "undo -qC run status",
        ] {
            assert!(runs_only_undo(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn lines_that_run_something_else() {
        for line in [
            "",
            "ls",
            "sed -i s/a/b/ f",
            "undo status; rm f",
            "undo status && sed -i s/a/b/ f",
            "undo cat @{step}:f | tee f",
            "undo restore $(rm f) f",
            "undo restore \"`rm f`\"",
            "cat new > f; undo diff",
            "cat new >> f && undo diff 2>&1",
            "undo run -- make",
            "undo -C shop run make",
            "undo -qC shop run make",
            "undo --wait forever run -- rm f",
            "undo diff --tool 'rm f' @{step}",
            "undo diff @{step} --tool=rm",
            "undo() { rm f; }; undo",
            "undone restore f",
            "echo undo",
            "$x undo status",
            "xargs undo restore",
        ] {
            assert!(!runs_only_undo(line.as_bytes()), "{line}");
        }
    }
}
