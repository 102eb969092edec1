//! Every new column is made of something.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text not null);";

    change name_parts {
        divide people.name into first_name: text not null, last_name: text not null {
            forward first_name "split_part(name, ' ', 1)" or reject,
            backward "first_name || ' ' || last_name" or reject,
        }
        stage expand;
    }
}

fn main() {}
