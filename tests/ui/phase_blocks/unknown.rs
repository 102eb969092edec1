//! Phases, settings and values that do not exist.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
        bckfill { batch 5000 }
        backfill { bacth 5000, batch 0 }
        contract { by "2027-02-30" }
    }
}

fn main() {}
