//! A constraint that would be about two tables.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, street text, country text not null, constraint apart check (street <> country));";

    change extract_countries {
        extract countries from addresses (country as name) { key id: bigint, reference country_id }
        stage expand;
    }
}

fn main() {}
