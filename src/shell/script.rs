//! The scripts of the shells. A script decides without a process whether a command may be guarded, and calls `undo` only then.

use super::{Guards, Shell};

/// The script of a shell. With `is_strict` it refuses commands that `undo` could not record.
pub fn script(shell: Shell, guards: &Guards, is_strict: bool) -> String {
    let text = match shell {
        Shell::Bash => include_str!("hook.bash"),
        Shell::Zsh => include_str!("hook.zsh"),
        Shell::Fish => include_str!("hook.fish"),
    };
    text.replace("@PROGRAMS@", &guards.programs().join(" "))
        .replace("    @ARGUMENTS@\n", &argument_cases(guards))
        .replace("@EXPRESSION@", &guards.expression())
        .replace("@STRICT@", if is_strict { "--strict" } else { "" })
}

/// The branches of a `case` over the program, each of which compares the arguments in `$2`.
fn argument_cases(guards: &Guards) -> String {
    let case = |program: &str| {
        let patterns = guards.case_patterns(program);
        match patterns.iter().any(|pattern| pattern == "*") {
            true => format!("    {program}) return 0 ;;\n"),
            false => format!("    {program}) case $2 in {}) return 0 ;; esac ;;\n", patterns.join(" | ")),
        }
    };
    guards.programs().into_iter().map(case).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::DEFAULT;

    #[test]
    fn scripts_contain_the_guards() {
        let guards = Guards::parse("rm -r|--r*, mv, git reset --hard").unwrap();
        for shell in [Shell::Bash, Shell::Zsh] {
            let text = script(shell, &guards, true);
            assert!(text.contains("    mv) return 0 ;;\n"), "{text}");
            assert!(text.contains("    git) case $2 in *' reset'*' --hard '*) return 0 ;; esac ;;\n"), "{text}");
            assert!(text.contains(r#"    rm) case $2 in *' -'r* | *' -'[[:alnum:]]r*"#), "{text}");
            assert!(text.contains(" git mv rm "), "{text}");
        }
        for shell in Shell::ALL {
            for is_strict in [false, true] {
                let text = script(shell, &Guards::parse(DEFAULT).unwrap(), is_strict);
                let is_filled =
                    ["@PROGRAMS@", "@ARGUMENTS@", "@EXPRESSION@", "@STRICT@"].iter().all(|mark| !text.contains(mark));
                assert!(is_filled, "{text}");
            }
        }
    }
}
