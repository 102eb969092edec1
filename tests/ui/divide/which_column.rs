//! Where several columns are made, each conversion says which one it makes.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text not null);";

    change name_parts {
        divide people.name into first_name: text not null, last_name: text not null {
            forward "split_part(name, ' ', 1)" or reject,
            forward lastname "split_part(name, ' ', 2)" or reject,
            backward "first_name || ' ' || last_name" or reject,
        }
        stage expand;
    }
}

fn main() {}
