//! At stage `contract`, code that still reads the old shape does not compile.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, legacy text);";

    /// Nobody knows what this was for.
    change drop_legacy_code {
        drop users.legacy;
        stage contract;
    }
}

fn legacy(db: &mut postgres::Client) -> Option<String> {
    drop_legacy_code::before::users::find(db, 1).unwrap().unwrap().legacy
}

fn main() {}
