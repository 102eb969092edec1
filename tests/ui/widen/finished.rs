//! The dump was written after the contract.

coexist::migrations! {
    schema sql "create table users (id bigint primary key);";

    change widened_key {
        widen users.id to bigint;
        stage contract;
    }
}

fn main() {}
