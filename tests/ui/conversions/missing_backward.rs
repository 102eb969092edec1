//! Old code reads what new code wrote.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total::bigint",
        }
        stage expand;
    }
}

fn main() {}
