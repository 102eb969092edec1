//! What cannot be taken back with the table has no place in `add table`.

coexist::migrations! {
    schema sql "create table users (id bigint primary key);";

    change add_notes {
        add table "create table notes (id bigint primary key); insert into notes select id from users";
        stage expand;
    }
}

fn main() {}
