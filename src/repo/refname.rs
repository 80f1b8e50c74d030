//! What a branch or a tag may be called.
