//! Extended attributes, by handle and by name, whatever kind of file has them.
