//! Random tables, random rows, random writes of old and new code in random phases, and rollbacks in between: what was written last is what
//! both shapes say, and the catalog after a rollback is what it was. A failure shrinks to a declaration and a history that can be read.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::collections::BTreeMap;
use std::fmt;

use coexist::plan::Phase;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use support::in_flight::InFlight;

/// A table with columns that change, and how a small number is written in both shapes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    RenameText,
    RenameNotNull,
    RenameJson,
    Widen,
    TextToNumber,
    MarkedNumber,
    Divide,
    DivideNotNull,
    Combine,
    /// Several operations of one change.
    Several,
    /// Several changes in flight.
    Changes,
    Split,
    SplitNotNull,
}

/// A failure shows what is declared.
impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    {}", self.schema(), self.change())
    }
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::RenameText,
        Self::RenameNotNull,
        Self::RenameJson,
        Self::Widen,
        Self::TextToNumber,
        Self::MarkedNumber,
        Self::Divide,
        Self::DivideNotNull,
        Self::Combine,
        Self::Several,
        Self::Changes,
        Self::Split,
        Self::SplitNotNull,
    ];

    fn schema(self) -> &'static str {
        match self {
            Self::RenameText => {
                "create table t (id integer primary key, a text, other integer); create index t_a on t (a);"
            }
            Self::RenameNotNull => {
                "create table t (id uuid primary key, a text not null default '0', other integer, unique (a, id));"
            }
            Self::RenameJson => "create table t (id integer primary key, a json, other integer);",
            Self::Widen => {
                "create table t (other integer, id bigint, a integer not null, k text, primary key (id, k)); create index on t (a) where a > 3;"
            }
            Self::TextToNumber | Self::MarkedNumber => {
                "create table t (id integer primary key, a text, other integer, check (a <> ''));"
            }
            Self::Divide => {
                "create table t (id integer primary key, a text, other integer); create index on t (a) where other > 3;"
            }
            Self::DivideNotNull => {
                "create table t (id integer primary key, a text not null default '0/0', other integer);"
            }
            Self::Combine => {
                "create table t (id integer primary key, a integer not null, a2 text not null, other integer, check (a2 <> '')); create index on t (a2, a);"
            }
            Self::Several | Self::Changes => {
                "create table t (id integer primary key, a text, a2 integer not null, other integer); create index on t (a2); create index on t (lower(a));"
            }
            Self::Split => "create table t (id integer primary key, a text, other integer);",
            Self::SplitNotNull => "create table t (id text collate \"C\" primary key, a text not null, other integer);",
        }
    }

    fn change(self) -> &'static str {
        match self {
            Self::RenameText | Self::RenameNotNull | Self::RenameJson => "change it { rename t.a to b; stage expand; }",
            Self::Widen => {
                r#"change it { retype t.a to b: bigint { forward "a::bigint", backward "b::integer" or reject } stage expand; }"#
            }
            Self::TextToNumber => {
                r#"change it { retype t.a to b: integer { forward "a::integer" or reject, backward "b::text" } stage expand; }"#
            }
            Self::MarkedNumber => {
                r#"change it { retype t.a to b: integer { forward "a::integer" or "0", backward "b::text" } stage expand; }"#
            }
            Self::Divide => {
                r#"change it { divide t.a into b: text, b2: integer {
                    forward b "split_part(a, '/', 1)" or reject, forward b2 "split_part(a, '/', 2)::integer" or "-1",
                    backward "b || '/' || b2" or reject, insert nulls take before } stage expand; }"#
            }
            Self::DivideNotNull => {
                r#"change it { divide t.a into b: integer not null, b2: text not null {
                    forward b "split_part(a, '/', 1)::integer" or reject, forward b2 "split_part(a, '/', 2)" or reject,
                    backward "b || '/' || b2" or reject } stage expand; }"#
            }
            Self::Combine => {
                r#"change it { combine t.(a, a2) into b: text not null { forward "a || '/' || a2" or reject,
                    backward a "split_part(b, '/', 1)::integer" or reject, backward a2 "split_part(b, '/', 2)" or reject } stage expand; }"#
            }
            Self::Several => {
                r#"change it { rename t.a to b; retype t.a2 to b2: bigint { forward "a2::bigint", backward "b2::integer" or reject } stage expand; }"#
            }
            Self::Changes => {
                r#"change it { retype t.a to b: integer { forward "a::integer" or "0", backward "b::text" } stage expand; }
                change too { retype t.a2 to b2: bigint { forward "a2::bigint", backward "b2::integer" or reject } stage expand; }"#
            }
            Self::Split | Self::SplitNotNull => "change it { split t into u { key t_id, move a } stage expand; }",
        }
    }

    fn is_split(self) -> bool {
        matches!(self, Self::Split | Self::SplitNotNull)
    }

    fn not_null(self) -> bool {
        matches!(
            self,
            Self::RenameNotNull
                | Self::Widen
                | Self::DivideNotNull
                | Self::Combine
                | Self::Several
                | Self::Changes
                | Self::SplitNotNull
        )
    }

    fn key(self, id: u8) -> String {
        match self {
            Self::RenameNotNull => format!("'00000000-0000-0000-0000-0000000000{id:02}'"),
            Self::SplitNotNull => format!("'k{id}'"),
            _ => id.to_string(),
        }
    }

    /// The columns of each shape.
    fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Divide | Self::DivideNotNull => ("a", "b, b2"),
            Self::Combine => ("a, a2", "b"),
            Self::Several | Self::Changes => ("a, a2", "b, b2"),
            Self::Split | Self::SplitNotNull => ("a", "a"),
            _ => ("a", "b"),
        }
    }

    /// The values of the before columns, as SQL.
    fn before(self, value: Option<u8>) -> String {
        match (self, value) {
            (_, None) => "null".to_owned(),
            (Self::Divide | Self::DivideNotNull, Some(v)) => format!("'{v}/{v}'"),
            (Self::Combine | Self::Several | Self::Changes, Some(v)) => format!("'{v}', '{v}'"),
            (Self::RenameJson, Some(v)) => format!("'{{\"v\": {v}}}'"),
            (Self::Widen, Some(v)) => v.to_string(),
            (_, Some(v)) => format!("'{v}'"),
        }
    }

    /// The values of the after columns, as SQL.
    fn after(self, value: Option<u8>) -> String {
        match (self, value) {
            (Self::Divide, None) => "null, null".to_owned(),
            (Self::Divide | Self::DivideNotNull, Some(v)) => format!("'{v}', '{v}'"),
            (Self::Combine, Some(v)) => format!("'{v}/{v}'"),
            (Self::TextToNumber | Self::MarkedNumber, Some(v)) => v.to_string(),
            _ => self.before(value),
        }
    }
}

