//! The key of the new table stands for the primary key.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, name text not null, bio text);
        create table seats (train int, seat int, note text, primary key (train, seat));
        create table notes (text text, author text);
    ";

    change by_name {
        split users into profiles { key name, move bio }
        stage expand;
    }
    change by_half_of_it {
        split seats into seat_notes { key seat, move note }
        stage expand;
    }
    change by_nothing {
        split notes into authors { key id, move author }
        stage expand;
    }
}

fn main() {}
