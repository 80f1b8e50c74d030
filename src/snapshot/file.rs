//! One file into the store: in one piece, or cut into chunks; hashed as it is read.
