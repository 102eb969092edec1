//! A conversion makes one value out of one row: aggregate functions.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "sum(total)" or reject,
            backward "count(*) filter (where total_cents > 0)" or reject,
        }
        stage expand;
    }
}

fn main() {}
