//! A move of a column of many rows to the one that they reference, which does not say whose value remains.

coexist::migrations! {
    schema sql "
        create table customers (id bigint primary key);
        create table orders (id bigint primary key, customer_id bigint references customers, city text);
        create index on orders (customer_id);";

    change move_city {
        move orders.city to customers.city { via orders.customer_id }
        stage expand;
    }
}

fn main() {}
