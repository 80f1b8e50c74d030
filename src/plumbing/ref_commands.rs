//! Parses the input of `update-ref --stdin`: one instruction per line, or with `-z` one field per record (`docs/plumbing.md`).

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::object::operation::RefName;
use crate::plumbing::records::Place;
use crate::quote::{shell_word, unquote};
use crate::repo::refname;

/// The current or the new value of a ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The ref does not exist.
    Nothing,
    /// A revision.
    Revision(String),
}

/// The ref that an instruction is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The current branch, `@`.
    Current,
    /// A branch or a tag.
    Ref(RefName),
}

/// An instruction of `update-ref`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Sets a ref to `new` if it is at `old`; `None` sets it in any case.
    Set {
        /// The ref.
        target: Target,
        /// New value.
        new: Value,
        /// Expected value.
        old: Option<Value>,
    },
    /// Fails unless a ref is at `old`.
    Verify {
        /// The ref.
        target: Target,
        /// Expected value.
        old: Value,
    },
    /// Makes a branch the current one.
    Switch {
        /// Name of the branch.
        branch: String,
    },
}

/// Lengths of the all-zero ids that mean "no value": that of an id, and that of an id in git.
const ZEROS: [usize; 2] = [64, 40];

impl Value {
    /// Parses a value; zeros and the empty text mean that the ref does not exist.
    pub fn new(text: &str) -> Value {
        let is_zero = ZEROS.contains(&text.len()) && text.bytes().all(|digit| digit == b'0');
        if text.is_empty() || is_zero { Value::Nothing } else { Value::Revision(text.to_owned()) }
    }
}

impl Target {
    /// Parses `@` or a full ref name.
    pub fn parse(text: &str) -> Result<Target> {
        if text == "@" { Ok(Target::Current) } else { refname::parse(text).map(Target::Ref) }
    }
}

/// Fails unless the text is `@`.
pub fn check_symbolic(text: &str) -> Result<()> {
    if text == "@" {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("`{}` is not a symbolic ref", text.escape_debug()))
        .hint("the only one is `@`, the current branch"))
}

impl Instruction {
    /// `symref-update @ refs/heads/NAME`.
    pub fn switch(symbolic: &str, target: &str) -> Result<Instruction> {
        check_symbolic(symbolic)?;
        match refname::parse(target)? {
            RefName::Branch(branch) => Ok(Instruction::Switch { branch }),
            RefName::Tag(tag) => {
                Err(Error::new(ErrorKind::Usage, format!("`{tag}` is a tag, but `@` must be a branch")).hint(format!(
                    "create a branch there first: undo update-ref refs/heads/NAME {}",
                    shell_word(tag.as_bytes())
                )))
            }
        }
    }
}

/// Instructions, and their places if they come from stdin.
pub type Instructions = Vec<(Option<Place>, Instruction)>;

/// Parses all instructions; fails with the place of the first malformed one. The records have no terminators; with `nul`,
/// each field of an instruction is a record, and an empty value counts as missing.
pub fn read(records: &mut dyn Iterator<Item = Result<Vec<u8>>>, nul: bool) -> Result<Instructions> {
    let mut instructions = Instructions::new();
    while let Some(record) = records.next() {
        let place = Place { word: if nul { "instruction" } else { "line" }, number: instructions.len() as u64 + 1 };
        let record = record?;
        let fields = if nul { spread(&record, records) } else { words(&record) };
        let instruction = fields.and_then(build).map_err(|error| error.context(place))?;
        instructions.push((Some(place), instruction));
    }
    Ok(instructions)
}

/// Splits a line into fields separated by one space; a field with spaces is quoted.
fn words(line: &[u8]) -> Result<Vec<Option<String>>> {
    let (mut words, mut rest) = (Vec::new(), Some(line));
    while let Some(text) = rest {
        let end = if text.starts_with(b"\"") { quoted_end(text)? } else { text.iter().position(|&byte| byte == b' ') };
        let (word, after) = text.split_at(end.unwrap_or(text.len()));
        let word = unquote(word).ok_or_else(|| malformed("a quoted field is malformed"))?;
        words.push(Some(utf8(word)?));
        rest = match after {
            [] => None,
            [b' ', after @ ..] => Some(after),
            _ => return Err(malformed("there is no space after a quoted field")),
        };
    }
    Ok(words)
}

