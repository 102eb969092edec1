//! What loses information says so.

coexist::migrations! {
    schema sql "create table events (id bigint primary key, at timestamp not null);";

    change keep_the_day {
        retype events.at to day: date {
            forward "at::date",
            backward lossy "day::timestamp" or reject,
        }
        stage expand;
    }
}

fn main() {}
