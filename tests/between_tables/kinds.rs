//! The kinds of change between tables, each as the same small story: somebody, known by a number, has one value, which moves from `old` to
//! `new`.

use coexist::plan::Phase;

use crate::support::in_flight::InFlight;

/// A kind of change. In its statements `{id}` stands for somebody's number, `{value}` for a value, and `{type}` for the type of values.
pub struct Kind {
    pub name: &'static str,
    schema: &'static str,
    change: &'static str,
    /// Statements of old code.
    pub old: Code,
    /// Statements of new code.
    pub new: Code,
    /// Lists who has one value for old code and another one for new code, and rows that belong to nobody.
    differs: &'static str,
}

/// How the code of one shape writes and reads.
pub struct Code {
    /// The table that has the values, and the column.
    pub table: &'static str,
    pub column: &'static str,
    insert: &'static str,
    set: &'static str,
    get: &'static str,
}

/// Whoever has a value is one of them.
const PEOPLE: &str = "create table people (id bigint primary key);";

pub const SPLIT: Kind = Kind {
    name: "split",
    schema: "create table users (id bigint primary key references people on update cascade on delete cascade, name text, note {type});",
    change: "split users into profiles { key user_id, move note }",
    old: Code {
        table: "users",
        column: "note",
        insert: "insert into users values ({id}, 'n', {value})",
        set: "update users set note = {value} where id = {id}",
        get: "select note from users where id = {id}",
    },
    new: Code {
        table: "profiles",
        column: "note",
        insert: "insert into users (id) values ({id}); insert into profiles values ({id}, {value})",
        set: "insert into profiles values ({id}, {value}) on conflict (user_id) do update set note = excluded.note",
        get: "select p.note from users u left join profiles p on p.user_id = u.id where u.id = {id}",
    },
    differs: "select coalesce(u.id, p.user_id) from users u full join profiles p on p.user_id = u.id
        where u.id is null or u.note is distinct from p.note",
};

pub const MERGE: Kind = Kind {
    name: "merge",
    schema: "create table users (id bigint primary key references people on update cascade on delete cascade, name text);
        create table profiles (user_id bigint primary key references users on update cascade on delete cascade, note {type});",
    change: "merge profiles into users { key user_id, move note }",
    old: Code {
        table: "profiles",
        column: "note",
        insert: "insert into users (id) values ({id}); insert into profiles values ({id}, {value})",
        set: "insert into profiles values ({id}, {value}) on conflict (user_id) do update set note = excluded.note",
        get: "select p.note from users u left join profiles p on p.user_id = u.id where u.id = {id}",
    },
    new: Code {
        table: "users",
        column: "note",
        insert: "insert into users values ({id}, 'n', {value})",
        set: "update users set note = {value} where id = {id}",
        get: "select note from users where id = {id}",
    },
    differs: "select coalesce(u.id, p.user_id) from users u full join profiles p on p.user_id = u.id
        where u.id is null or u.note is distinct from p.note",
};

pub const EXTRACT: Kind = Kind {
    name: "extract",
    schema: "create table users (id bigint primary key references people on update cascade on delete cascade, name text, note {type});",
    change: "extract notes from users (note as word) { key id: bigint, reference note_id }",
    old: Code {
        table: "users",
        column: "note",
        insert: "insert into users values ({id}, 'n', {value})",
        set: "update users set note = {value} where id = {id}",
        get: "select note from users where id = {id}",
    },
    new: Code {
        table: "notes",
        column: "word",
        insert: "insert into notes (word) select {value} where {value} is not null on conflict do nothing;
            insert into users (id, note_id) values ({id}, (select id from notes where word = {value}))",
        set: "insert into notes (word) select {value} where {value} is not null on conflict do nothing;
            update users set note_id = (select id from notes where word = {value}) where id = {id}",
        get: "select word from users left join notes on notes.id = note_id where users.id = {id}",
    },
    differs: "select u.id from users u left join notes n on n.id = u.note_id
        where (note_id is null) <> (n.id is null) or u.note is distinct from n.word",
};

