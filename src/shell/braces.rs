//! Expands braces: `a{b,c}` is `ab` and `ac`, `{1..3}` is `1`, `2` and `3`.

use std::collections::BTreeMap;

use super::word::{Letter, Word, Words, quoted};

/// Maximum number of words that one word becomes. Braces that would make more are left as they are.
const MOST_WORDS: usize = 1000;

/// Maximum number of letters that are copied for one word, with one for each word that is made.
const MOST_LETTERS: usize = 1 << 20;

/// Nesting beyond which braces are left as they are.
const DEEPEST: usize = 20;

/// The words that unquoted braces make of a word.
pub(super) fn expand_braces(word: &Word) -> Words {
    let mut expansion = Expansion { letters: &word.letters, lists: lists(&word.letters), room: MOST_LETTERS };
    if expansion.lists.is_empty() {
        return vec![word.clone()];
    }
    let words = expansion.range(0, word.letters.len());
    words.into_iter().map(|letters| Word { letters, unknown_from: word.unknown_from }).collect()
}

/// The positions of the commas and of the closing brace of each list, by its opening brace.
fn lists(letters: &[Letter]) -> BTreeMap<usize, Vec<usize>> {
    let mut lists = BTreeMap::new();
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    for (at, letter) in letters.iter().enumerate().filter(|(_, letter)| !letter.is_quoted) {
        match (letter.byte, open.last_mut()) {
            (b'{', _) => open.push((at, Vec::new())),
            (b',', Some((_, ends))) => ends.push(at),
            (b'}', Some((_, ends))) => {
                ends.push(at);
                let (begin, ends) = open.pop().expect("a brace is open");
                let is_list = ends.len() > 1 || Sequence::parse(&letters[begin + 1..at]).is_some();
                if is_list && open.len() < DEEPEST {
                    lists.insert(begin, ends);
                }
            }
            _ => {}
        }
    }
    lists
}

struct Expansion<'w> {
    letters: &'w [Letter],
    lists: BTreeMap<usize, Vec<usize>>,
    /// Letters that may still be copied.
    room: usize,
}

impl Expansion<'_> {
    /// Whether this many letters may be copied.
    fn spend(&mut self, letters: usize) -> bool {
        let rest = self.room.checked_sub(letters);
        self.room = rest.unwrap_or(self.room);
        rest.is_some()
    }

    /// The words of a part of the word.
    fn range(&mut self, from: usize, to: usize) -> Vec<Vec<Letter>> {
        let mut words = vec![Vec::new()];
        let mut at = from;
        while at < to {
            let next = self.lists.range(at..to).next().map(|(&open, ends)| (open, ends.clone()));
            let plain = next.as_ref().map_or(to, |(open, _)| *open);
            words.iter_mut().for_each(|word| word.extend_from_slice(&self.letters[at..plain]));
            let Some((open, ends)) = next else { break };
            at = ends[ends.len() - 1] + 1;
            let choices = self.choices(open, &ends);
            let count = words.len() * choices.len();
            // With the letters that follow in this part.
            if count > 0 && count <= MOST_WORDS && self.spend(count * (1 + to - from)) {
                let all = words.iter().flat_map(|word| choices.iter().map(|choice| [&word[..], choice].concat()));
                words = all.collect();
            } else {
                words.iter_mut().for_each(|word| word.extend_from_slice(&self.letters[open..at]));
            }
        }
        words
    }

    /// What a list stands for. Empty if that is too much.
    fn choices(&mut self, open: usize, ends: &[usize]) -> Vec<Vec<Letter>> {
        if let [end] = ends {
            let sequence = Sequence::parse(&self.letters[open + 1..*end]);
            let sequence = sequence.filter(|sequence| sequence.count <= MOST_WORDS && self.spend(sequence.count));
            return sequence.map(|sequence| sequence.words().collect()).unwrap_or_default();
        }
        let begins = std::iter::once(open).chain(ends.iter().copied());
        begins.zip(ends).flat_map(|(begin, &end)| self.range(begin + 1, end)).collect()
    }
}

/// The numbers or letters of `1..3` or `a..e`, with an optional step: `1..9..2`.
struct Sequence {
    first: i64,
    step: i64,
    count: usize,
    is_number: bool,
    /// Length to which zeros are added.
    width: usize,
}

