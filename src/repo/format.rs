//! The `format` file: version, features and chunk parameters. What we do not know, we refuse.
