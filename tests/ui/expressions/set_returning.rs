//! A conversion makes one value out of one row: functions that return sets.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "generate_series(1, total)" or reject,
            irreversible,
        }
        stage expand;
    }
}

fn main() {}
