//! Phase blocks stand in the order in which the phases run.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change rename_user_name {
        rename users.name to full_name;
        stage expand;
        contract { by "2027-02-01" }
        backfill { batch 5000 }
    }
}

fn main() {}
