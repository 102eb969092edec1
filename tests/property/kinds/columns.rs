//! Columns that become other columns of the same row.

use coexist::plan::Phase;

use crate::kind::{COPY, Cells, DEFAULT, IN_PLACE, Key, Kind, NULL, Place, Unique, Way, cells};

pub const KINDS: &[Kind] = &[
    Kind { name: "rename", then: "create index on $t (a$n);", change: "rename $t.a$n to b$n;", ..COPY },
    Kind {
        name: "rename, NOT NULL with a default",
        columns: "a$n text not null default '0', unique (a$n, id)",
        change: "rename $t.a$n to b$n;",
        old: &[&["1"], &["2"], &[DEFAULT], &[NULL]],
        not_null: true,
        default: |_| &["0"],
        ..COPY
    },
    Kind {
        name: "rename, unique",
        columns: "a$n text unique",
        change: "rename $t.a$n to b$n;",
        unique: Unique::From(Phase::Declared),
        ..COPY
    },
    Kind {
        name: "rename, json",
        columns: "a$n json",
        change: "rename $t.a$n to b$n;",
        old: &[&["[1]"], &["[ 1 ]"], &["{}"], &[NULL]],
        new: &[&["[1]"], &["[ 1 ]"], &["{}"], &[NULL]],
        ..COPY
    },
    Kind {
        name: "rename, partitioned",
        change: "rename $t.a$n to b$n;",
        alone: true,
        key: Some(Key::Integer),
        partitioned: true,
        ..COPY
    },
    Kind {
        name: "rename through view",
        change: "rename $t.a$n to b$n through view;",
        after: Place::Through("it$n.$t", &["b$n"]),
        alone: true,
        ..COPY
    },
    Kind {
        name: "retype, wider",
        columns: "a$n integer not null",
        then: "create index on $t (a$n) where a$n > 3;",
        change: r#"retype $t.a$n to b$n: bigint { forward "a$n::bigint", backward "b$n::integer" or reject }"#,
        new: &[&["1"], &["5"], &["3000000000"], &[NULL]],
        backward: in_integer,
        not_null: true,
        ..COPY
    },
    Kind {
        name: "retype or reject",
        columns: "a$n text check (a$n <> '')",
        change: r#"retype $t.a$n to b$n: integer { forward "a$n::integer" or reject, backward "b$n::text" }"#,
        old: &[&["1"], &["2"], &["x"], &[NULL]],
        forward: |a| (a[0] != "x").then(|| a.to_vec()),
        ..COPY
    },
    Kind {
        name: "retype or a fallback",
        change: r#"retype $t.a$n to b$n: integer { forward "a$n::integer" or "0", backward "b$n::text" }"#,
        old: &[&["1"], &["2"], &["x"], &["y"], &[NULL]],
        new: &[&["0"], &["1"], &["2"], &[NULL]],
        forward: |a| Some(cells(&[number_or(&a[0], "0")])),
        ..COPY
    },
    Kind {
        name: "retype or quarantine",
        change: r#"retype $t.a$n to b$n: integer { forward "a$n::integer" or quarantine, backward "b$n::text" }"#,
        old: &[&["1"], &["2"], &["x"], &["y"], &[NULL]],
        forward: |a| Some(cells(&[number_or(&a[0], NULL)])),
        held: |a| a[0] == "x" || a[0] == "y",
        ..COPY
    },
    Kind {
        name: "retype, forward lossy",
        columns: "a$n numeric(10, 2)",
        change: r#"retype $t.a$n to b$n: integer { forward lossy "round(a$n)::integer" or reject,
                backward "b$n::numeric(10, 2)" or reject, insert nulls take before }"#,
        old: &[&["1.00"], &["1.20"], &["2.00"], &[NULL]],
        forward: |a| Some(cells(&[a[0].split('.').next().unwrap()])),
        backward: |b| Some(vec![if b[0] == NULL { NULL.to_owned() } else { format!("{}.00", b[0]) }]),
        ..COPY
    },
    Kind {
        name: "retype, backward lossy",
        columns: "a$n integer",
        change: r#"retype $t.a$n to b$n: text { forward "a$n::text", backward lossy "substring(b$n from '[0-9]+')::integer" or reject }"#,
        new: &[&["1"], &["2"], &["2 apples"], &[NULL]],
        backward: |b| Some(cells(&[b[0].split(' ').next().unwrap()])),
        ..COPY
    },
    Kind {
        name: "retype, irreversible",
        change: r#"retype $t.a$n to b$n: integer { forward lossy "length(a$n)" or reject, irreversible, insert nulls take before }"#,
        old: &[&["x"], &["xx"], &["yy"], &[NULL]],
        forward: |a| Some(vec![if a[0] == NULL { NULL.to_owned() } else { a[0].len().to_string() }]),
        irreversible: true,
        ..COPY
    },
    Kind {
        name: "retype, nulls of an INSERT are new code's",
        columns: "a$n text default '3'",
        change: r#"retype $t.a$n to b$n: varchar(9) { forward "a$n" or reject, backward "b$n", insert nulls take after }"#,
        old: &[&["1"], &["2"], &["3"], &[DEFAULT], &[NULL]],
        default: |_| &["3"],
        nulls_take_after: true,
        ..COPY
    },
    Kind {
        name: "retype under the same name, through a view",
        columns: "a$n integer not null default 7",
        change: r#"retype $t.a$n to bigint { forward "a$n::bigint", backward "a$n::integer" or reject }"#,
        after: Place::Through("it$n.$t", &["a$n"]),
        old: &[&["1"], &["2"], &[DEFAULT], &[NULL]],
        new: &[&["1"], &["2"], &["3000000000"]],
        backward: in_integer,
        not_null: true,
        default: |_| &["7"],
        alone: true,
        ..COPY
    },
    Kind {
        name: "retype under the same name, in place",
        columns: "a$n varchar(3)",
        change: "retype $t.a$n to text;",
        new: &[&["1"], &["2"], &["long"], &[NULL]],
        forward: |a| (a[0].len() < 4).then(|| a.to_vec()),
        way: Way::Loosens(Phase::Contracted),
        ..IN_PLACE
    },
    Kind {
        name: "divide",
        then: "create index on $t (a$n) where other > 3;",
        change: r#"divide $t.a$n into b$n: text, c$n: integer {
                forward b$n "split_part(a$n, '/', 1)" or reject, forward c$n "split_part(a$n, '/', 2)::integer" or "-1",
                backward "b$n || '/' || c$n" or reject, insert nulls take before }"#,
        after: Place::Table(&["b$n", "c$n"]),
        old: &[&["1/2"], &["3/4"], &["x"], &[NULL]],
        new: &[&["5", "6"], &["7", "8"], &[NULL, "9"], &[NULL, NULL]],
        forward: |a| {
            Some(match a[0].split_once('/') {
                Some((b, c)) => cells(&[b, c]),
                None if a[0] == NULL => cells(&[NULL, NULL]),
                None => cells(&[&a[0], "-1"]),
            })
        },
        backward: |b| Some(vec![joined(b)]),
        ..COPY
    },
    Kind {
        name: "divide, NOT NULL with a default",
        columns: "a$n text not null default '0/0'",
        change: r#"divide $t.a$n into b$n: integer not null, c$n: text not null {
                forward b$n "split_part(a$n, '/', 1)::integer" or reject, forward c$n "split_part(a$n, '/', 2)" or reject,
                backward "b$n || '/' || c$n" or reject }"#,
        after: Place::Table(&["b$n", "c$n"]),
        old: &[&["1/2"], &["3/4"], &["x"], &[DEFAULT]],
        new: &[&["5", "6"], &["7", "8"]],
        forward: |a| a[0].split_once('/').map(|(b, c)| cells(&[b, c])),
        backward: |b| Some(vec![joined(b)]),
        not_null: true,
        default: |_| &["0/0"],
        ..COPY
    },
    Kind {
        name: "combine",
        columns: "a$n integer not null, c$n text not null",
        then: "create index on $t (c$n, a$n);",
        change: r#"combine $t.(a$n, c$n) into b$n: text not null { forward "a$n || '/' || c$n" or reject,
                backward a$n "split_part(b$n, '/', 1)::integer" or reject, backward c$n "split_part(b$n, '/', 2)" or reject }"#,
        before: Place::Table(&["a$n", "c$n"]),
        old: &[&["1", "2"], &["3", "4"]],
        new: &[&["5/6"], &["7/8"], &["x"]],
        forward: |a| Some(vec![joined(a)]),
        backward: |b| b[0].split_once('/').map(|(a, c)| cells(&[a, c])),
        not_null: true,
        ..COPY
    },
    Kind {
        name: "combine, several into several",
        columns: "a$n text, c$n text",
        change: r#"combine $t.(a$n, c$n) into b$n: text, d$n: text {
                forward b$n "c$n" or reject, forward d$n "a$n" or reject, backward a$n "d$n" or reject, backward c$n "b$n" or reject }"#,
        before: Place::Table(&["a$n", "c$n"]),
        after: Place::Table(&["b$n", "d$n"]),
        old: &[&["1", "2"], &["3", NULL], &[NULL, "4"], &[NULL, NULL]],
        new: &[&["1", "2"], &["3", NULL], &[NULL, "4"], &[NULL, NULL]],
        forward: |a| Some(cells(&[&a[1], &a[0]])),
        backward: |b| Some(cells(&[&b[1], &b[0]])),
        ..COPY
    },
];

fn in_integer(cells: &[String]) -> Option<Cells> {
    cells[0].parse::<i32>().is_ok().then(|| cells.to_vec())
}

fn number_or<'a>(cell: &'a str, otherwise: &'a str) -> &'a str {
    if cell == NULL || cell.parse::<i32>().is_ok() { cell } else { otherwise }
}

fn joined(cells: &[String]) -> String {
    if cells.iter().any(|cell| cell == NULL) { NULL.to_owned() } else { cells.join("/") }
}
