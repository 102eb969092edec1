//! A function that nobody declares.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "to_cents(total)" or reject,
            irreversible,
        }
        stage expand;
    }
}

fn main() {}
