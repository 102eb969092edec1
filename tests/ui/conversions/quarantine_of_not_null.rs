//! A value that does not convert cannot become NULL where NULL is no value.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total::bigint",
            backward "total_cents::integer" or quarantine,
        }
        stage expand;
    }
}

fn main() {}
