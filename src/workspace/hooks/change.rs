//! Plans a change of an agent's settings, shows it, and makes it. A copy of the previous settings is kept beside them.

use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::{SettingsFile, hook_set, read_text};
use crate::coding_agent::CodingAgent;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::hook_settings::{FoundHook, HookSet, add, find, remove};

/// A planned change of an agent's settings. A dry run ends here.
pub struct HookChange {
    file: SettingsFile,
    /// `None` removes the file.
    after: Option<String>,
    copy: Copy,
    /// Number of hooks that are added or removed.
    pub hooks: usize,
}

/// What happens to the copy of the previous settings.
#[derive(PartialEq, Eq)]
enum Copy {
    /// Written, with the settings before this change.
    Write,
    /// Kept: it already has the settings without hooks.
    Keep,
    /// Removed: it equals the settings after this change.
    Remove,
}

/// Plans to add the hooks that run this program. [`ErrorKind::Refused`] if the settings have comments or are not valid JSON.
pub fn prepare_install(agent: CodingAgent, environment: &Environment) -> Result<HookChange> {
    let file = SettingsFile::open(agent, environment)?;
    let set = hook_set(agent, environment)?;
    let after = add(file.text(), &set).map_err(|cause| file.uneditable(cause))?;
    let before = found(&file, file.text())?;
    let changed = found(&file, &after)?.iter().filter(|hook| !before.iter().any(|old| old.is_equal(hook))).count();
    let copy = match &file.text {
        None => Copy::Keep,
        Some(_) if original(&file, &before)?.is_some() => Copy::Keep,
        Some(_) => Copy::Write,
    };
    Ok(HookChange { file, after: Some(after), copy, hooks: changed })
}

/// Plans to remove the hooks. If nothing else has changed since they were added, the settings become what they were before, byte
/// for byte.
pub fn prepare_uninstall(agent: CodingAgent, environment: &Environment) -> Result<HookChange> {
    let file = SettingsFile::open(agent, environment)?;
    let hooks = found(&file, file.text())?;
    let (after, copy) = match original(&file, &hooks)? {
        _ if hooks.is_empty() => (file.text.clone(), Copy::Keep),
        Some(original) => (original, Copy::Remove),
        None => (Some(remove(file.text(), agent).map_err(|cause| file.uneditable(cause))?), Copy::Write),
    };
    Ok(HookChange { after, copy, hooks: hooks.len(), file })
}

fn found(file: &SettingsFile, text: &str) -> Result<Vec<FoundHook>> {
    find(text, file.agent).map_err(|cause| file.uneditable(cause))
}

/// The settings before these hooks were added, if nothing else has changed since: `None` inside if there was no file.
fn original(file: &SettingsFile, hooks: &[FoundHook]) -> Result<Option<Option<String>>> {
    let Some(set) = hooks.first().and_then(|hook| HookSet::new(file.agent, &hook.program).ok()) else {
        return Ok(None);
    };
    let copy = match read_text(&copy_of(&file.path))? {
        Some(Ok(copy)) => Some(copy),
        Some(Err(_)) => return Ok(None),
        None => None,
    };
    let text = copy.as_deref().unwrap_or_default();
    // A copy that was made when hooks were repaired has hooks itself.
    let is_original = find(text, file.agent).is_ok_and(|hooks| hooks.is_empty())
        && add(text, &set).is_ok_and(|text| text == file.text());
    Ok(is_original.then_some(copy))
}

/// Path of the backup of the settings.
fn copy_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".undo");
    PathBuf::from(name)
}

impl HookChange {
    /// The agent.
    pub fn agent(&self) -> CodingAgent {
        self.file.agent
    }

    /// The settings file.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The copy of the previous settings that this change writes, if it writes one.
    pub fn copy(&self) -> Option<PathBuf> {
        (self.copy == Copy::Write).then(|| copy_of(&self.file.path))
    }

    /// Whether anything changes.
    pub fn is_change(&self) -> bool {
        self.after != self.file.text
    }

    /// The change as a unified diff; empty if nothing changes.
    pub fn diff(&self) -> String {
        let shown = self.file.path.display().to_string();
        let name = |text: &Option<String>| if text.is_some() { shown.clone() } else { "/dev/null".to_owned() };
        let after = self.after.as_deref().unwrap_or_default();
        TextDiff::from_lines(self.file.text(), after)
            .unified_diff()
            .header(&name(&self.file.text), &name(&self.after))
            .to_string()
    }

    /// Writes the copy, then the settings. A link stays a link, and the file keeps its mode and owner.
    pub fn apply(&self) -> Result<()> {
        let SettingsFile { path, target, text, .. } = &self.file;
        if !self.is_change() {
            return Ok(());
        }
        let copy = copy_of(path);
        if let (Copy::Write, Some(text)) = (&self.copy, text) {
            fs::write_like(&copy, text.as_bytes(), target)?;
        }
        if read_text(target)?.and_then(Result::ok) != *text {
            let message = format!("another program changed `{}` at the same time", path.display());
            return Err(Error::new(ErrorKind::Refused, message).hint("run the command again"));
        }
        match &self.after {
            Some(after) => {
                fs::create_dir_all(target.parent().unwrap_or(target))?;
                fs::write_like(target, after.as_bytes(), target)?;
            }
            None => fs::remove_file(target)?,
        }
        if self.copy == Copy::Remove { fs::remove_file(&copy) } else { Ok(()) }
    }
}
