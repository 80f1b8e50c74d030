//! Gives the tests and benchmarks of this project access to modules that are not part of the API.

pub mod alarm {
    pub use crate::alarm::*;
}
pub mod checkout {
    pub use crate::checkout::*;
}
pub mod chunk {
    pub use crate::chunk::*;
}
pub mod commands {
    pub use crate::commands::help;
}
pub mod compare {
    pub use crate::compare::*;
}
pub mod diff {
    pub use crate::diff::*;
}
pub mod export {
    pub use crate::export::*;
}
pub mod fs {
    pub use crate::fs::*;
}
pub mod history {
    pub use crate::history::*;
}
pub mod maintain {
    pub use crate::maintain::*;
}
pub mod metadata {
    pub use crate::metadata::*;
}
pub mod object {
    pub use crate::object::*;
}
pub mod quote {
    pub use crate::quote::*;
}
pub mod repo {
    pub use crate::repo::*;
}
pub mod snapshot {
    pub use crate::snapshot::*;
}
pub mod store {
    pub use crate::store::*;
}
pub mod worktree {
    pub use crate::worktree::*;
}
