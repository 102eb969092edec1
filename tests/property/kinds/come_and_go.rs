//! Columns, indexes and labels that come and go, and statements of the user's own.

use coexist::plan::Phase;

use crate::kind::{COPY, DEFAULT, IN_PLACE, Kind, NULL, Place, Unique, Way, cells};

const ADD: Kind = Kind { columns: "", before: Place::Table(&[]), old: &[&[]], backward: |_| Some(cells(&[])), ..COPY };

const DROP: Kind = Kind { after: Place::Table(&[]), new: &[&[]], forward: |_| Some(cells(&[])), ..COPY };

pub const KINDS: &[Kind] = &[
    Kind { name: "add", change: "add $t.b$n: text;", forward: |_| Some(cells(&[NULL])), ..ADD },
    Kind {
        name: "add, with a default",
        change: r#"add $t.b$n: integer not null default "7";"#,
        new: &[&["1"], &["2"], &[DEFAULT], &[NULL]],
        forward: |_| Some(cells(&["7"])),
        not_null: true,
        default: |_| &["7"],
        ..ADD
    },
    Kind {
        name: "add, with a default of its own for each row",
        change: r#"add $t.b$n: integer not null default "7 + floor(random())::integer";"#,
        new: &[&["1"], &["2"], &[DEFAULT]],
        forward: |_| Some(cells(&["7"])),
        default: |_| &["7"],
        ..ADD
    },
    Kind {
        name: "add, filled",
        change: r#"add $t.b$n: text not null default "'web'" fill "'import'";"#,
        new: &[&["1"], &["2"], &[DEFAULT]],
        forward: |_| Some(cells(&["import"])),
        default: |_| &["web"],
        ..ADD
    },
    Kind { name: "drop", columns: "a$n text default '5'", change: "drop $t.a$n;", default: |_| &["5"], ..DROP },
    Kind {
        name: "drop, NOT NULL, with what hangs on it",
        columns: "a$n text not null",
        then: "create index gone$n on $t (a$n);",
        change: r#"drop $t.a$n { default "'5'", with gone$n }"#,
        not_null: true,
        default: |_| &["5"],
        ..DROP
    },
    Kind { name: "create index", change: "create index on $t (a$n, id);", ..IN_PLACE },
    Kind {
        name: "create index, unique",
        change: "create index on $t (a$n) unique;",
        unique: Unique::From(Phase::Validated),
        ..IN_PLACE
    },
    Kind { name: "drop index", then: "create index gone$n on $t (a$n);", change: "drop index gone$n;", ..IN_PLACE },
    Kind {
        name: "enum",
        first: "create type mood$n as enum ('sad', 'ok');",
        columns: "a$n mood$n",
        change: r#"enum mood$n add value "curious";"#,
        old: &[&["sad"], &["ok"], &[NULL]],
        new: &[&["sad"], &["ok"], &["curious"], &[NULL]],
        forward: |a| (a[0] != "curious").then(|| a.to_vec()),
        way: Way::Loosens(Phase::Contracted),
        ..IN_PLACE
    },
    Kind {
        name: "sql",
        change: r#"sql {
                expand "create table log$n (id text); create function log$n() returns trigger language plpgsql
                        as $$ begin insert into log$n values (new.id::text); return null; end $$"
                    undo "drop function if exists log$n(); drop table if exists log$n" locks nothing,
                dual_write "create trigger log$n after insert or update of a$n on $t for each row execute function log$n()"
                    undo "drop trigger if exists log$n on $t" locks $t share row exclusive,
            }"#,
        ..IN_PLACE
    },
];
