//! A foreign key stands between columns that compare with each other.

coexist::migrations! {
    schema sql "
        create table users (id integer primary key);
        create table orders (id integer primary key, user_id integer references users);
    ";

    change user_ids_as_text {
        retype users.id to key: text { forward "id::text", backward "key::integer" or reject }
        stage expand;
    }
}

fn main() {}
