//! The default that is there already.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, level integer default 1);";

    change it {
        default users.level: "1";
        stage expand;
    }
}

fn main() {}
