//! Tests of parsing, matching and looking up patterns, and of warnings.

use super::*;

fn path(text: &str) -> &RepoPath {
    RepoPath::new(text.as_bytes()).unwrap()
}

/// Parses rules; also returns why lines have no effect.
fn parse(content: &[u8]) -> (Rules, Vec<String>) {
    let mut reasons = Vec::new();
    let file = RulesFile::Content(content.to_vec());
    let rules = Rules::default().enter(RepoPath::root(), &file, &mut |warning| reasons.push(warning.reason));
    (rules, reasons)
}

fn rules(text: &str) -> Rules {
    parse(text.as_bytes()).0
}

/// Whether a line ignores a file at a path, given as bytes.
fn ignores(line: &[u8], path: &[u8]) -> bool {
    parse(line).0.ignores(RepoPath::new(path).unwrap(), false)
}

#[test]
fn later_lines_take_precedence() {
    let rules = rules("# a comment\n*.log\n!keep.log\n\n/top\nbuild/\n\\#odd\r\n");
    assert!(rules.ignores(path("a.log"), false) && rules.ignores(path("deep/a.log"), false));
    assert!(!rules.ignores(path("keep.log"), false) && !rules.ignores(path("a.txt"), false));
    assert!(rules.ignores(path("top"), false) && !rules.ignores(path("deep/top"), false));
    assert!(rules.ignores(path("build"), true) && !rules.ignores(path("build"), false));
    assert!(rules.ignores(path("#odd"), false));
}

#[test]
fn deeper_files_take_precedence() {
    let upper = rules("*.bin\nsub/*.txt\n");
    let deeper = upper.enter(path("sub"), &RulesFile::Content(b"!*.bin\n/x\n".to_vec()), &mut |_| {});
    assert!(!deeper.ignores(path("sub/a.bin"), false) && upper.ignores(path("sub/a.bin"), false));
    assert!(deeper.ignores(path("sub/x"), false) && !deeper.ignores(path("sub/y/x"), false));
    assert!(deeper.ignores(path("sub/a.txt"), false));
}

#[test]
fn the_deciding_rule_has_its_file_and_line() {
    let rules = rules("*.a\n\n!b.a\n");
    let rule = rules.deciding(path("b.a"), false).unwrap();
    assert_eq!(
        (rule.line, rule.ignores, &*rule.pattern, &*rule.file),
        (3, false, b"!b.a".as_slice(), path(".undoignore"))
    );
    assert_eq!(rules.deciding(path("b.a"), false).map(|rule| rule.line), Some(3));
    assert_eq!(rules.deciding(path("c"), false), None);
}

#[test]
fn rules_never_ignore_a_rules_file() {
    let rules = rules("*\n.undoignore\n");
    assert!(!rules.ignores(path(".undoignore"), false) && !rules.ignores(path("sub/.undoignore"), false));
    assert_eq!(rules.deciding(path(".undoignore"), false), None);
    assert!(rules.ignores(path(".undoignore"), true), "a directory of that name holds no rules");
}

#[test]
fn invalid_lines_are_reported_and_have_no_effect() {
    let (rules, reasons) = parse(b"*\n![a\n[[:what:]]\nx\\\n!\n# [\n\r\n  \n/\n{a,b\n*.c\n");
    assert!(rules.ignores(path("a"), false) && rules.ignores(path("x.c"), false));
    assert_eq!(
        reasons,
        [
            "line 2: `[` has no closing `]`; for a literal bracket write `\\[`",
            "line 3: unknown character class in `[[:…:]]`",
            "line 4: `\\` at the end escapes nothing; for a literal backslash write `\\\\`",
            "line 5: the line has no pattern",
            "line 9: the line has no pattern",
        ]
    );
    assert!(parse(b"[\n# only this\n").0.is_empty());
}

#[test]
fn unusable_files_are_reported() {
    let mut warnings = Vec::new();
    let file = RulesFile::Unusable("larger than 4 MiB".to_owned());
    let upper = rules("*.a\n");
    let rules = upper.enter(path("sub"), &file, &mut |warning| warnings.push(warning));
    assert!(rules.ignores(path("sub/x.a"), false), "the rules above stay in force");
    let expected =
        IgnoreWarning { file: path("sub/.undoignore").to_owned(), line: 0, reason: "larger than 4 MiB".to_owned() };
    assert_eq!(warnings, [expected]);
}

#[test]
fn patterns_are_bytes() {
    assert!(ignores(b"caf\xe9", b"caf\xe9") && !ignores(b"caf\xe9", b"caf\xc3\xa9"));
    assert!(ignores("??".as_bytes(), "é".as_bytes()) && !ignores(b"?", "é".as_bytes()));
    assert!(ignores(b"[\x80-\xff]", b"\xe9"));
    assert!(ignores(b"{a,b}", b"{a,b}") && !ignores(b"{a,b}", b"a"));
    assert!(ignores(b"a\0b", b"a"), "a NUL ends the pattern");
}

