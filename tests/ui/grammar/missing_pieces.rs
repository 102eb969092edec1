//! Pieces of a declaration that are not there, each with one message.

coexist::migrations! {
    schema sql "create table users (id bigint primary key, name text not null, bio text);";

    change no_new_name {
        rename users.name to;
        stage expand;
    }
    change no_column {
        rename users to people;
        stage expand;
    }
    change no_semicolon {
        rename users.name to full_name
        stage expand;
    }
    change not_quoted {
        retype users.id to key: numeric { forward id::numeric, irreversible }
        stage expand;
    }
}

fn main() {}
