//! A merge that does not speak of every column, and does not say what a row without a partner holds.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key);
        create table profiles (user_id bigint primary key references users, bio text not null, photo text);";

    change merge_profiles {
        merge profiles into users { key user_id, move bio }
        stage expand;
    }

    change merge_profiles_as_well {
        merge profiles into users { key user_id, move bio or null }
        stage expand;
    }
}

fn main() {}
