//! There is no way back from a contract.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change contracted_name {
        rename users.name to full_name;
        stage migrate;
    }
}

fn main() {}
