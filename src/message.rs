//! Text that mentions paths of the worktree. The paths stay separate from the words until the text is shown, because only the
//! front end knows the directory that they are relative to.

use std::borrow::Cow;
use std::fmt;
use std::ops::Add;

use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::shell_word;

/// Text that mentions paths. [`fmt::Display`] writes them from the root of the worktree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A path in a sentence.
    Path(RepoPathBuf),
    /// A path as an argument of a command.
    Argument(RepoPathBuf),
}

impl Message {
    /// A path in a sentence. Shown in backticks.
    pub fn path(path: &RepoPath) -> Message {
        Message(vec![Part::Path(path.to_owned())])
    }

    /// A path as an argument of a command. Shown as a word for the shell.
    pub fn argument(path: &RepoPath) -> Message {
        Message(vec![Part::Argument(path.to_owned())])
    }

    /// The text with paths relative to a directory. `escape` makes the bytes of a path in a sentence printable.
    pub fn relative_to(&self, directory: &RepoPath, escape: fn(&[u8]) -> String) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(words) => text += words,
                Part::Path(path) => text += &format!("`{}`", escape(&path.relative_to(directory))),
                Part::Argument(path) => text += &shell_word(&path.relative_to(directory)),
            }
        }
        text
    }

    /// Whether the message mentions the path.
    pub fn mentions(&self, path: &RepoPath) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Path(other) | Part::Argument(other) if **other == *path))
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.relative_to(RepoPath::root(), |bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Message {
        Message(vec![Part::Text(text.to_owned())])
    }
}

impl From<String> for Message {
    fn from(text: String) -> Message {
        Message(vec![Part::Text(text)])
    }
}

impl From<&String> for Message {
    fn from(text: &String) -> Message {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for Message {
    fn from(text: Cow<'_, str>) -> Message {
        text.into_owned().into()
    }
}

impl From<fmt::Arguments<'_>> for Message {
    fn from(text: fmt::Arguments<'_>) -> Message {
        text.to_string().into()
    }
}

impl From<&Message> for Message {
    fn from(message: &Message) -> Message {
        message.clone()
    }
}

impl<T: Into<Message>> Add<T> for Message {
    type Output = Message;

    fn add(mut self, after: T) -> Message {
        self.0.extend(after.into().0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_when_the_text_is_shown() {
        let path = |text: &str| RepoPathBuf::new(text.as_bytes().to_vec()).unwrap();
        let message = Message::path(&path("d/f x")) + " is new: undo restore " + Message::argument(&path("d/f x"));
        let shown =
            |directory: &str| message.relative_to(&path(directory), |bytes| format!("{}", bytes.escape_ascii()));
        assert_eq!(message.to_string(), "`d/f x` is new: undo restore 'd/f x'");
        assert_eq!(shown("d"), "`f x` is new: undo restore 'f x'");
        assert_eq!(shown("d/e/g"), "`../../f x` is new: undo restore '../../f x'");
        assert!(message.mentions(&path("d/f x")) && !message.mentions(&path("d")));
    }
}
