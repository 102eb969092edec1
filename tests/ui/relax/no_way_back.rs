//! A rollback would not know what to do with NULL.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        relax users.name { nulls from dual_write }
        stage expand;
    }
}

fn main() {}
