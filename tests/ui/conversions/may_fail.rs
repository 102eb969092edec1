//! A conversion that may fail says what happens then.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total * 100",
            backward "total_cents::integer",
        }
        stage expand;
    }
}

fn main() {}
