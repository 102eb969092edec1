//! An extraction that does not say which values repeat.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract countries from addresses { key id: bigint, reference country_id }
        stage expand;
    }
}

fn main() {}
