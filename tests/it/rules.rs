//! Rules that leave paths out: what becomes of their own file, and how what they leave out is told.

use crate::env::TestEnv;

#[test]
fn rules_that_leave_out_everything_do_not_leave_out_themselves() {
    let env = TestEnv::initialised();
    env.write("data", "data");
    env.write("sub/data", "data");
    env.undo("commit -m base").ok();
    env.write(".undoignore", "*\n");
    env.undo("checkout @").ok();
    assert!(!env.path().join(".undoignore").exists());
    assert_eq!(env.undo("status --json").ok().json().len(), 1, "nothing but the end");
    env.undo("undo").ok();
    assert_eq!(env.read(".undoignore"), b"*\n");
    // A directory that is ignored is not looked into.
    env.write("sub/.undoignore", "!data\n");
    env.write("more/.undoignore", ".undoignore\n");
    env.write(".undoignore", "*\n!more\n");
    env.undo("commit -m rules").ok();
    assert_eq!(env.undo("ls -R").ok().stdout, b".undoignore\nmore/\nmore/.undoignore\n");
    assert_eq!(env.undo("check-ignore .undoignore more/.undoignore").code, 1);
    env.undo("check-ignore data sub/.undoignore").ok();
}
