//! A default cannot read the row.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        default users.email: "name";
        stage expand;
    }
}

fn main() {}
