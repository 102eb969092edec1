//! A conversion that depends on the session.

coexist::migrations! {
    schema sql "create table events (id bigint primary key, at timestamp not null);";

    change with_time_zone {
        retype events.at to happened: timestamptz {
            forward "at::timestamptz" or reject,
            irreversible,
        }
        stage expand;
    }
}

fn main() {}
