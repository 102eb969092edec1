//! An index and a check that read the column, of which nothing is written back.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null check (name <> ''));
        create index users_by_name on users (lower(name)) where name <> 'nobody';
    ";

    change hash_names {
        retype users.name to name_hash: bytea { forward lossy "sha256(convert_to(name, 'UTF8'))" or reject, irreversible }
        stage expand;
    }
}

fn main() {}
