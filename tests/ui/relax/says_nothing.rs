//! What old readers see is not said.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, email text);";

    change it {
        relax users.name;
        stage expand;
    }
}

fn main() {}
