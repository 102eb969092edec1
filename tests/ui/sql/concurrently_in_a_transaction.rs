//! PostgreSQL refuses that at run time (H27).

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text); create index by_name on users (name);";

    change rebuild {
        sql { validate "reindex index concurrently by_name" locks users share update exclusive, irreversible }
        stage expand;
    }
}

fn main() {}
