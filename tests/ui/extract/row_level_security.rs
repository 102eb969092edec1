//! H43: nobody can say who may see a value that many rows share.

coexist::migrations! {
    schema sql "create table addresses (id bigint primary key, country text not null); alter table addresses enable row level security;";

    change extract_countries {
        extract countries from addresses (country as name) { key id: bigint, reference country_id }
        stage expand;
    }
}

fn main() {}
