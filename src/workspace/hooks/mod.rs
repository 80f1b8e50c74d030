//! The hooks in the settings of coding agents: installs and removes them, and finds out whether they run.

mod change;
mod status;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::coding_agent::CodingAgent;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::hook_settings::{HookSet, Uneditable};
use crate::metadata::Kind;

pub use crate::hook_settings::Trust;
pub use change::{HookChange, prepare_install, prepare_uninstall};
pub use status::{HookProgram, HookState, HookStatus, InstalledHooks, status};

/// Settings that have only the hooks, as JSON text, to be added by hand.
pub fn settings_to_add(agent: CodingAgent, environment: &Environment) -> Result<String> {
    hook_set(agent, environment).map(|set| set.to_json())
}

/// The hooks that run this program.
fn hook_set(agent: CodingAgent, environment: &Environment) -> Result<HookSet> {
    let called = environment.arguments().first().map_or("undo", String::as_str);
    HookSet::new(agent, &fs::program_path(OsStr::new(called))?)
}

/// The settings file of an agent that has its hooks.
struct SettingsFile {
    agent: CodingAgent,
    path: PathBuf,
    /// The file itself, if the path is a link.
    target: PathBuf,
    /// `None` if the file does not exist.
    text: Option<String>,
}

impl SettingsFile {
    fn open(agent: CodingAgent, environment: &Environment) -> Result<SettingsFile> {
        let path = settings_path(agent, environment)?;
        let is_link = fs::stat(&path)?.is_some_and(|stat| stat.kind == Kind::Symlink);
        match fs::target_kind(&path)? {
            Some(Kind::File) => {}
            Some(kind) => return Err(unusable(&path, &format!("it is not a regular file but a {}", kind.word()))),
            None if is_link => return Err(unusable(&path, "it is a link to a file that does not exist")),
            None => {}
        }
        let target = if is_link { fs::canonicalize(&path)? } else { path.clone() };
        let text = match read_text(&target)? {
            Some(Err(reason)) => return Err(unusable(&path, reason)),
            text => text.and_then(Result::ok),
        };
        Ok(SettingsFile { agent, path, target, text })
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    fn uneditable(&self, cause: Uneditable) -> Error {
        unusable(&self.path, &cause.to_string())
    }
}

fn unusable(path: &Path, reason: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("cannot use `{}`: {reason}", path.display()))
}

/// The settings file of an agent that has its hooks. It may not exist.
fn settings_path(agent: CodingAgent, environment: &Environment) -> Result<PathBuf> {
    let name = match agent {
        CodingAgent::Claude => "settings.json",
        CodingAgent::Codex => "hooks.json",
    };
    directory(agent, environment).map(|folder| folder.join(name))
}

/// The folder with the user's settings of an agent.
fn directory(agent: CodingAgent, environment: &Environment) -> Result<&Path> {
    environment.agent_directory(agent).ok_or_else(|| {
        let message = format!("cannot find the settings of {}: no home directory is known", agent.title());
        Error::new(ErrorKind::NotFound, message).hint("set HOME: export HOME=DIR")
    })
}

/// Reads a file that another program writes. `None` if there is none, and the reason if it is not text.
fn read_text(path: &Path) -> Result<Option<Result<String, &'static str>>> {
    Ok(fs::read(path)?.map(|bytes| String::from_utf8(bytes).map_err(|_| "it is not UTF-8")))
}
