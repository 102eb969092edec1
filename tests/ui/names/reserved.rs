//! New tables whose names, or whose primary keys' names, belong to an index, a constraint or a type.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, bio text, about text, mood text, note text);
        create index profiles on users (id);
        create index details_pkey on users (id);
        create type mood as enum ('fine');
    ";

    change into_an_index {
        split users into profiles { key user_id, move bio }
        stage expand;
    }
    change into_a_constraint {
        split users into users_pkey { key user_id, move about }
        stage expand;
    }
    change into_a_type {
        split users into mood { key user_id, move mood }
        stage expand;
    }
    change with_a_key_that_is_an_index {
        split users into details { key user_id, move note }
        stage expand;
    }
}

fn main() {}
