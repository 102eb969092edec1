//! A view shows a column as it is, and in place there is only one.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, code varchar(10)); create index orders_code on orders (lower(code));";

    change widen_total {
        retype orders.total to cents: bigint through view { forward "total::bigint", backward "cents::integer" or reject }
        stage expand;
    }
    change free_code {
        retype orders.code to label: text in place;
        stage expand;
    }
}

fn main() {}
