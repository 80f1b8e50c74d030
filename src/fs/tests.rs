//! Laws of the whole room.
