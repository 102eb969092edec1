//! Every kind of change of `docs/changes.md`.

mod columns;
mod come_and_go;
mod rules;
mod tables;

use crate::kind::Kind;

/// All of them.
pub fn all() -> Vec<&'static Kind> {
    [columns::KINDS, tables::KINDS, rules::KINDS, come_and_go::KINDS].into_iter().flatten().collect()
}
