//! Gives the tests and benchmarks of this project access to modules that are not part of the API.

macro_rules! expose {
    ($($module:ident),+ $(,)?) => {
        $(pub mod $module {
            pub use crate::$module::*;
        })+
    };
}

expose! {
    agent, alarm, checkout, chunk, compare, diff, export, fs,
    history, maintain, metadata, object, quote, repo, snapshot, store, worktree,
}

#[cfg(feature = "targets")]
expose! {
    remote,
}

pub mod commands {
    pub use crate::commands::help;
}
