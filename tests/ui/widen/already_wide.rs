//! There is nothing to do, or it would be a narrower type.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, level integer);";

    change widen_id {
        widen users.id to bigint;
        stage expand;
    }

    change narrow_level {
        widen users.level to smallint;
        stage expand;
    }
}

fn main() {}
