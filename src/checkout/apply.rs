//! Apply: carries out a plan; stages beside the target, swaps, checks, deletes last.