/// Somebody's value is that of an order, and goes to the customer.
pub const MOVE_UP: Kind = Kind {
    name: "move up",
    schema: "create table users (id bigint primary key references people on update cascade on delete cascade, name text);
        create table orders (id bigint primary key references users on update cascade on delete cascade, user_id bigint references users on update cascade on delete cascade, note {type});
        create index on orders (user_id);",
    change: "move orders.note to users.note { via orders.user_id, conflicting rows refuse }",
    old: Code {
        table: "orders",
        column: "note",
        insert: "insert into users (id) values ({id}); insert into orders values ({id}, {id}, {value})",
        set: "update orders set note = {value} where user_id = {id}",
        get: "select note from orders where user_id = {id}",
    },
    new: Code {
        table: "users",
        column: "note",
        insert: "insert into users values ({id}, 'n', {value}); insert into orders (id, user_id) values ({id}, {id})",
        set: "update users set note = {value} where id = {id}",
        get: "select note from users where id = {id}",
    },
    differs: "select u.id from users u join orders o on o.user_id = u.id where u.note is distinct from o.note",
};

/// Somebody's value goes to the order.
pub const MOVE_DOWN: Kind = Kind {
    name: "move down",
    schema: "create table users (id bigint primary key references people on update cascade on delete cascade, name text, note {type});
        create table orders (id bigint primary key references users on update cascade on delete cascade, user_id bigint references users on update cascade on delete cascade);
        create index on orders (user_id);",
    change: "move users.note to orders.note { via orders.user_id, unmatched discard }",
    old: Code {
        table: "users",
        column: "note",
        insert: "insert into users values ({id}, 'n', {value}); insert into orders values ({id}, {id})",
        set: "update users set note = {value} where id = {id}",
        get: "select note from users where id = {id}",
    },
    new: Code {
        table: "orders",
        column: "note",
        insert: "insert into users (id) values ({id}); insert into orders values ({id}, {id}, {value})",
        set: "update orders set note = {value} where user_id = {id}",
        get: "select note from orders where user_id = {id}",
    },
    differs: "select u.id from users u join orders o on o.user_id = u.id where u.note is distinct from o.note",
};

pub const ALL: [Kind; 5] = [SPLIT, MERGE, EXTRACT, MOVE_UP, MOVE_DOWN];

impl Code {
    /// Makes somebody with a value, which is an SQL expression.
    pub fn insert(&self, id: i64, value: &str) -> String {
        with(self.insert, id, value)
    }

    /// Gives somebody another value.
    pub fn set(&self, id: i64, value: &str) -> String {
        with(self.set, id, value)
    }

    /// Somebody's value.
    pub fn get(&self, id: i64) -> String {
        with(self.get, id, "")
    }
}

fn with(statement: &str, id: i64, value: &str) -> String {
    statement.replace("{id}", &id.to_string()).replace("{value}", value)
}

impl Kind {
    /// The change declared, over tables with values of a type, which `first` makes, and with what `then` makes behind them; and these values
    /// of somebody in them.
    pub fn declared(&self, ty: &str, first: &str, then: &str, values: &[(i64, &str)]) -> InFlight {
        let mut db = InFlight::new(
            &format!("{first} {PEOPLE} {} {then}", self.schema.replace("{type}", ty)),
            "insert into people select n from generate_series(1, 50) n",
            &format!("change it {{ {} stage expand; }}", self.change),
        );
        for (id, value) in values {
            db.run(&format!("begin; {}; commit", self.old.insert(*id, value)));
        }
        db
    }

    /// The same with short texts, and taken to a phase.
    pub fn at(&self, phase: Phase, values: &[(i64, &str)]) -> InFlight {
        let mut db = self.declared("text", "", "", values);
        db.reach(phase);
        db
    }

    /// Old code and new code find this value.
    #[track_caller]
    pub fn both(&self, db: &mut InFlight, id: i64, expected: &str) {
        let found = [&self.old, &self.new].map(|code| db.row(&code.get(id)));
        assert_eq!(found, [expected, expected], "{} of {id}", self.name);
    }

    /// Old code and new code find the same everywhere.
    #[track_caller]
    pub fn agrees(&self, db: &mut InFlight) {
        let differ = db.rows(self.differs);
        assert!(differ.is_empty(), "{}: {differ:?}", self.name);
    }
}
