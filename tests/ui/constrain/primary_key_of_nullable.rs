//! A primary key of a column that may be null.

coexist::migrations! {
    schema sql "create table orders (number integer);";

    change it {
        constrain orders: primary key (number) or reject;
        stage expand;
    }
}

fn main() {}
