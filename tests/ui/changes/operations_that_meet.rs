//! The operations of a change go through each phase together, so none can build on another.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text, bio text);";

    change rename_everything {
        rename users.name to full_name;
        split users into profiles { key user_id, move name }
        stage expand;
    }
}

fn main() {}
