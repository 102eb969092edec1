//! What becomes of NULL is not said.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        require users.email;
        stage expand;
    }
}

fn main() {}
