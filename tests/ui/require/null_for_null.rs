//! NULL in place of NULL.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        require users.email { fill "null" }
        stage expand;
    }
}

fn main() {}
