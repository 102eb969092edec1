//! Values of which none repeats.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text unique);";

    change extract_countries {
        extract countries from addresses (country as name) { key id: bigint, reference country_id }
        stage expand;
    }
}

fn main() {}
