//! An extraction that does not say what the key of the new table is.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract countries from addresses (country as name) { reference country_id }
        stage expand;
    }
}

fn main() {}
