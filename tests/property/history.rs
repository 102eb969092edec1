//! What happens: changes over tables, and what people and programs do.

use proptest::prelude::*;
use proptest::sample::select;

use crate::kind::{Key, Kind};
use crate::piece::Piece;

/// A declaration, and what happens to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub pieces: Vec<Piece>,
    pub history: Vec<Op>,
    /// Which changes come to their contract in the end; the others are rolled back.
    pub contracted: Vec<bool>,
    /// What happens between the contracts and the rollbacks.
    pub last: Vec<Op>,
}

impl Case {
    /// What it is about.
    pub fn kinds(&self) -> Vec<&'static Kind> {
        self.pieces.iter().map(|piece| piece.kind).collect()
    }
}

/// What somebody does. Numbers of tables and changes count around.
#[derive(Clone, Debug)]
pub enum Op {
    /// Code inserts a row, with what is chosen for each piece of the table.
    Insert {
        table: usize,
        id: u8,
        writes: Vec<Write>,
    },
    /// Code changes some columns of a piece.
    Update {
        piece: usize,
        id: u8,
        write: Write,
        mask: u8,
    },
    /// New code changes what all rows have that have the same as this one.
    Edit {
        piece: usize,
        id: u8,
        value: usize,
    },
    /// Somebody changes another column.
    Touch {
        table: usize,
        id: u8,
    },
    Rekey {
        table: usize,
        id: u8,
        to: u8,
    },
    Delete {
        table: usize,
        id: u8,
    },
    /// A change goes on by so many phases. Its session ends at this event of the last one.
    Forward {
        change: usize,
        phases: u8,
        cut: Option<u8>,
    },
    Back {
        change: usize,
        cut: Option<u8>,
    },
    Contract {
        change: usize,
        cut: Option<u8>,
    },
}

/// Which code writes, and which of the values that it writes.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    pub new: bool,
    pub value: usize,
}

fn write() -> impl Strategy<Value = Write> {
    (any::<bool>(), 0..8usize).prop_map(|(new, value)| Write { new, value })
}

fn code() -> impl Strategy<Value = Op> {
    let (table, id) = (0..3usize, 0..6u8);
    prop_oneof![
        5 => (table.clone(), id.clone(), prop::collection::vec(write(), 3))
            .prop_map(|(table, id, writes)| Op::Insert { table, id, writes }),
        8 => (0..3usize, id.clone(), write(), any::<u8>())
            .prop_map(|(piece, id, write, mask)| Op::Update { piece, id, write, mask }),
        1 => (0..3usize, id.clone(), 0..8usize).prop_map(|(piece, id, value)| Op::Edit { piece, id, value }),
        2 => (table.clone(), id.clone()).prop_map(|(table, id)| Op::Touch { table, id }),
        1 => (table.clone(), id.clone(), 0..9u8).prop_map(|(table, id, to)| Op::Rekey { table, id, to }),
        1 => (table, id).prop_map(|(table, id)| Op::Delete { table, id }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let cut = || prop::option::weighted(0.3, 0..24u8);
    prop_oneof![
        15 => code(),
        5 => (0..3usize, 1..4u8, cut()).prop_map(|(change, phases, cut)| Op::Forward { change, phases, cut }),
        1 => (0..3usize, cut()).prop_map(|(change, cut)| Op::Back { change, cut }),
        1 => (0..3usize, cut()).prop_map(|(change, cut)| Op::Contract { change, cut }),
    ]
}

/// Cases of these kinds.
pub fn case(kinds: &[&'static Kind]) -> impl Strategy<Value = Case> + use<> {
    // A failure shrinks to the kinds that it needs.
    let together: Vec<_> =
        kinds.iter().map(|kind| (Just(*kind), prop::bool::weighted(1.0), any::<bool>(), any::<bool>())).collect();
    let pieces = (select(&Key::ALL[..]), any::<bool>(), together)
        .prop_map(|(key, counted, together)| pieces(key, counted, &together));
    let rows = prop::collection::vec(code().prop_filter("an insert", |op| matches!(op, Op::Insert { .. })), 0..4);
    let history = prop::collection::vec(op(), 0..24);
    (pieces, rows, history, prop::collection::vec(any::<bool>(), 3), prop::collection::vec(code(), 0..6)).prop_map(
        |(pieces, rows, history, contracted, last)| Case {
            pieces,
            history: rows.into_iter().chain(history).collect(),
            contracted,
            last,
        },
    )
}

/// Each kind with whether it is there, whether it stands on the table of the one before, and whether it is an operation of the same change.
fn pieces(key: Key, counted: bool, together: &[(&'static Kind, bool, bool, bool)]) -> Vec<Piece> {
    let there: Vec<_> = together.iter().filter(|(_, there, ..)| *there).collect();
    let there = if there.is_empty() { together.iter().take(1).collect() } else { there };
    let key = there.iter().find_map(|(kind, ..)| kind.key).unwrap_or(key);
    let mut pieces: Vec<Piece> = Vec::new();
    for (n, (kind, _, same_table, same_change)) in there.into_iter().enumerate() {
        let last = pieces.last();
        let together = last.is_some_and(|last| !kind.alone && !last.kind.alone);
        pieces.push(Piece {
            kind,
            table: last.map_or(0, |last| last.table) + usize::from(!(*same_table && together)),
            change: last.map_or(0, |last| last.change) + usize::from(!(*same_change && together)),
            number: n + 1,
            key,
            counted: counted && !kind.partitioned,
        });
    }
    pieces
}
