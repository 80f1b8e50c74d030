//! Where a long list is cut into nodes: boundaries chosen by the keys, so that one change rewrites a few nodes.
