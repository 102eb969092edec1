//! One column that becomes one is no division.

coexist::migrations! {
    schema sql "create table people (id bigint primary key, name text not null);";

    change name_parts {
        divide people.name into first_name: text not null { forward "name", backward "first_name" }
        stage expand;
    }
}

fn main() {}
