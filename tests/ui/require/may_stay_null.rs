//! An expression that may leave the column null.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        require users.email { fill "lower(name)" }
        stage expand;
    }
}

fn main() {}
