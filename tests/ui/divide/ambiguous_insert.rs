//! Where a default shows whether old or new code inserted a row, the declaration says which is meant.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text default 'No Body');";

    change name_parts {
        divide people.name into first_name: text, last_name: text {
            forward first_name "split_part(name, ' ', 1)" or reject,
            forward last_name "split_part(name, ' ', 2)" or reject,
            backward "first_name || ' ' || last_name" or reject,
        }
        stage expand;
    }
}

fn main() {}
