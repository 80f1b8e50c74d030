//! Tests policies, also against restic's decisions.

use super::*;
use crate::object::operation::{RefEdit, RefName, Verb};

fn id(byte: u8) -> CommitId {
    CommitId([byte; 32])
}

fn time(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn candidate(byte: u8, text: &str) -> Candidate {
    let parents = byte.checked_sub(1).map(id).into_iter().collect();
    Candidate { id: id(byte), parents, time: time(text), is_automatic: false, is_suspicious: false }
}

fn policy(rules: &str) -> Policy {
    Policy { rules: KeepRule::parse_list(rules).unwrap_or_else(|| panic!("{rules}")), ..Policy::default() }
}

/// One commit each day at noon UTC, the newest on 2026-01-31 with the number 30, and the oldest with the number 0.
fn month() -> Vec<Candidate> {
    (0..31).rev().map(|day| candidate(day, &format!("2026-01-{:02}T12:00:00Z", day + 1))).collect()
}

/// Numbers of the commits that stay, with their reasons.
fn kept(verdicts: &[Verdict]) -> Vec<(u8, String)> {
    let kept = verdicts.iter().filter(|verdict| !verdict.reasons.is_empty());
    let words = |reasons: &[Reason]| reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join(", ");
    kept.map(|verdict| (verdict.id.0[0], words(&verdict.reasons))).collect()
}

fn judge_month(policy: &Policy, pins: &Pins) -> Vec<Verdict> {
    judge(&month(), policy, pins, time("2026-01-31T12:00:00Z"), &TimeZone::UTC)
}

#[test]
fn judges_as_restic_does() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut sections = include_str!("restic.txt").split("\n\n");
    let times: Vec<&str> = sections.next().unwrap().lines().filter(|line| !line.starts_with('#')).collect();
    let candidates: Vec<Candidate> = (0..).zip(&times).map(|(number, time)| candidate(number, time)).collect();
    let mut shuffled = candidates.clone();
    shuffled.reverse();
    let mut policies = 0;
    for section in sections {
        let (rules, expected) = section.split_once('\n').unwrap();
        let policy = policy(rules);
        let verdicts = judge(&shuffled, &policy, &Pins::default(), candidates[0].time, &zone);
        let mut found = String::new();
        for rule in &policy.rules {
            let by_rule = |verdict: &&Verdict| verdict.reasons.contains(&Reason::Rule(*rule));
            let numbers: Vec<String> =
                verdicts.iter().filter(by_rule).map(|verdict| verdict.id.0[0].to_string()).collect();
            found += &format!("{rule}: {}\n", numbers.join(" "));
        }
        assert_eq!(found.trim(), expected.trim(), "{rules}");
        policies += 1;
    }
    assert_eq!((times.len(), policies), (48, 21));
}

#[test]
fn a_commit_stays_if_one_rule_keeps_it_and_names_all_that_do() {
    let verdicts = judge_month(&policy("last 2, weekly 2, monthly 5"), &Pins::default());
    let expected = [(30, "last 2, weekly 2, monthly 5"), (29, "last 2"), (24, "weekly 2")];
    assert_eq!(kept(&verdicts), expected.map(|(number, words)| (number, words.to_owned())));
    assert_eq!(verdicts.len(), 31);
}

#[test]
fn ages_count_back_from_the_given_time() {
    let verdicts = |now: &str| judge(&month(), &policy("within 2d"), &Pins::default(), time(now), &TimeZone::UTC);
    assert_eq!(kept(&verdicts("2026-01-31T12:00:00Z")).len(), 2);
    assert_eq!(kept(&verdicts("2026-02-01T12:00:00Z")).len(), 1);
    assert_eq!(kept(&verdicts("2026-02-05T12:00:00Z")).len(), 0);
}

#[test]
fn days_begin_at_midnight_in_the_zone() {
    let candidates = [candidate(2, "2026-01-05T23:30:00Z"), candidate(1, "2026-01-05T22:30:00Z")];
    let count = |zone: TimeZone| {
        kept(&judge(&candidates, &policy("daily 9"), &Pins::default(), candidates[0].time, &zone)).len()
    };
    assert_eq!(count(TimeZone::UTC), 1);
    assert_eq!(count(TimeZone::get("Europe/Berlin").unwrap()), 2);
}

#[test]
fn commits_of_the_same_time_are_judged_in_their_order() {
    let candidates = [candidate(7, "2026-01-05T12:00:00Z"), candidate(9, "2026-01-05T12:00:00Z")];
    let verdicts = judge(&candidates, &policy("last 1"), &Pins::default(), candidates[0].time, &TimeZone::UTC);
    assert_eq!(kept(&verdicts), [(7, "last 1".to_owned())]);
}

