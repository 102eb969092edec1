//! An extraction that does not say which column refers to the new table.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract countries from addresses (country as name) { key id: bigint }
        stage expand;
    }
}

fn main() {}
