//! Two texts: hunks of lines, and the words that differ in them.
