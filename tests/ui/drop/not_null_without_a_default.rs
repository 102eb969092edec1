//! New code, which leaves the column out, could not insert.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, legacy text not null);";

    change drop_legacy {
        drop users.legacy;
        stage expand;
    }
}

fn main() {}
