//! A column that no shape has.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, rate integer);";

    change widen_order_total {
        retype orders.total to total_cents: bigint {
            forward "totl::bigint",
            backward "total_cents::integer" or reject,
        }
        stage expand;
    }
}

fn main() {}
