//! Each expression reads one shape, and only what the change names.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total_cents * rate" or reject,
            backward "total::integer" or reject,
        }
        stage expand;
    }
}

fn main() {}
