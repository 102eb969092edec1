//! The command `coexist`.
fn main() {}
