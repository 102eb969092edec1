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
    Kind { name: "rename", schema: USERS, data: FILL, change: "rename users.name to full_name;", client: TOUCH },
    Kind {
        name: "retype",
        schema: USERS,
        data: FILL,
        change: r#"retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }"#,
        client: TOUCH,
    },
    Kind {
        name: "split",
        schema: USERS,
        data: FILL,
        change: "split users into profiles { key user_id, move bio }",
        client: TOUCH,
    },
    Kind {
        name: "widen",
        schema: "create table users (id integer primary key, name text, invited_by integer references users);
            create table orders (id bigint primary key, user_id integer not null references users); create index orders_user on orders (user_id);",
        data: "insert into users select n, 'name ' || n, null from generate_series(1, ROWS) n;
            insert into orders select n, n from generate_series(1, ROWS) n",
        change: "widen users.id to bigint;",
        client: "update users set name = name || '.' where id = ROW; select user_id from orders where id = ROW",
    },
];
