//! The face: one value, two faces (human, JSON).
