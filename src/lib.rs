//! coexist.