#[test]
fn only_automatic_commits_are_judged_if_the_policy_says_so() {
    let mut candidates = month();
    candidates.iter_mut().for_each(|candidate| candidate.is_automatic = candidate.id.0[0] % 2 == 0);
    let policy = Policy { only_automatic: true, ..policy("last 2") };
    let verdicts = judge(&candidates, &policy, &Pins::default(), candidates[0].time, &TimeZone::UTC);
    let kept = kept(&verdicts);
    assert_eq!(kept.iter().filter(|(_, words)| words == "not automatic").count(), 15);
    let by_rule: Vec<u8> = kept.iter().filter(|(_, words)| words == "last 2").map(|(number, _)| *number).collect();
    assert_eq!(by_rule, [30, 28]);
    assert_eq!(kept.len(), 17);
}

#[test]
fn refs_and_an_unfinished_checkout_keep_their_commits() {
    let mut refs = Refs { current: "main".to_owned(), ..Refs::default() };
    refs.branches.insert("main".to_owned(), id(30));
    refs.branches.insert("other".to_owned(), id(4));
    refs.tags.insert("v1".to_owned(), id(4));
    let edit = RefEdit { name: RefName::Branch("main".to_owned()), old: Some(id(30)), new: Some(id(8)) };
    let intent = Intent {
        token: 1,
        verb: Verb::Checkout,
        time: Timestamp::default(),
        from: Some(id(6)),
        to: id(8),
        paths: Vec::new(),
        edits: vec![edit],
        switch: None,
        undo_position: None,
        before: None,
        worktree: b"/data".to_vec(),
    };
    let verdicts = judge_month(&policy("last 1"), &Pins::of(&refs, Some(&intent)));
    let expected = [
        (30, "branch main, last 1"),
        (8, "unfinished checkout"),
        (6, "unfinished checkout"),
        (4, "branch other, tag v1"),
    ];
    assert_eq!(kept(&verdicts), expected.map(|(number, words)| (number, words.to_owned())));
}

#[test]
fn the_commit_before_an_alarm_stays_for_90_days() {
    let mut candidates = month();
    candidates.iter_mut().filter(|one| [3, 20].contains(&one.id.0[0])).for_each(|one| one.is_suspicious = true);
    let kept_at = |now: &str| {
        let mut pins = Pins::default();
        pins.add_alarms(&candidates, time(now), &TimeZone::UTC);
        kept(&judge(&candidates, &policy("last 1"), &pins, time(now), &TimeZone::UTC))
    };
    let expected = [(30, "last 1"), (20, "alarm"), (19, "before an alarm"), (3, "alarm"), (2, "before an alarm")];
    assert_eq!(kept_at("2026-04-01T12:00:00Z"), expected.map(|(number, words)| (number, words.to_owned())));
    // The alarm of January 4 is 90 days old.
    assert_eq!(kept_at("2026-04-04T12:00:00Z").len(), 3);
    assert_eq!(kept_at("2026-05-01T12:00:00Z").len(), 1);
}

#[test]
fn a_policy_that_keeps_nothing_or_the_current_commit_alone_is_refused() {
    let mut refs = Refs { current: "main".to_owned(), ..Refs::default() };
    refs.branches.insert("main".to_owned(), id(30));
    let check_with = |rules: &str, refs: &Refs| {
        let policy = Policy { tags: vec!["v1".to_owned()], ..policy(rules) };
        check(&judge_month(&policy, &Pins::of(refs, None)), &policy, Some(id(30)))
    };
    for (rules, is_refused) in [
        ("last 0", true),
        ("last 1", true),
        ("within 1s", true),
        ("last 2", false),
        ("weekly 1, daily 2", false),
        ("last 99", false),
    ] {
        let result = check_with(rules, &refs);
        assert_eq!(result.as_ref().err().map(Error::kind), is_refused.then_some(ErrorKind::Refused), "{rules}");
    }
    // A commit that stays in any case does not make the policy valid.
    refs.tags.insert("other".to_owned(), id(7));
    assert!(check_with("last 0", &refs).is_err());
    assert!(check_with("last 1", &refs).is_ok());
    refs.tags.insert("v1".to_owned(), id(7));
    assert!(check_with("last 0", &refs).is_ok());
}

#[test]
fn nothing_to_judge_is_not_refused() {
    let policy = policy("last 0");
    let verdicts = judge(&[], &policy, &Pins::default(), time("2026-01-01T00:00:00Z"), &TimeZone::UTC);
    assert!(check(&verdicts, &policy, None).is_ok());
}