/// What somebody does.
#[derive(Clone, Copy)]
enum Op {
    Insert {
        id: u8,
        value: Option<u8>,
        new: bool,
    },
    Update {
        id: u8,
        value: Option<u8>,
        new: bool,
    },
    UpdateOther {
        id: u8,
    },
    Delete {
        id: u8,
    },
    /// The change goes on by one phase.
    Advance,
    RollBack,
}

impl fmt::Debug for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |new: &bool| if *new { "new code" } else { "old code" };
        match self {
            Self::Insert { id, value, new } => write!(f, "{} inserts {id} with {value:?}", who(new)),
            Self::Update { id, value, new } => write!(f, "{} sets {id} to {value:?}", who(new)),
            Self::UpdateOther { id } => write!(f, "somebody updates another column of {id}"),
            Self::Delete { id } => write!(f, "somebody deletes {id}"),
            Self::Advance => f.write_str("the change goes on"),
            Self::RollBack => f.write_str("the change is rolled back"),
        }
    }
}

fn op() -> impl Strategy<Value = Op> {
    let id = 0..6u8;
    let value = prop::option::weighted(0.8, 1..9u8);
    prop_oneof![
        4 => (id.clone(), value.clone(), any::<bool>()).prop_map(|(id, value, new)| Op::Insert { id, value, new }),
        6 => (id.clone(), value, any::<bool>()).prop_map(|(id, value, new)| Op::Update { id, value, new }),
        2 => id.clone().prop_map(|id| Op::UpdateOther { id }),
        1 => id.prop_map(|id| Op::Delete { id }),
        3 => Just(Op::Advance),
        1 => Just(Op::RollBack),
    ]
}

struct World {
    kind: Kind,
    db: InFlight,
    phase: Phase,
    /// What was written last.
    rows: BTreeMap<u8, Option<u8>>,
}

