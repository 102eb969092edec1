//! One change of each kind.

/// A change on a table of many rows.
pub struct Kind {
    /// The word that it begins with.
    pub name: &'static str,
    /// The tables.
    pub schema: &'static str,
    /// What fills them; `ROWS` stands for how many rows.
    pub data: &'static str,
    /// The operation.
    pub change: &'static str,
    /// What a client does all the time in the old shape; `ROW` stands for a key.
    pub client: &'static str,
}

const USERS: &str =
    "create table users (id bigint primary key, name text not null, total integer not null, bio text, note text);
    create index users_name on users (name);";
const FILL: &str = "insert into users select n, 'name ' || n, n, 'bio of ' || n, null from generate_series(1, ROWS) n";
const TOUCH: &str = "update users set name = name || '.' where id = ROW; select name, total from users where id = ROW";

/// All of them.
pub const KINDS: &[Kind] = &[
    on_users("rename", "rename users.name to full_name;"),
    on_users(
        "retype",
        r#"retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }"#,
    ),
    on_users("split", "split users into profiles { key user_id, move bio }"),
    Kind {
        name: "widen",
        schema: "create table users (id integer primary key, name text, invited_by integer references users);
            create table orders (id bigint primary key, user_id integer not null references users); create index orders_user on orders (user_id);",
        data: "insert into users select n, 'name ' || n, null from generate_series(1, ROWS) n;
            insert into orders select n, n from generate_series(1, ROWS) n",
        change: "widen users.id to bigint;",
        client: "update users set name = name || '.' where id = ROW; select user_id from orders where id = ROW",
    },
    on_users("rename through view", "rename users.name to full_name through view;"),
    on_users(
        "divide",
        r#"divide users.bio into head: text, tail: text {
            forward head "split_part(bio, ' ', 1)" or reject, forward tail "split_part(bio, ' ', 2)" or reject,
            backward "head || ' ' || tail" or reject, insert nulls take before,
        }"#,
    ),
    on_users("require", r#"require users.note { fill "'none'" }"#),
    on_users("relax", r#"relax users.name { nulls from contract }"#),
    on_users("constrain: check", r#"constrain users: check total_is_positive "total >= 0" or reject;"#),
    on_users("constrain: unique", "constrain users: unique (total) or reject;"),
    on_users("default", r#"default users.note: "'x'";"#),
    on_users("comment", r#"comment users.note: "What else there is";"#),
    on_users("add", r#"add users.visits: bigint not null default "0";"#),
    on_users("add, a value for each row", r#"add users.token: uuid not null default "gen_random_uuid()";"#),
    on_users("drop", r#"drop users.bio;"#),
    on_users(
        "retype, the same name",
        r#"retype users.total to bigint { forward "total::bigint", backward "total::integer" or reject }"#,
    ),
    on_users("add table", r#"add table "create table notes (id bigserial primary key, user_id bigint references users)";"#),
    on_users("rename table", "rename table users to people;"),
    on_users(
        "sql",
        r#"sql { expand "alter table users set (fillfactor = 90)" undo "alter table users reset (fillfactor)" locks users share update exclusive }"#,
    ),
    Kind {
        name: "drop table",
        schema: "create table users (id bigint primary key, name text not null);
            create table orders (id bigint primary key, user_id bigint references users);",
        data: "insert into users select n, 'name ' || n from generate_series(1, ROWS) n;
            insert into orders select n, n from generate_series(1, ROWS) n",
        change: "drop table orders;",
        client: "update users set name = name || '.' where id = ROW",
    },
    Kind {
        name: "extract",
        schema: "create table users (id bigint primary key, name text not null, city text not null);",
        data: "insert into users select n, 'name ' || n, 'city ' || n % 1000 from generate_series(1, ROWS) n",
        change: "extract cities from users (city as name) { key id: bigint, reference city_id }",
        client: "update users set name = name || '.' where id = ROW; update users set city = 'city ' || ROW % 1000 where id = ROW",
    },
    Kind {
        name: "move",
        schema: "create table users (id bigint primary key, name text not null);
            create table orders (id bigint primary key, user_id bigint not null references users, note text); create index on orders (user_id);",
        data: "insert into users select n, 'name ' || n from generate_series(1, ROWS) n;
            insert into orders select n, n, 'note ' || n from generate_series(1, ROWS) n",
        change: "move orders.note to users.last_note { via orders.user_id, conflicting rows refuse }",
        client: "update users set name = name || '.' where id = ROW; update orders set note = note || '.' where id = ROW",
    },
    on_users("create index", "create index on users (total);"),
    on_users("drop index", "drop index users_name;"),
    Kind {
        name: "merge",
        schema: "create table users (id bigint primary key, name text not null);
            create table profiles (user_id bigint primary key references users on delete cascade, bio text);",
        data: "insert into users select n, 'name ' || n from generate_series(1, ROWS) n;
            insert into profiles select n, 'bio of ' || n from generate_series(1, ROWS) n",
        change: "merge profiles into users { key user_id, move bio }",
        client: "update users set name = name || '.' where id = ROW; select bio from profiles where user_id = ROW",
    },
    Kind {
        name: "constrain: references",
        schema: "create table users (id bigint primary key, name text not null); create table orders (id bigint primary key, user_id bigint);",
        data: "insert into users select n, 'name ' || n from generate_series(1, ROWS) n;
            insert into orders select n, n from generate_series(1, ROWS) n",
        change: "constrain orders: (user_id) references users (id) or reject;",
        client: "update users set name = name || '.' where id = ROW; update orders set user_id = user_id where id = ROW",
    },
];

/// A change of the one table that most are about.
const fn on_users(name: &'static str, change: &'static str) -> Kind {
    Kind { name, schema: USERS, data: FILL, change, client: TOUCH }
}
