//! Tests of the splitting of lines.

use super::*;

fn shown(line: &str) -> Vec<String> {
    shown_in(Shell::Bash, line)
}

fn shown_in(shell: Shell, line: &str) -> Vec<String> {
    let variables = |name: &str| (name == "HOME").then(|| b"/home/ann".to_vec());
    let word = |word: &Word| match word.is_unknown() {
        true => "?".to_owned(),
        false => format!("[{}]", String::from_utf8_lossy(&word.text())),
    };
    commands(line.as_bytes(), shell, &variables).iter().map(|words| words.iter().map(word).collect()).collect()
}

#[test]
fn words_lose_their_quotes() {
    for (line, expected) in [
        ("rm -r a", "[rm][-r][a]"),
        (r#"rm 'a b' "c d" e\ f"#, "[rm][a b][c d][e f]"),
        (r#"\rm "a\"b\x" '' x"y"'z'"#, r#"[rm][a"b\x][][xyz]"#),
        (r"rm $'a\nb\'c'", "[rm][a\nb'c]"),
        ("rm $HOME/x \"${HOME}/y\" '$HOME'", "[rm][/home/ann/x][/home/ann/y][$HOME]"),
        ("rm $OTHER ${HOME:-x} $? `ls", "[ls]|[rm]????"),
        ("rm a # rm b", "[rm][a]"),
        ("rm a#b", "[rm][a#b]"),
        ("cost $ 5$", "[cost][$][5$]"),
        ("rm \\\n a", "[rm][a]"),
        ("rm \"a", "[rm][a]"),
        ("rm a\\", "[rm][a]"),
    ] {
        assert_eq!(shown(line).join("|"), expected, "{line}");
    }
}

#[test]
fn commands_are_separated() {
    for (line, expected) in [
        ("a; b & c && d || e | f |& g", "[a]|[b]|[c]|[d]|[e]|[f]|[g]"),
        ("a\nb", "[a]|[b]"),
        ("(cd x && rm y); z", "[cd][x]|[rm][y]|[z]"),
        ("a $(b c) d", "[b][c]|[a]?[d]"),
        ("a \"$(b \"c\")\" d", "[b][c]|[a]?[d]"),
        ("a (b) c", "[b]|[a]?[c]"),
        ("a `b c` d", "[b][c]|[a]?[d]"),
        ("diff <(a) >(b)", "[a]|[b]|[diff]??"),
        ("f() { rm x; }", "[{][rm][x]|[}]"),
        ("case x in a) rm b;; esac", "[case][x][in][a]|[rm][b]|[esac]"),
        ("case $HOME in (a) rm b;; (c) rm d;; esac", "[case][/home/ann][in]|[a]|[rm][b]|[c]|[rm][d]|[esac]"),
        ("for f (a b) rm x", "[for][f]|[a][b]|[rm][x]"),
        ("for ((i = 1; i < 9; i++)) do rm x; done", "[for]|[do][rm][x]|[done]"),
        ("if (a) rm x", "[if]|[a]|[rm][x]"),
        (")", ""),
    ] {
        assert_eq!(shown(line).join("|"), expected, "{line}");
    }
}

#[test]
fn arithmetic_has_no_redirections() {
    for (line, expected) in [
        ("n=$((1 << 4))\nrm x", "?|[rm][x]"),
        ("n=$[1 << 4]\nrm x", "?|[rm][x]"),
        ("((1 << 4)) && rm x\nrm y", "[rm][x]|[rm][y]"),
        ("((n = $(a) << (1 + 4)))\nrm x", "[a]|[rm][x]"),
        ("echo \"$(( `a` << 4 ))\" b\nrm x", "[a]|[echo]?[b]|[rm][x]"),
        // Two subshells.
        ("((a; b) && rm x)", "[a]|[b]|[rm][x]"),
        ("echo $((a; b) && rm x)", "[a]|[b]|[rm][x]|[echo]?"),
        // No document, since it does not end.
        ("let n=1<<4\nrm x", "[let][n=1]|[rm][x]"),
        ("((1 << 4", "[1]"),
    ] {
        assert_eq!(shown(line).join("|"), expected, "{line}");
    }
}

#[test]
fn fish_escapes_quotes_in_quotes() {
    for (line, expected) in [
        (r"echo 'it\'s'; rm x", "[echo][it's]|[rm][x]"),
        (r"rm 'a\\' 'b\c'", r"[rm][a\][b\c]"),
        ("echo a`b; rm x", "[echo][a`b]|[rm][x]"),
        ("echo ((a))", "[a]|[echo]?"),
        ("a <<b\nc", "[a]|[c]"),
    ] {
        assert_eq!(shown_in(Shell::Fish, line).join("|"), expected, "{line}");
    }
    assert_eq!(shown(r"echo 'it\'s; rm x'").join("|"), r"[echo][it\s]|[rm][x]");
}

#[test]
fn redirections_and_documents_are_left_out() {
    for (line, expected) in [
        ("a >b 2>&1 <c d", "[a][d]"),
        ("a &>b c >>d 3<>e f", "[a][c][f]"),
        ("a 2 >b", "[a][2]"),
        ("a <<'END' b\nrm x\nEND\nc", "[a][b]|[c]"),
        ("a <<-END\nrm x\n\tEND\nc", "[a]|[c]"),
        ("a <<<text b", "[a][b]"),
        ("a >", "[a]"),
        ("a > ; b", "[a]|[b]"),
        ("a 2>&- b", "[a][b]"),
        ("a 2>&-|b", "[a]|[b]"),
        ("a <&-;b", "[a]|[b]"),
        ("a >-b c", "[a][c]"),
        ("a >|b &>>c >>|d e", "[a][e]"),
        ("a >&2|b", "[a]|[b]"),
        ("a 2> >(b) c", "[b]|[a][c]"),
    ] {
        assert_eq!(shown(line).join("|"), expected, "{line}");
    }
}

#[test]
fn every_text_is_split() {
    let letters = b"a [] '\"\\$`(){}<>&|;#\n-*";
    let mut state = 1_u64;
    for _ in 0..20_000 {
        let line: Vec<u8> = (0..state % 12)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                letters[(state >> 33) as usize % letters.len()]
            })
            .collect();
        state = state.wrapping_add(0x9e37_79b9);
        split(&line, Shell::Bash, &|_| None);
    }
    split("$(".repeat(100_000).as_bytes(), Shell::Bash, &|_| None);
    split("(".repeat(100_000).as_bytes(), Shell::Bash, &|_| None);
}
