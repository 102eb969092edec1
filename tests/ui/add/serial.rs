//! Numbers for all rows at once rewrite the table.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null);";

    change number_users {
        add users.number: bigserial;
        stage expand;
    }
}

fn main() {}
