//! What is learned: operations, the domain, its split.
