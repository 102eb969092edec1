//! The partition key.

coexist::migrations! {
    schema sql "
        create table events (id bigint not null, day date not null) partition by range (day);
    ";

    change rename_event_day {
        rename events.day to on_day;
        stage expand;
    }
}

fn main() {}
