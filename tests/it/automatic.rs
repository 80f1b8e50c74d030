//! Automatic commits: what hooks, agents and cron jobs record beside the branch.

use std::fs;

use snapbox::str;

use crate::env::TestEnv;

#[test]
fn an_automatic_commit_leaves_everything_else_as_it_is() {
    let env = TestEnv::new();
    env.undo("init").ok();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.write("a", "2");
    let before = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    env.undo("commit --auto -m 'before: make'").ok();
    let after = [env.undo("status --json").text(), env.undo("branch --json").text(), env.undo("diff").text()];
    assert_eq!(before, after);
    assert_eq!(env.undo("commit -m second --json").json()[0]["created"], true, "its message is not dropped");
    assert_eq!(env.undo("log --json @~1 -n 1").json()[0]["message"], "first");
}

#[test]
fn settings_of_hooks_in_the_file_of_a_repository_are_ignored_with_a_warning() {
    let env = TestEnv::new();
    env.undo("init").ok();
    fs::write(env.path().join(".undo/config.toml"), "[shell]\nguard = \"\"\n[user]\nname = \"Ann\"\n").unwrap();
    env.undo("config shell.strict true").shows(str![[r#"
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can be set only user-wide
error: `shell.strict` can be set only user-wide
hint: to set it: undo config --global shell.strict VALUE
[exit 2]

"#]]);
    env.write("a", "1");
    env.undo("commit").shows(str![[r#"
main [ID]  1 added, 0 modified, 0 deleted  (1 B read, 12.0 KiB stored)
---- stderr ----
warning: `[ROOT]/work/.undo/config.toml` line 2: a setting of the repository is ignored: `shell.guard` can be set only user-wide
hint: to restore this state: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log --json").json()[0]["author"], "Ann", "the other settings are in force");
}

/// Every file below the directory, with its content.
fn content(env: &TestEnv) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(env.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn undo_takes_back_what_followed_an_automatic_commit() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.write("b", "1");
    env.undo("commit -m first").ok();
    env.undo("commit --auto -m 'before: rm b'").ok();
    fs::remove_file(env.path().join("b")).unwrap();
    env.undo("undo").shows(str![[r#"
undid [ID]  automatic commit: before: rm b
main [ID]  1 written, 0 deleted, 1 unchanged
unsaved changes are saved in [ID]
---- stderr ----
hint: to redo: undo redo

"#]]);
    assert_eq!(content(&env), [("a".into(), b"1".to_vec()), ("b".into(), b"1".to_vec())]);
    env.undo("redo").shows(str![[r#"
redid [ID]  automatic commit: before a step
main [ID]  0 written, 1 deleted, 1 unchanged
---- stderr ----
hint: to undo: undo undo

"#]]);
    assert_eq!(content(&env), [("a".into(), b"1".to_vec())]);
    env.undo("redo").fails(2);
    env.undo("undo -n").shows(str![[r#"
  [ID]  2026-01-05 08:04:00 (2 minutes ago)  automatic commit: before a step
  create   b
1 change, 1 unchanged; unsaved changes would be recorded first

"#]]);
    env.undo("undo").ok();
    assert_eq!(content(&env).len(), 2);
    env.undo("undo").shows(str![[r#"
undid [ID]  commit: main [ID]: 2 added
main has no commits now; the directory is unchanged
---- stderr ----
hint: to redo: undo redo
hint: to restore the directory as recorded then: undo checkout [ID]

"#]]);
    assert_eq!(env.undo("log --json").json().len(), 3, "two commits and the summary");
}

#[test]
fn random_histories_match_copies_of_the_directory() {
    for seed in 1..4u64 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut below = |end: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random >> 20) as usize % end
        };
        let env = TestEnv::initialised();
        env.write("a", "first");
        env.undo("commit -m first").ok();
        // What undo leads back to, and what redo leads forward to, nearest last. `None` is an action that leaves the
        // directory as it is.
        let (mut back, mut ahead): (Vec<Option<Vec<_>>>, Vec<Option<Vec<_>>>) = (vec![None], Vec::new());
        for step in 0..40 {
            let context = format!("seed {seed}, step {step}");
            match below(8) {
                0 | 1 => env.write(["a", "b", "c"][below(3)], format!("{step}")),
                2 => drop(fs::remove_file(env.path().join(["a", "b", "c"][below(3)]))),
                3 => {
                    env.write("d", format!("{step}"));
                    env.undo("commit -m action").ok();
                    back.push(None);
                    ahead.clear();
                }
                4 | 5 => {
                    env.undo("commit --auto -m event").ok();
                    back.push(Some(content(&env)));
                }
                which => {
                    let is_back = which == 6;
                    let here = content(&env);
                    let (from, to) = if is_back { (&mut back, &mut ahead) } else { (&mut ahead, &mut back) };
                    if from.last().is_some_and(Option::is_some) {
                        // The step records the directory first.
                        if is_back { from.push(Some(here.clone())) } else { to.push(Some(here.clone())) }
                    }
                    while from.last().is_some_and(|state| state.as_ref() == Some(&here)) {
                        to.extend(from.pop());
                    }
                    let expected = match from.last().cloned() {
                        None => None,
                        Some(state) => {
                            if state.is_none() || !is_back {
                                to.extend(from.pop());
                            }
                            Some(state.unwrap_or(here))
                        }
                    };
                    let output = env.undo(if is_back { "undo" } else { "redo" });
                    match expected {
                        Some(expected) => {
                            output.ok();
                            assert_eq!(content(&env), expected, "{context}");
                        }
                        None => drop(output.fails(2)),
                    }
                }
            }
        }
    }
}
