//! Someone is typing.

coexist::migrations! {
    schema sql "create table users (id integer primary key);";

    change widen_user_id {
        widen users to bigint;
        stage expand;
    }

    change widen_it {
        widen users.id;
        stage expand;
    }
}

fn main() {}
