//! Lines of history drawn beside the commits.
