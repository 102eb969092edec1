//! Tables in pieces: what a backfill and a comparison have in common.

pub(crate) mod blocks;
pub(crate) mod compare;
pub(crate) mod keys;
mod size;

pub(crate) use size::PieceSize;