impl Sequence {
    fn parse(letters: &[Letter]) -> Option<Sequence> {
        const LONGEST: usize = 40;
        if letters.len() > LONGEST || letters.iter().any(|letter| letter.is_quoted) {
            return None;
        }
        let text = String::from_utf8(letters.iter().map(|letter| letter.byte).collect()).ok()?;
        let parts: Vec<&str> = text.split("..").collect();
        let (from, to, step) = match parts[..] {
            [from, to] => (from, to, 1),
            [from, to, step] => (from, to, step.parse::<i32>().ok()?),
            _ => return None,
        };
        let letter = |text: &str| text.parse::<char>().ok().filter(char::is_ascii_alphabetic).map(|one| one as i64);
        let numbers = from.parse::<i32>().ok().zip(to.parse::<i32>().ok());
        let numbers = numbers.map(|(first, last)| (i64::from(first), i64::from(last)));
        let (first, last) = numbers.or_else(|| letter(from).zip(letter(to)))?;
        let step = i64::from(step).abs().max(1) * if first <= last { 1 } else { -1 };
        let is_padded =
            |text: &str| text.trim_start_matches('-').len() > 1 && text.trim_start_matches('-').starts_with('0');
        let width = if is_padded(from) || is_padded(to) { from.len().max(to.len()) } else { 0 };
        let count = usize::try_from((last - first) / step + 1).ok()?;
        Some(Sequence { first, step, count, is_number: numbers.is_some(), width })
    }

    fn words(&self) -> impl Iterator<Item = Vec<Letter>> {
        let text = |value: i64| match self.is_number {
            true => format!("{value:0width$}", width = self.width),
            false => char::from(value as u8).to_string(),
        };
        let word = move |value| text(value).bytes().map(quoted).collect();
        (0..self.count).map(move |n| word(self.first + n as i64 * self.step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unquoted(text: &str) -> Word {
        let letters = text.bytes().map(|byte| Letter { byte, is_quoted: false }).collect();
        Word::known(letters)
    }

    #[test]
    fn braces_make_the_words_that_bash_makes() {
        for (word, expected) in [
            ("{a,b{c,d}}/x", "a/x bc/x bd/x"),
            ("{a,b}{c,d}", "ac ad bc bd"),
            ("{e}", "{e}"),
            ("{a{b,c}}", "{ab} {ac}"),
            ("{a,b{c,d}", "{a,bc {a,bd"),
            ("{a,}b}", "ab} b}"),
            ("o{t..t}her", "other"),
            ("f{1..3}", "f1 f2 f3"),
            ("{c..a}", "c b a"),
            ("{1..9..4}", "1 5 9"),
            ("{-1..1}", "-1 0 1"),
            ("{08..10}", "08 09 10"),
            ("{x,{1..2}}", "x 1 2"),
            ("{1..b}", "{1..b}"),
            ("{1..}", "{1..}"),
            ("{1..99999}", "{1..99999}"),
            ("a", "a"),
        ] {
            let words: Vec<_> = expand_braces(&unquoted(word)).iter().map(Word::text).collect();
            assert_eq!(String::from_utf8(words.join(&b' ')).unwrap(), expected, "{word}");
        }
        let word = Word::known(b"{a,b}".iter().copied().map(quoted).collect());
        assert_eq!(expand_braces(&word), [word]);
    }

    #[test]
    fn long_words_take_little_work() {
        for part in ["{", "{a,", "{1..900}", "{1..900},", "{a,b}", "}{,", "{{a,b},{c,d}}", "{1..2..3"] {
            for (before, after) in [("", ""), ("{", "}")] {
                let word = unquoted(&format!("{before}{}{after}", part.repeat(120_000 / part.len())));
                let mut expansion =
                    Expansion { letters: &word.letters, lists: lists(&word.letters), room: MOST_LETTERS };
                let words = expansion.range(0, word.letters.len());
                let made: usize = words.iter().map(Vec::len).sum();
                assert!(words.len() <= MOST_WORDS && made <= MOST_LETTERS + 2 * word.letters.len(), "{part}: {made}");
            }
        }
    }
}
