//! Settings: `config.toml`, typed. Nothing in it is needed to read data.

use crate::store::Compression;

/// The settings, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `store.compression`: `stored`, `deflate:1..9`, `zstd:1..19`.
    pub compression: Compression,
    /// `worktree.cross_mounts`: record other file systems mounted below the worktree too.
    pub cross_mounts: bool,
    /// `user.name`: the author of commits; empty: the login name.
    pub author: String,
}
