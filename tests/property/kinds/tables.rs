//! Columns that go from one table to another, keys, and tables.

use coexist::plan::Phase;

use crate::kind::{COPY, DEFAULT, IN_PLACE, Key, Kind, NULL, Place, Unique, cells};

const PAIRS: &[&[&str]] = &[&["1", "2"], &["3", NULL], &[NULL, "4"], &[NULL, NULL]];

pub const KINDS: &[Kind] = &[
    Kind {
        name: "widen",
        first: "create function child$n() returns trigger language plpgsql as 'begin insert into w$n values (new.a$n); return null; end';",
        columns: "a$n integer not null unique",
        then: "create table w$n (a integer primary key references $t (a$n) on delete cascade on update cascade);
            create trigger child$n after insert on $t for each row execute function child$n();",
        change: "widen $t.a$n to bigint;",
        old: &[&["1"], &["2"], &["3"], &["4"], &["5"], &["6"]],
        new: &[&["1"], &["2"], &["3"], &["4"], &["5"], &["6"]],
        not_null: true,
        unique: Unique::From(Phase::Declared),
        ..IN_PLACE
    },
    Kind {
        name: "widen, the primary key",
        then: "create table w$n (t_id integer primary key references $t on delete cascade on update cascade, a text);",
        columns: "again$n integer references $t on delete cascade on update cascade",
        change: "widen $t.id to bigint;",
        before: Place::Beside("w$n", &["a"]),
        after: Place::Beside("w$n", &["a"]),
        key: Some(Key::Integer),
        alone: true,
        ..IN_PLACE
    },
    Kind {
        name: "split",
        columns: "a$n text, c$n text",
        change: "split $t into u$n { key t_id, move a$n, c$n }",
        before: Place::Table(&["a$n", "c$n"]),
        after: Place::Beside("u$n", &["a$n", "c$n"]),
        old: PAIRS,
        new: PAIRS,
        ..COPY
    },
    Kind {
        name: "split, always",
        change: "split $t into u$n { key t_id, move a$n, always }",
        after: Place::Beside("u$n", &["a$n"]),
        ..COPY
    },
    Kind {
        name: "split, with a default",
        columns: "a$n text default '3'",
        change: "split $t into u$n { key t_id, move a$n }",
        after: Place::Beside("u$n", &["a$n"]),
        old: &[&["1"], &["2"], &["3"], &[DEFAULT], &[NULL]],
        default: |_| &["3"],
        ..COPY
    },
    Kind {
        name: "split, NOT NULL",
        columns: "a$n text not null",
        change: "split $t into u$n { key t_id, move a$n }",
        after: Place::Beside("u$n", &["a$n"]),
        not_null: true,
        ..COPY
    },
    Kind {
        name: "merge",
        columns: "",
        then: "create table u$n (t_id $key primary key references $t on delete cascade on update cascade, a text, c text);",
        change: "merge u$n into $t { key t_id, move a as a$n, c as c$n }",
        before: Place::Beside("u$n", &["a", "c"]),
        after: Place::Table(&["a$n", "c$n"]),
        old: PAIRS,
        new: PAIRS,
        ..COPY
    },
    Kind {
        name: "merge, always",
        columns: "",
        then: "create table u$n (t_id $key primary key references $t on delete cascade on update cascade, a text);",
        change: "merge u$n into $t { key t_id, move a as a$n, always }",
        before: Place::Beside("u$n", &["a"]),
        after: Place::Table(&["a$n"]),
        ..COPY
    },
    Kind {
        name: "merge, NOT NULL with a value for rows without a partner",
        columns: "",
        then: "create table u$n (t_id $key primary key references $t on delete cascade on update cascade, a text not null default '5');",
        change: "merge u$n into $t { key t_id, move a as a$n or \"'none'\" }",
        before: Place::Beside("u$n", &["a"]),
        after: Place::Table(&["a$n"]),
        new: &[&["1"], &["2"], &["3"]],
        forward: |a| Some(if a[0] == NULL { cells(&["none"]) } else { a.to_vec() }),
        ..COPY
    },
    Kind {
        name: "extract",
        columns: "a$n text, c$n text",
        change: "extract u$n from $t (a$n as a, c$n as c) { key id: bigint, reference u$n_id }",
        before: Place::Table(&["a$n", "c$n"]),
        after: Place::Shared("u$n", &["a", "c"]),
        old: PAIRS,
        new: PAIRS,
        ..COPY
    },
    Kind {
        name: "extract, NOT NULL",
        columns: "a$n text not null",
        change: "extract u$n from $t (a$n as a) { key id: uuid, reference u$n_id }",
        after: Place::Shared("u$n", &["a"]),
        not_null: true,
        ..COPY
    },
    Kind {
        name: "move, to the row that is referenced",
        first: "create table p$n (id integer primary key);",
        columns: "a$n text, p$n_id integer references p$n",
        then: "create index on $t (p$n_id);",
        data: "insert into p$n values (1), (2);",
        change: "move $t.a$n to p$n.a { via $t.p$n_id, conflicting rows refuse }",
        after: Place::Related("p$n", &["a"]),
        grouped: true,
        ..COPY
    },
    Kind {
        name: "move, to the rows that reference it",
        first: "create table p$n (id integer primary key, a text);",
        columns: "p$n_id integer not null references p$n",
        then: "create index on $t (p$n_id);",
        data: "insert into p$n values (1), (2);",
        change: "move p$n.a to $t.a$n { via $t.p$n_id, unmatched discard }",
        before: Place::Related("p$n", &["a"]),
        after: Place::Table(&["a$n"]),
        grouped: true,
        ..COPY
    },
    Kind {
        name: "rename table",
        change: "rename table $t to $t_new;",
        after: Place::Through("$t_new", &["a$n"]),
        alone: true,
        ..IN_PLACE
    },
    Kind {
        name: "add table",
        columns: "",
        change: r##"add table r#"create table n$n (t_id $key primary key references $t on delete cascade on update cascade, a text)"#;"##,
        before: Place::Table(&[]),
        after: Place::Beside("n$n", &["a"]),
        old: &[&[]],
        forward: |_| Some(cells(&[NULL])),
        backward: |_| Some(cells(&[])),
        ..COPY
    },
    Kind {
        name: "drop table",
        columns: "",
        then: "create table d$n (t_id $key primary key references $t on delete cascade on update cascade, a text);",
        change: "drop table d$n;",
        before: Place::Beside("d$n", &["a"]),
        after: Place::Table(&[]),
        new: &[&[]],
        forward: |_| Some(cells(&[])),
        ..COPY
    },
];
