//! The strong lock would be held while the table is read (H26).

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text);";

    change name_users {
        sql {
            validate "alter table users add constraint named check (name <> '') not valid; alter table users validate constraint named"
                undo "alter table users drop constraint if exists named" locks users access exclusive
        }
        stage expand;
    }
}

fn main() {}