#[test]
fn only_trailing_spaces_and_one_cr_are_stripped() {
    assert!(ignores(b"Icon\r\r", b"Icon\r") && !ignores(b"Icon\r\r", b"Icon"));
    assert!(ignores(b"a  ", b"a") && ignores(b"a\t", b"a\t") && ignores("a\u{a0}".as_bytes(), "a\u{a0}".as_bytes()));
    assert!(ignores(b"a\\   ", b"a ") && ignores(b"a\\\\ ", b"a\\") && ignores(b"a \r", b"a"));
    assert!(ignores(b"\xef\xbb\xbfa", b"a") && ignores(b"x\n\xef\xbb\xbfa", b"\xef\xbb\xbfa"));
}

#[test]
fn only_double_star_matches_a_slash() {
    assert!(!ignores(b"data[^_]*", b"data/results.csv") && ignores(b"data[^_]*", b"data.csv"));
    assert!(!ignores(b"/a[!b]c", b"a/c") && !ignores(b"/a[+-9]c", b"a/c") && ignores(b"/a[+-9]c", b"a.c"));
    assert!(!ignores(b"/a*c", b"a/c") && !ignores(b"/a?c", b"a/c"));
    assert!(ignores(b"/a/**/c", b"a/c") && ignores(b"/a/**/c", b"a/x/y/c") && !ignores(b"/a/**/c", b"a/xc"));
    assert!(ignores(b"a/**", b"a/x/y") && !ignores(b"a/x**y", b"a/x/y") && ignores(b"**/a*b/*.c", b"x/y/a/ab/d.c"));
    assert!(ignores(b"/a**/b", b"ab") && ignores(b"/a**/b", b"a/x/b"), "git takes the bytes before `**` away first");
}

#[test]
fn brackets_match_as_in_git() {
    for (pattern, matched, other) in [
        ("[a\\]b]", "]", "\\"),
        ("[a-\\c]", "b", "\\"),
        ("a[\\]b]", "ab", "a\\"),
        ("[]-a]", "^", "-"),
        ("[a-]", "-", "b"),
        ("[!a]", "b", "a"),
        ("[[:digit:][:space:]]", " ", "a"),
        ("[[:a]", "[", "]"),
        ("[a-c-e]", "-", "d"),
        ("[c-a]", "[c-a]", "b"),
    ] {
        let is_matched = ignores(pattern.as_bytes(), matched.as_bytes());
        assert_eq!(is_matched, pattern != matched, "{pattern} {matched}");
        assert!(!ignores(pattern.as_bytes(), other.as_bytes()), "{pattern} {other}");
    }
    assert!(!ignores(b"[[:space:]]", b"\x0b"), "git's white space has no vertical tab");
}

#[test]
fn the_index_finds_every_pattern() {
    let names = ["a", "ab", "abc.d", "abcdefghij", "x.abcdefghij", "q/abcdefghij", "abcdefghij/q", "q/r/s"];
    let patterns = [
        "*",
        "?*",
        "*a",
        "*b",
        "*.d",
        "*cdefghij",
        "*bcdefghij",
        "a*",
        "abcdefgh*",
        "abcdefg?*",
        "a*j",
        "abcd*j",
        "/q/*",
        "q/**",
        "**/s",
        "q/*/s",
        "/abcdefghij/*",
        "/*/q",
        "**/abcdefghij",
        "ab",
        "q/r/s",
        "[aq]*",
    ];
    for pattern in patterns {
        let (alone, _) = parse(pattern.as_bytes());
        // In first and last position among patterns that match nothing.
        let among =
            rules(&format!("{pattern}\n{}", (0..500).map(|n| format!("*.{n}\nn{n}*\n/{n}\n")).collect::<String>()));
        for name in names {
            let parsed = Pattern::parse(pattern.as_bytes(), 1).unwrap().unwrap();
            let text = if parsed.is_anchored { path(name).as_bytes() } else { path(name).name().unwrap() };
            let expected = parsed.matches(text);
            assert_eq!(alone.ignores(path(name), false), expected, "{pattern} {name}");
            assert_eq!(among.ignores(path(name), false), expected, "{pattern} {name}");
        }
    }
}

#[test]
fn the_last_of_many_lines_wins() {
    let lines = "*\n!a*\n*b\n!ab\n/ab\n!/a[b]\na?\n!*b*\n";
    for count in 1..=8 {
        let (rules, _) = parse(lines.lines().take(count).collect::<Vec<_>>().join("\n").as_bytes());
        let rule = rules.deciding(path("ab"), false).unwrap();
        assert_eq!((rule.line, rule.ignores), (count as u64, count % 2 == 1));
    }
}

#[test]
fn matching_time_is_not_exponential() {
    let pattern = format!("/{}b", "**/*a*".repeat(200));
    assert!(!ignores(pattern.as_bytes(), "aa/".repeat(1_300).trim_end_matches('/').as_bytes()));
    assert!(!ignores(format!("{}b", "*a".repeat(2_000)).as_bytes(), "a".repeat(4_000).as_bytes()));
}