impl World {
    fn statement(&self, op: Op) -> Option<String> {
        let kind = self.kind;
        let exists = |id: &u8| self.rows.contains_key(id);
        let admits = |value: &Option<u8>| value.is_some() || !kind.not_null();
        // New code writes from dual-writing on; rows of a new table that may not be there yet, when they are.
        let writes = |new: bool| !new || self.phase >= Phase::DualWriting;
        Some(match op {
            Op::Insert { id, value, new } if !exists(&id) && admits(&value) && writes(new) => {
                let key = kind.key(id);
                let (keys, keyed) =
                    if kind == Kind::Widen { ("id, k", format!("{key}, 'k'")) } else { ("id", key.clone()) };
                let (old_columns, new_columns) = kind.columns();
                match (new, kind.is_split()) {
                    (false, _) => {
                        format!("insert into t ({keys}, {old_columns}) values ({keyed}, {})", kind.before(value))
                    }
                    (true, false) => {
                        format!("insert into t ({keys}, {new_columns}) values ({keyed}, {})", kind.after(value))
                    }
                    (true, true) => format!(
                        "begin; insert into t (id) values ({key}); insert into u (t_id, a) values ({key}, {}); commit",
                        kind.after(value)
                    ),
                }
            }
            Op::Update { id, value, new } if exists(&id) && admits(&value) && writes(new) => {
                let key = kind.key(id);
                let (old_columns, new_columns) = kind.columns();
                match (new, kind.is_split()) {
                    (false, _) => {
                        format!("update t set ({old_columns}) = row({}) where id = {key}", kind.before(value))
                    }
                    (true, false) => {
                        format!("update t set ({new_columns}) = row({}) where id = {key}", kind.after(value))
                    }
                    (true, true) if self.phase < Phase::Backfilled => return None,
                    (true, true) => format!(
                        "insert into u (t_id, a) values ({key}, {0}) on conflict (t_id) do update set a = excluded.a",
                        kind.after(value)
                    ),
                }
            }
            Op::UpdateOther { id } if exists(&id) => {
                format!("update t set other = coalesce(other, 0) + 1 where id = {}", kind.key(id))
            }
            Op::Delete { id } if exists(&id) => format!("delete from t where id = {}", kind.key(id)),
            _ => return None,
        })
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Advance if self.phase < Phase::Validated => {
                let next = Phase::ALL.into_iter().find(|phase| *phase > self.phase).unwrap();
                self.db.reach(next);
                self.phase = next;
            }
            Op::RollBack if self.phase > Phase::Declared => {
                self.db.roll_back();
                self.phase = Phase::Declared;
            }
            Op::Advance | Op::RollBack => {}
            write => {
                let Some(sql) = self.statement(write) else { return };
                self.db.run(&sql);
                match write {
                    Op::Insert { id, value, .. } | Op::Update { id, value, .. } => {
                        self.rows.insert(id, value);
                    }
                    Op::Delete { id } => {
                        self.rows.remove(&id);
                    }
                    Op::UpdateOther { .. } | Op::Advance | Op::RollBack => {}
                }
            }
        }
    }

    /// The rows as a query gives them, in the order of their keys.
    fn expected(&self, of: impl Fn(Option<u8>) -> String) -> Vec<String> {
        let text = |sql: String| {
            let values = sql.split(", ").map(|value| if value == "null" { "-" } else { value.trim_matches('\'') });
            values.collect::<Vec<_>>().join("|")
        };
        self.rows.iter().map(|(id, value)| format!("{}|{}", text(self.kind.key(*id)), text(of(*value)))).collect()
    }
}

fn check(kind: Kind, seeded: &[Option<u8>], history: &[Op]) -> Result<(), TestCaseError> {
    let seeds = seeded.iter().map(|value| if kind.not_null() { Some(value.unwrap_or(9)) } else { *value });
    let rows: BTreeMap<u8, Option<u8>> = (0u8..).zip(seeds).collect();
    let (old_columns, new_columns) = kind.columns();
    let columns = if kind == Kind::Widen { "id, k, a".to_owned() } else { format!("id, {old_columns}") };
    let data: String = rows
        .iter()
        .map(|(id, value)| {
            let k = if kind == Kind::Widen { ", 'k'" } else { "" };
            format!("insert into t ({columns}) values ({}{k}, {});", kind.key(*id), kind.before(*value))
        })
        .collect();
    let mut world =
        World { kind, db: InFlight::new(kind.schema(), &data, kind.change()), phase: Phase::Declared, rows };
    let catalog = support::catalog_dump(&mut world.db.client);
    for op in history {
        world.apply(*op);
    }
    while world.phase < Phase::Validated {
        world.apply(Op::Advance); // compares every row, and fails where two differ
    }
    let old = world.expected(|value| kind.before(value));
    let new = world.expected(|value| kind.after(value));
    let before = format!("select id, {old_columns} from t order by id");
    prop_assert_eq!(world.db.rows(&before), old.clone());
    let after = if kind.is_split() {
        "select id, u.a from t left join u on t_id = id order by id".to_owned()
    } else {
        format!("select id, {new_columns} from t order by id")
    };
    prop_assert_eq!(world.db.rows(&after), new);
    world.apply(Op::RollBack);
    prop_assert_eq!(world.db.rows(&before), old);
    prop_assert!(support::catalog_dump(&mut world.db.client) == catalog, "the catalog is another after the rollback");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_last_is_what_both_shapes_say(
        kind in prop::sample::select(&Kind::ALL[..]),
        seeded in prop::collection::vec(prop::option::of(1..9u8), 0..4),
        history in prop::collection::vec(op(), 0..24),
    ) {
        check(kind, &seeded, &history)?;
    }
}
