//! More than one expression.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "1; drop table orders",
            backward "total_cents, 1" or reject,
        }
        stage expand;
    }
}

fn main() {}
