//! History on real repositories.
