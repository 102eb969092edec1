//! A key whose values the database cannot make.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract countries from addresses (country as name) { key id: text, reference country_id }
        stage expand;
    }
}

fn main() {}
