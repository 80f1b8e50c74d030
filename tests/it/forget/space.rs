//! Old commits are forgotten until the repository fits.

use snapbox::str;

use super::log;
use crate::env::TestEnv;

#[test]
fn a_size_removes_the_oldest_commits_and_automatic_ones_first() {
    let env = TestEnv::initialised();
    let noise = |seed: u64| -> Vec<u8> {
        let mut state = seed;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(1 << 20)
        .collect()
    };
    for n in 1..=6 {
        env.write("file", noise(n));
        // The second and the fourth are automatic.
        env.undo(if n % 2 == 0 && n < 6 { "checkout @".to_owned() } else { format!("commit -m {n}") }.as_str()).ok();
    }
    assert_eq!(log(&env, "").len(), 6);
    // 6 MiB, beside the 8 MiB of the reserve and some tables.
    env.undo("forget --max-size 1G -n").shows(str![[r#"
keep    [ID]  2026-01-05 08:06:00 (2 minutes ago)  branch main, fits  6
keep    [ID]  2026-01-05 08:05:00 (3 minutes ago)  fits  5
keep    [ID]  2026-01-05 08:04:00 (4 minutes ago)  fits  before checkout [ID] (automatic)
keep    [ID]  2026-01-05 08:03:00 (5 minutes ago)  fits  3
keep    [ID]  2026-01-05 08:02:00 (6 minutes ago)  fits  before checkout [ID] (automatic)
keep    [ID]  2026-01-05 08:01:00 (7 minutes ago)  fits  1
nothing to forget, 6 kept

"#]]);
    let size = |mib: u64| format!("--max-size {}K", (8 + mib) * 1024 + 700);
    env.undo(&format!("forget {} -n", size(5))).shows(str![[r#"
keep    [ID]  2026-01-05 08:06:00 (3 minutes ago)  branch main, fits  6
keep    [ID]  2026-01-05 08:05:00 (4 minutes ago)  fits  5
keep    [ID]  2026-01-05 08:04:00 (5 minutes ago)  fits  before checkout [ID] (automatic)
keep    [ID]  2026-01-05 08:03:00 (6 minutes ago)  fits  3
forget  [ID]  2026-01-05 08:02:00 (7 minutes ago)  before checkout [ID] (automatic)
keep    [ID]  2026-01-05 08:01:00 (8 minutes ago)  fits  1
1 commit would be forgotten, 5 kept
frees 0 B now, 1.00 MiB with `undo gc` after the grace period

"#]]);
    env.undo(&format!("forget {}", size(3))).ok();
    let left = log(&env, "");
    assert!(left.len() == 3 && left.iter().all(|message| !message.contains("before")), "{left:?}");
    env.undo("undo").ok();
    env.undo(&format!("forget {} --only-automatic", size(2))).shows(str![[r#"
2 commits forgotten, 4 kept
---- stderr ----
warning: the commits that stay need more space than that; see: undo help retention
hint: to undo: undo undo

"#]]);
    assert_eq!(log(&env, "").len(), 4);
    env.undo("undo").ok();
    env.undo("forget --max-size 1K").shows(str![[r#"
---- stderr ----
error: this policy would forget every commit but the current one
hint: leave more space to the history, for example: undo forget --max-size 10G -n
[exit 4]

"#]]);
    assert_eq!(log(&env, "").len(), 6);
    env.undo("forget --min-free 0 -n").ok();
    env.undo("forget --min-free 100% -n").fails(4);
    env.undo("forget --max-size lots").shows(str![[r#"
---- stderr ----
error: invalid value `lots` for `--max-size <SIZE>`: not a size such as `20G` or `10%`
hint: undo help forget
[exit 2]

"#]]);
}
