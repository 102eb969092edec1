//! A conversion gives the same value each time (H63).

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "total + random()" or reject,
            backward "total_cents - extract(epoch from now())" or reject,
        }
        stage expand;
    }
}

fn main() {}
