//! A part that takes no null says what becomes of one.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text);";

    change name_parts {
        divide people.name into first_name: text not null, last_name: text {
            forward first_name "name",
            forward last_name "split_part(name, ' ', 2)" or reject,
            backward "first_name",
        }
        stage expand;
    }
}

fn main() {}
