//! A key passes to the parts only where it says the same of them.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text not null unique);";

    change name_parts {
        divide people.name into first_name: text not null, last_name: text {
            forward first_name "split_part(name, ' ', 1)" or reject,
            forward last_name "split_part(name, ' ', 2)" or reject,
            backward "first_name || ' ' || last_name" or reject,
        }
        stage expand;
    }
}

fn main() {}
