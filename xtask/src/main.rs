//! Builds, serves, tests and benches Grokscope.
fn main() {}
