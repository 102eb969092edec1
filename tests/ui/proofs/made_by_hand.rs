//! Only the ledger gives a proof.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null)";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
    }
}

fn main() {
    let _ = rename_user_name::Backfilled(std::marker::PhantomData);
    let _ = rename_user_name::Backfilled::default();
}
