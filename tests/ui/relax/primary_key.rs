//! A column of the primary key.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        relax users.id { nulls from contract }
        stage expand;
    }
}

fn main() {}
