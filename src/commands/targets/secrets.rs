//! Passwords of targets: from a file, the environment, a command of the user's settings, or a question on the terminal.

use std::path::{Path, PathBuf};

use bip39::Mnemonic;

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::repo::config;
use crate::target::Secret;
use crate::terminal::password;
use crate::workspace::Workspace;
use crate::workspace::targets::{AskSecret, KeyKind, OpenTarget};

/// Where the password of a target comes from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PasswordArgs {
    /// Read the password of the target from the first line of FILE
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    password_file: Option<PathBuf>,
}

/// Where a new password of a target comes from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NewPasswordArgs {
    /// Read the new password from the first line of FILE [default: UNDO_NEW_PASSWORD, or a prompt]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    new_password_file: Option<PathBuf>,
}

/// Number of random bytes in recovery words: 12 words.
const RECOVERY: usize = 16;

/// The secret that a person gave: recovery words, or else a password.
fn secret(text: &str) -> Secret {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    match Mnemonic::parse_normalized(&words) {
        Ok(words) => {
            let (entropy, length) = words.to_entropy_array();
            Secret { kind: KeyKind::Recovery, bytes: entropy[..length].to_vec() }
        }
        Err(_) => Secret { kind: KeyKind::Password, bytes: text.as_bytes().to_vec() },
    }
}

/// New recovery words, and the secret that they stand for.
pub fn new_recovery_words() -> Result<(String, Secret)> {
    let entropy: [u8; RECOVERY] = fs::random()?;
    let words = Mnemonic::from_entropy(&entropy)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("cannot make recovery words: {error}")))?;
    let text = words.words().collect::<Vec<_>>().join(" ");
    Ok((text, Secret { kind: KeyKind::Recovery, bytes: entropy.to_vec() }))
}

impl PasswordArgs {
    /// Returns the password or the recovery words of a target.
    pub fn ask(&self, context: &Context<'_>, name: &str) -> Result<Secret> {
        if let Some(text) = self.given(context, name)? {
            return Ok(secret(&text));
        }
        let answer = context.ui.ask_password(&format!("Password or recovery words of target {name}"));
        answer.map(|text| secret(&text)).ok_or_else(no_password)
    }

    /// Opens the target of this name; without a name, the only one.
    pub fn open(&self, context: &Context<'_>, workspace: &Workspace, name: Option<&str>) -> Result<OpenTarget> {
        let name = workspace.target_settings(name)?.name.clone();
        self.open_with(context, &name, &mut |ask| workspace.open_target(Some(&name), ask))
    }

    /// Opens a target with `open`. A password from a file that the command names must open it, even if this machine has its keys.
    pub fn open_with(
        &self,
        context: &Context<'_>,
        name: &str,
        open: &mut dyn FnMut(&mut AskSecret<'_>) -> Result<OpenTarget>,
    ) -> Result<OpenTarget> {
        let mut is_asked = false;
        let target = open(&mut || {
            is_asked = true;
            self.ask(context, name)
        })?;
        if let Some(path) = self.password_file.as_ref().filter(|_| !is_asked) {
            target.check_secret(&secret(&first_line_of(context, path)?))?;
        }
        Ok(target)
    }

    /// The password that the user has entered for this command: in a file that it names, or in the environment.
    pub fn entered(&self, context: &Context<'_>) -> Result<Option<Secret>> {
        Ok(self.text(context)?.map(|text| secret(&text)))
    }

    /// Returns a new password, which a person must enter twice.
    pub fn ask_new(&self, context: &Context<'_>, name: &str) -> Result<Secret> {
        let text = match self.given(context, name)? {
            Some(text) => text,
            None => ask_twice(context, name, no_password)?,
        };
        new_password(&text)
    }

    /// The password in the file that the command names, or in the environment.
    fn text(&self, context: &Context<'_>) -> Result<Option<String>> {
        if let Some(path) = &self.password_file {
            return first_line_of(context, path).map(Some);
        }
        let text = std::env::var_os("UNDO_PASSWORD").filter(|text| !text.is_empty());
        text.map(|text| first_line(text.into_encoded_bytes())).transpose()
    }

    /// The password that was given without a question.
    fn given(&self, context: &Context<'_>, name: &str) -> Result<Option<String>> {
        if let Some(text) = self.text(context)? {
            return Ok(Some(text));
        }
        match config::password_command(context.environment.user_settings()) {
            Some(command) => first_line(password::output_of(&command, &[("UNDO_TARGET", name)])?).map(Some),
            None => Ok(None),
        }
    }
}

impl NewPasswordArgs {
    /// Returns the new password, which a person must enter twice.
    pub fn ask(&self, context: &Context<'_>, name: &str) -> Result<Secret> {
        let text = match (&self.new_password_file, std::env::var_os("UNDO_NEW_PASSWORD")) {
            (Some(path), _) => first_line_of(context, path)?,
            (None, Some(text)) if !text.is_empty() => first_line(text.into_encoded_bytes())?,
            _ => ask_twice(context, name, || {
                Error::new(ErrorKind::WrongKey, "no new password was given")
                    .hint("set UNDO_NEW_PASSWORD, or name a file: --new-password-file FILE")
            })?,
        };
        new_password(&text)
    }
}

fn ask_twice(context: &Context<'_>, name: &str, unanswered: impl Fn() -> Error) -> Result<String> {
    let first = context.ui.ask_password(&format!("New password of target {name}")).ok_or_else(&unanswered)?;
    let second = context.ui.ask_password("The same password again").ok_or_else(&unanswered)?;
    if first == second {
        return Ok(first);
    }
    Err(Error::new(ErrorKind::Usage, "the two passwords differ").hint("run the command again"))
}

fn new_password(text: &str) -> Result<Secret> {
    let secret = secret(text);
    if secret.kind == KeyKind::Password {
        return Ok(secret);
    }
    Err(Error::new(ErrorKind::Usage, "recovery words cannot be a password").hint("choose another password"))
}

fn first_line_of(context: &Context<'_>, path: &Path) -> Result<String> {
    let bytes = fs::read_any(&context.place(path)?)?;
    first_line(bytes.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no file `{}`", path.display())))?)
}

fn first_line(bytes: Vec<u8>) -> Result<String> {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    match String::from_utf8(line) {
        Ok(line) if !line.is_empty() => Ok(line),
        _ => Err(Error::new(ErrorKind::Usage, "the password is empty or not UTF-8")),
    }
}

fn no_password() -> Error {
    Error::new(ErrorKind::WrongKey, "no password was given")
        .hint("set UNDO_PASSWORD, or name a file: --password-file FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_words_are_told_from_passwords() {
        let (words, made) = new_recovery_words().unwrap();
        assert_eq!(words.split(' ').count(), 12);
        let read = secret(&format!("  {}\t", words.to_uppercase()));
        assert_eq!((read.kind, read.bytes), (KeyKind::Recovery, made.bytes));
        for password in ["correct horse battery staple", words.split_once(' ').unwrap().1] {
            assert_eq!(secret(password).kind, KeyKind::Password);
        }
    }
}
