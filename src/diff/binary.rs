//! Two binary contents: which ranges of bytes differ.
