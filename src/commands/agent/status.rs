//! `undo agent status`: shows whether the hooks are installed and run, and the last event of each agent.

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::error::{ErrorKind, Result};
use crate::report::End;
use crate::report::hooks::AgentRecord;
use crate::workspace::hooks::{self, HookState, HookStatus};

/// Show whether the hooks are installed and trusted, and the last event of each agent
///
/// Agents run hooks only if you trust them: Claude Code in directories that you have accepted, Codex after you have reviewed the hooks.
/// `undo` reads this from the agents' files. The last event is the last one in the current directory.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    let workspace = match context.workspace() {
        Err(error) if error.kind() == ErrorKind::NoRepository => None,
        workspace => Some(workspace?),
    };
    for agent in CodingAgent::ALL {
        let status = hooks::status(agent, &context.cwd, &context.environment)?;
        let last = workspace.as_ref().map(|workspace| workspace.last_event(agent)).transpose()?.flatten();
        context.ui.show(&AgentRecord::new(&status, last))?;
        warn(context, &status);
    }
    workspace.as_ref().map_or(Ok(()), |workspace| context.warn_if_automatic_waits(workspace))?;
    context.ui.show(&End { count: CodingAgent::ALL.len() as u64 })
}

/// Warns about what keeps the hooks from running.
fn warn(context: &Context<'_>, status: &HookStatus) {
    let (title, install) = (status.agent.title(), format!("undo agent install {}", status.agent.word()));
    let installed = match &status.state {
        HookState::Unreadable(error) => return context.ui.warning(error),
        HookState::NotInstalled => return,
        HookState::Installed(installed) => installed,
    };
    let missing: Vec<_> = installed.programs.iter().filter(|program| !program.exists).collect();
    let lost =
        if missing.len() == installed.programs.len() { "no step is recorded" } else { "their events are not recorded" };
    for program in &missing {
        let path = program.path.display();
        context.ui.warning(format!("hooks of {title} run `{path}`, which does not exist: {lost}"));
    }
    match installed.is_complete {
        false => context.ui.hint(format!("to repair the hooks: {install}")),
        true if !missing.is_empty() => context.ui.hint(format!("to make the hooks run this program: {install}")),
        true => {}
    }
    warn_if_disabled(context, status);
}

/// Warns about settings that turn off the hooks.
pub fn warn_if_disabled(context: &Context<'_>, status: &HookStatus) {
    let title = status.agent.title();
    for file in &status.disabled_by {
        context.ui.warning(format!("`{}` turns off the hooks of {title}: no step is recorded", file.display()));
    }
}
