//! What cannot be carried for each partition, and what a move between partitions would lose.

coexist::migrations! {
    schema sql "
        create table events (id bigint not null, day date not null, kind text, size numeric not null) partition by range (day);
        create index events_kind on events (kind);
        create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01');
    ";

    change rename_event_kind {
        rename events.kind to sort;
        stage expand;
    }

    change round_size {
        retype events.size to bytes: bigint {
            forward lossy "round(size)::bigint" or reject,
            backward "bytes::numeric",
        }
        stage expand;
    }

    change split_events {
        split events into sizes { key event_id, move size }
        stage expand;
    }

    change of_a_partition {
        rename events_2026.size to bytes;
        stage expand;
    }
}

fn main() {}
