//! Values of a type that has several ways to write what is equal.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null, code text, price numeric);";

    change extract_countries {
        extract prices from addresses (price) { key id: bigint, reference price_id }
        stage expand;
    }
}

fn main() {}
