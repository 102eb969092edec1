//! The macro of coexist.
