//! What is copied says how it is converted, also where it keeps its name.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, code varchar(10)); create index orders_code on orders (lower(code));";

    change widen_total {
        retype orders.total to bigint;
        stage expand;
    }
}

fn main() {}
