//! Rules about columns that stay where they are.

use coexist::plan::Phase;

use crate::kind::{Cells, DEFAULT, IN_PLACE, Kind, NULL, Place, Unique, Way, cells};

const NUMBERS: &[&[&str]] = &[&["1"], &["2"], &["-1"], &[NULL]];
const REFERENCES: &[&[&str]] = &[&["1"], &["2"], &["9"], &[NULL]];

pub const KINDS: &[Kind] = &[
    Kind {
        name: "require, filled",
        change: r#"require $t.a$n { fill "'none'" }"#,
        forward: |a| Some(filled(a)),
        mend: filled,
        ..IN_PLACE
    },
    Kind {
        name: "require, filled, old writes rejected",
        change: r#"require $t.a$n { fill "'none'", old writes reject }"#,
        forward: not_null,
        mend: filled,
        ..IN_PLACE
    },
    Kind { name: "require or reject", change: "require $t.a$n or reject;", forward: not_null, ..IN_PLACE },
    Kind {
        name: "relax at the contract",
        columns: "a$n text not null",
        change: "relax $t.a$n { nulls from contract }",
        forward: not_null,
        way: Way::Loosens(Phase::Contracted),
        ..IN_PLACE
    },
    Kind {
        name: "relax at once",
        columns: "a$n text not null",
        change: r#"relax $t.a$n { nulls from dual_write, backward "'none'" }"#,
        forward: not_null,
        mend: filled,
        way: Way::Loosens(Phase::DualWriting),
        ..IN_PLACE
    },
    Kind {
        name: "constrain, a check that is mended",
        columns: "a$n integer",
        change: r#"constrain $t: check positive$n "a$n >= 0" { fix a$n "0" }"#,
        old: NUMBERS,
        new: NUMBERS,
        forward: |a| Some(positive(a)),
        mend: positive,
        ..IN_PLACE
    },
    Kind {
        name: "constrain, a check that rejects",
        columns: "a$n integer",
        change: r#"constrain $t: check positive$n "a$n >= 0" or reject;"#,
        old: NUMBERS,
        new: NUMBERS,
        forward: is_positive,
        ..IN_PLACE
    },
    Kind {
        name: "constrain, unique",
        change: "constrain $t: unique (a$n) or reject;",
        unique: Unique::From(Phase::Validated),
        ..IN_PLACE
    },
    Kind {
        name: "constrain, a reference",
        first: "create table p$n (id integer primary key);",
        columns: "p$n_id integer",
        data: "insert into p$n values (1), (2);",
        change: "constrain $t: (p$n_id) references p$n or reject;",
        before: Place::Table(&["p$n_id"]),
        after: Place::Table(&["p$n_id"]),
        old: REFERENCES,
        new: REFERENCES,
        forward: is_there,
        ..IN_PLACE
    },
    Kind {
        name: "constrain, a reference that is mended",
        first: "create table p$n (id integer primary key);",
        columns: "p$n_id integer",
        data: "insert into p$n values (1), (2);",
        change: r#"constrain $t: (p$n_id) references p$n { fix p$n_id "null", old writes reject }"#,
        before: Place::Table(&["p$n_id"]),
        after: Place::Table(&["p$n_id"]),
        old: REFERENCES,
        new: REFERENCES,
        forward: is_there,
        mend: |a| is_there(a).unwrap_or_else(|| cells(&[NULL])),
        ..IN_PLACE
    },
    Kind {
        name: "unconstrain, a check",
        columns: "a$n integer constraint positive$n check (a$n >= 0)",
        change: "unconstrain $t: positive$n;",
        old: NUMBERS,
        new: NUMBERS,
        forward: is_positive,
        way: Way::Loosens(Phase::Contracted),
        ..IN_PLACE
    },
    Kind {
        name: "unconstrain, unique",
        columns: "a$n text constraint one$n unique",
        change: "unconstrain $t: one$n;",
        unique: Unique::UntilContract,
        ..IN_PLACE
    },
    Kind {
        name: "unconstrain, a reference",
        first: "create table p$n (id integer primary key);",
        columns: "p$n_id integer constraint known$n references p$n",
        data: "insert into p$n values (1), (2);",
        change: "unconstrain $t: known$n;",
        before: Place::Table(&["p$n_id"]),
        after: Place::Table(&["p$n_id"]),
        old: REFERENCES,
        new: REFERENCES,
        forward: is_there,
        way: Way::Loosens(Phase::Contracted),
        ..IN_PLACE
    },
    Kind {
        name: "default",
        columns: "a$n integer default 1",
        change: r#"default $t.a$n: "7";"#,
        old: &[&["2"], &[DEFAULT], &[NULL]],
        new: &[&["2"], &[DEFAULT], &[NULL]],
        default: |phase| if phase < Phase::DualWriting { &["1"] } else { &["7"] },
        ..IN_PLACE
    },
    Kind {
        name: "default none",
        columns: "a$n integer default 1",
        change: "default $t.a$n: none;",
        old: &[&["2"], &[DEFAULT], &[NULL]],
        new: &[&["2"], &[DEFAULT], &[NULL]],
        default: |phase| if phase < Phase::Contracted { &["1"] } else { &[NULL] },
        ..IN_PLACE
    },
    Kind { name: "comment", change: r#"comment $t.a$n: "What it is";"#, ..IN_PLACE },
];

fn filled(cells: &[String]) -> Cells {
    cells.iter().map(|cell| if cell == NULL { "none".to_owned() } else { cell.clone() }).collect()
}

fn not_null(cells: &[String]) -> Option<Cells> {
    cells.iter().all(|cell| cell != NULL).then(|| cells.to_vec())
}

fn positive(a: &[String]) -> Cells {
    is_positive(a).unwrap_or_else(|| cells(&["0"]))
}

fn is_positive(cells: &[String]) -> Option<Cells> {
    (cells[0] != "-1").then(|| cells.to_vec())
}

/// Only rows 1 and 2 can be referenced.
fn is_there(cells: &[String]) -> Option<Cells> {
    (cells[0] != "9").then(|| cells.to_vec())
}
