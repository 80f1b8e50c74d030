//! Dates and times in words, compared with git.

use jiff::tz::TimeZone;
use snapbox::str;
use undo::environment::Environment;
use undo::internals::history::when::{self, Day};
use undo::time::Timestamp;

use crate::env::TestEnv;

/// Monday 2026-01-05 14:30:10 UTC.
const NOW: i64 = 1_767_623_410;

/// What git and undo make of a text, in seconds since 1970.
fn parsed(env: &TestEnv, text: &str) -> (i64, Result<i64, String>) {
    let mut git = env.command("git");
    git.env("GIT_TEST_DATE_NOW", NOW.to_string()).args(["rev-parse", &format!("--since={text}")]);
    let output = git.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let git = printed.trim().strip_prefix("--max-age=").unwrap_or_else(|| panic!("{text}: {printed}")).parse().unwrap();
    let environment = Environment::from_process()
        .with_time_zone(TimeZone::UTC)
        .with_clock(|| Timestamp { seconds: NOW, nanoseconds: 0 });
    let undo = when::parse(text, Day::Begin, &environment).map(|time| time.seconds);
    (git, undo.map_err(|error| error.to_string()))
}

fn repository() -> TestEnv {
    let env = TestEnv::new();
    assert!(env.command("git").args(["init", "-q"]).status().unwrap().success());
    env
}

#[test]
fn durations_and_times_of_day_are_as_in_git() {
    let env = repository();
    let units = ["second", "minute", "hour", "day", "week", "month", "year"];
    let mut texts: Vec<String> = Vec::new();
    for (n, unit) in units.iter().enumerate() {
        let count = 2 * n + 3;
        texts.extend([
            format!("{count} {unit}s ago"),
            format!("{count}.{unit}s.ago"),
            format!("{count} {}s", unit.to_uppercase()),
            format!("1 {unit}"),
            format!("last {unit}"),
            format!("three {unit}s ago"),
        ]);
    }
    let days = [
        "",
        "yesterday ",
        "last monday ",
        "last friday ",
        "2026-01-03 ",
        "2026/1/3 ",
        "Jan 3 2026 ",
        "3 jan ",
        "3 days ago ",
    ];
    for time in ["9am", "9:30pm", "00:30", "16:00:05", "12am", "12pm", "noon", "midnight"] {
        texts.extend(days.iter().map(|day| format!("{day}{time}")));
    }
    texts.extend(
        ["now", "noon yesterday", "9am yesterday", "@1767000000", "1767000000", "1 year 2 months ago"]
            .map(str::to_owned),
    );
    texts.extend(["2026-01-05T10:00:00Z", "2026-01-05T10:00:00+02:00", "2026-01-05 10:00:00 -0500"].map(str::to_owned));
    texts.extend(["Sat, 3 Jan 2026 14:00:00 +0100", "Sat Jan 3 14:00:00 2026 +0100"].map(str::to_owned));
    // git subtracts calendar units from the time of day only.
    let is_different = |text: &str| text.contains("3 days ago midnight");
    for text in texts.iter().filter(|text| !is_different(text)) {
        let (git, undo) = parsed(&env, text);
        assert_eq!(undo, Ok(git), "{text}");
    }
}

#[test]
fn a_date_without_a_time_means_the_whole_day() {
    const DAY: i64 = 86_400;
    let env = repository();
    for text in [
        "yesterday",
        "today",
        "2026-01-03",
        "2026/01/03",
        "2026-1-3",
        "2026.01.03",
        "jan 3",
        "3 January 2026",
        "last monday",
        "Last FRIDAY",
        "monday",
    ] {
        let (git, undo) = parsed(&env, text);
        // git takes the current time of day.
        assert_eq!(undo, Ok(git - git % DAY), "{text}");
    }
}

/// git guesses where undo has another answer, or none.
#[test]
fn differences_from_git_are_deliberate() {
    let env = repository();
    let hour = 3600;
    for (text, expected) in [
        // git takes these for now.
        ("an hour ago", Ok(NOW - hour)),
        ("a week ago", Ok(NOW - 7 * 24 * hour)),
        ("nonsense", Err("`nonsense` is not a valid date or time")),
        ("tomorrow", Ok(NOW - NOW % (24 * hour) + 24 * hour)),
        ("01/02/2026", Err("`01/02/2026` is not a valid date or time")),
        // git goes back.
        ("+1 day", Err("`+1 day` is in the future")),
        ("tea", Err("`tea` is not a valid date or time")),
        // git ignores small numbers.
        ("@5", Ok(5)),
    ] {
        let (_, undo) = parsed(&env, text);
        assert_eq!(undo.as_ref().map_err(String::as_str), expected.as_ref().map_err(|text| *text), "{text}");
    }
}

#[test]
fn date_transcript() {
    let env = TestEnv::initialised();
    env.write("a", "1");
    env.undo("commit -m first").ok();
    env.undo("log --oneline --since '+1 day'").shows(str![[r#"
---- stderr ----
error: `+1 day` is in the future
hint: to go back in time: 1 day ago
[exit 2]

"#]]);
    env.undo("log --oneline --since 'Yesterday 9am' --until 08:01").shows(str![[r#"
@ [ID] (main) first  +1 ~0 -0, 482 B stored

"#]]);
    env.undo("log --oneline --since @1767600000 --until '2026/1/5'").shows(str![[r#"
@ [ID] (main) first  +1 ~0 -0, 482 B stored

"#]]);
    env.undo("log --oneline --since 'the day before'").shows(str![[r#"
---- stderr ----
error: `the day before` is not a valid date or time
hint: valid forms include `10 minutes ago`, `yesterday 9am`, `last monday`, `14:00`, `2026-01-05` or `2026-01-05 14:00`
[exit 2]

"#]]);
    env.undo("show '@{2026-01-05 08:01:00}' --stat").ok();
    env.undo("show '@{2026-01-05 07:59:59}'").shows(str![[r#"
---- stderr ----
error: no history at 2026-01-05 07:59:59: the history begins at 2026-01-05 08:01:00
hint: to list operations: undo op log
[exit 2]

"#]]);
    env.undo("show '@{last monday}'").fails(2);
}
