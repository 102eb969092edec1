//! Tables in pieces: what a backfill and a comparison have in common.

pub(crate) mod blocks;
pub(crate) mod compare;
pub(crate) mod keys;
mod size;

pub(crate) use size::PieceSize;

/// Into how many stretches a table is divided, as long as they are neither too small nor too large.
const STRETCHES: i64 = 16;
