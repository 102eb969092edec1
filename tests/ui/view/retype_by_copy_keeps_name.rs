//! A table has no room for two columns of one name.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, code varchar(10)); create index orders_code on orders (lower(code));";

    change widen_total {
        retype orders.total to bigint by copy { forward "total::bigint", backward "total::integer" or reject }
        stage expand;
    }
}

fn main() {}