/// The end of the quoted field at the start of a text.
fn quoted_end(text: &[u8]) -> Result<Option<usize>> {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return Ok(Some(at + 1)),
            _ => at += 1,
        }
    }
    Err(malformed("a quoted field is unterminated"))
}

/// Reads the records of the values of an instruction, and returns all its fields.
fn spread(first: &[u8], records: &mut dyn Iterator<Item = Result<Vec<u8>>>) -> Result<Vec<Option<String>>> {
    let (verb, target) = match first.iter().position(|&byte| byte == b' ') {
        Some(space) => (&first[..space], Some(first[space + 1..].to_vec())),
        None => (first, None),
    };
    let values = match verb {
        b"update" => 2,
        b"create" | b"delete" | b"verify" | b"symref-update" => 1,
        _ => 0,
    };
    let mut fields = vec![Some(utf8(verb.into())?)];
    fields.extend(target.map(|target| utf8(target.into())).transpose()?.map(Some));
    for _ in 0..values {
        let value = records.next().ok_or_else(|| malformed("the value and its NUL are missing"))??;
        fields.push(Some(utf8(value.into())?).filter(|value| !value.is_empty()));
    }
    Ok(fields)
}

/// Builds an instruction from its fields; `None` is a missing value.
fn build(fields: Vec<Option<String>>) -> Result<Instruction> {
    let mut fields = fields.into_iter();
    let verb = fields.next().flatten().unwrap_or_default();
    if !["update", "create", "delete", "verify", "symref-update"].contains(&verb.as_str()) {
        return Err(malformed(&format!("`{}` is not a valid instruction", verb.escape_debug())));
    }
    let mut take = |what: &str| {
        let field = fields.next().flatten();
        field.ok_or_else(|| malformed(&format!("`{verb}` requires {what}")))
    };
    let target = take("a ref")?;
    let instruction = if verb == "symref-update" {
        Instruction::switch(&target, &take("the full name of a branch")?)?
    } else {
        let target = Target::parse(&target)?;
        let new = if matches!(verb.as_str(), "update" | "create") { Some(take("a commit")?) } else { None };
        let old = if verb == "create" { None } else { fields.next().flatten() };
        let (new, old) = (new.map(|new| Value::new(&new)), old.map(|old| Value::new(&old)));
        match (verb.as_str(), new, old) {
            ("create", Some(Value::Nothing), _) => return Err(malformed("`create` requires a commit, not zeros")),
            ("delete", _, Some(Value::Nothing)) => return Err(malformed("`delete` requires a commit, not zeros")),
            ("create", Some(new), _) => Instruction::Set { target, new, old: Some(Value::Nothing) },
            ("verify", _, old) => Instruction::Verify { target, old: old.unwrap_or(Value::Nothing) },
            (_, new, old) => Instruction::Set { target, new: new.unwrap_or(Value::Nothing), old },
        }
    };
    match fields.next() {
        None => Ok(instruction),
        Some(_) => Err(malformed("there are too many fields")),
    }
}

