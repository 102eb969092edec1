//! A type that does not exist.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigitn {
            forward "total::bigint",
            irreversible,
        }
        stage expand;
    }
}

fn main() {}
