//! A move along a reference that no index finds.

coexist::migrations! {
    schema sql "
        create table customers (id bigint primary key);
        create table orders (id bigint primary key, customer_id bigint references customers, city text);";

    change move_city {
        move orders.city to customers.city { via orders.customer_id, conflicting rows refuse }
        stage expand;
    }
}

fn main() {}
