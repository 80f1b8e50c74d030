//! The order in which commits are told: newest first, children before parents.