fn utf8(bytes: Cow<'_, [u8]>) -> Result<String> {
    String::from_utf8(bytes.into_owned()).map_err(|_| malformed("it is not UTF-8"))
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("malformed instruction: {why}"))
        .hint("docs/plumbing.md has the grammar of `undo update-ref --stdin`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, end: char) -> Result<Vec<Instruction>> {
        let mut records = text.split_terminator(end).map(|record| Ok(record.as_bytes().to_vec()));
        let instructions = read(&mut records, end == '\0')?;
        Ok(instructions.into_iter().map(|(_, instruction)| instruction).collect())
    }

    fn branch(name: &str) -> Target {
        Target::Ref(RefName::Branch(name.into()))
    }

    fn revision(text: &str) -> Value {
        Value::Revision(text.into())
    }

    #[test]
    fn read_parses_lines_and_records() {
        let zeros = "0".repeat(64);
        let lines = format!(
            "update refs/heads/a @~1\nupdate @ \"@{{1 day ago}}\" {zeros}\ncreate refs/heads/b v1\n\
             delete refs/heads/c\ndelete refs/heads/d v1\nverify refs/heads/e\nverify refs/heads/f \"\"\n\
             update \"refs/heads/g\" {zeros} v1\nsymref-update @ refs/heads/h\n"
        );
        let records = format!(
            "update refs/heads/a\0@~1\0\0update @\0@{{1 day ago}}\0{zeros}\0create refs/heads/b\0v1\0\
             delete refs/heads/c\0\0delete refs/heads/d\0v1\0verify refs/heads/e\0\0verify refs/heads/f\0{zeros}\0\
             update refs/heads/g\0{zeros}\0v1\0symref-update @\0refs/heads/h\0"
        );
        let set = |target, new, old| Instruction::Set { target, new, old };
        let expected = [
            set(branch("a"), revision("@~1"), None),
            set(Target::Current, revision("@{1 day ago}"), Some(Value::Nothing)),
            set(branch("b"), revision("v1"), Some(Value::Nothing)),
            set(branch("c"), Value::Nothing, None),
            set(branch("d"), Value::Nothing, Some(revision("v1"))),
            Instruction::Verify { target: branch("e"), old: Value::Nothing },
            Instruction::Verify { target: branch("f"), old: Value::Nothing },
            set(branch("g"), Value::Nothing, Some(revision("v1"))),
            Instruction::Switch { branch: "h".into() },
        ];
        assert_eq!(parsed(&lines, '\n').unwrap(), expected);
        assert_eq!(parsed(&records, '\0').unwrap(), expected);
    }

    #[test]
    fn read_reports_the_place_of_malformed_instructions() {
        let zeros = "0".repeat(64);
        for (line, what) in [
            ("".to_owned(), "`` is not a valid instruction"),
            ("upd\u{1}ate refs/heads/a v1".to_owned(), "`upd\\u{1}ate` is not a valid instruction"),
            ("update".to_owned(), "`update` requires a ref"),
            ("update refs/heads/a".to_owned(), "`update` requires a commit"),
            ("update  refs/heads/a v1".to_owned(), "`` is not a full ref name"),
            ("update main v1".to_owned(), "`main` is not a full ref name"),
            ("update refs/heads/a v1 v2 v3".to_owned(), "too many fields"),
            (format!("create refs/heads/a {zeros}"), "`create` requires a commit, not zeros"),
            ("create refs/heads/a v1 v2".to_owned(), "too many fields"),
            (format!("delete refs/heads/a {zeros}"), "`delete` requires a commit, not zeros"),
            ("update \"refs/heads/a v1".to_owned(), "a quoted field is unterminated"),
            ("update \"refs/heads/a\\x\" v1".to_owned(), "a quoted field is malformed"),
            ("update \"refs/heads/a\"v1".to_owned(), "there is no space after a quoted field"),
            ("update \"refs/heads/\\377\" v1".to_owned(), "it is not UTF-8"),
            ("symref-update refs/heads/a refs/heads/b".to_owned(), "`refs/heads/a` is not a symbolic ref"),
            ("symref-update @ refs/tags/v1".to_owned(), "`v1` is a tag"),
        ] {
            let message = parsed(&format!("verify refs/heads/x\n{line}\n"), '\n').unwrap_err().to_string();
            assert!(message.starts_with("line 2: ") && message.contains(what), "{message}: {what}");
        }
        for (records, what) in [
            ("update refs/heads/a\0v1\0", "instruction 1: malformed instruction: the value and its NUL are missing"),
            ("update refs/heads/a\0\0\0", "instruction 1: malformed instruction: `update` requires a commit"),
            ("delete refs/heads/a\0\0x\0", "instruction 2: malformed instruction: `x` is not a valid instruction"),
        ] {
            assert_eq!(parsed(records, '\0').unwrap_err().to_string(), what);
        }
    }
}
