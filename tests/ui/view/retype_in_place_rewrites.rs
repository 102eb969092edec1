//! PostgreSQL would write every row anew, or build an index, while nobody can use the table.

coexist::migrations! {
    schema sql "create table orders (id bigint primary key, total integer not null, code varchar(10)); create index orders_code on orders (lower(code));";

    change widen_total {
        retype orders.total to bigint in place;
        stage expand;
    }
    change free_code {
        retype orders.code to text in place;
        stage expand;
    }
}

fn main() {}
