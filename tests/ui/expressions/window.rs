//! A conversion makes one value out of one row: window functions.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "row_number() over (order by total)" or reject,
            backward "lag(total_cents)" or reject,
        }
        stage expand;
    }
}

fn main() {}
