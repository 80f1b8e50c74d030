//! The journal: append-only, checksummed records; the only commit point.
