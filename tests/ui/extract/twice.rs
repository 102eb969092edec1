//! A name that another column has.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract countries from addresses (country as name, code as name) { key id: bigint, reference country_id }
        stage expand;
    }
}

fn main() {}
