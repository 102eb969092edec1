//! What has columns of both tables cannot be carried.

coexist::migrations! {
    schema sql "
        create table users (id bigint primary key, first date, last date, constraint in_order check (first <= last));
    ";

    change split_user_profile {
        split users into stays { key user_id, move last }
        stage expand;
    }
}

fn main() {}
