//! A change that the schema shows as contracted is finished.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, full_name text not null);";

    change contracted_name {
        rename users.name to full_name;
        stage contract;
    }
}

fn main() {}
