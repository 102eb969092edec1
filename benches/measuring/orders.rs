//! A table that an application uses while it changes.

/// The table.
pub const TABLE: &str = "create table orders (id bigint primary key, total integer not null, buyer text, note text); create index on orders (buyer)";
/// What fills it: `ROWS` stands for the number of rows.
pub const FILL: &str =
    "insert into orders select n, n, 'buyer ' || n, 'note of order ' || n from generate_series(1, ROWS) as n";
/// What is changed.
pub const CHANGE: &str = r#"change it {
    retype orders.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }
    stage migrate;
}"#;
