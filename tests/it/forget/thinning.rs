//! Automatic commits are thinned as they age.
