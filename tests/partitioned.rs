//! Columns of partitioned tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use coexist::plan::Phase;
use support::in_flight::InFlight;
use support::life::Life;

/// Partitions by range, one of them partitioned once more, one with another order of columns; a default partition.
const EVENTS: &str = "create table events (day date not null, kind text not null default 'none', id bigint not null, total integer, primary key (id, day),
        constraint events_total check (total >= 0)) partition by range (day);
    create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
    create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01') partition by list (id);
    create table events_2026_all partition of events_2026 default;
    create table events_else (total integer, id bigint not null, kind text not null default 'none', day date not null, constraint events_total check (total >= 0));
    alter table events attach partition events_else default;";
const ROWS: &str = "insert into events (day, kind, id, total) select date '2025-01-01' + n * 2, 'k' || n, n, n from generate_series(1, 400) n;
    insert into events (day, id) select date '1999-01-01', n from generate_series(1000, 1100) n";
const RENAME: &str = "change it { rename events.kind to sort; stage contract; }";

#[test]
fn a_column_of_all_partitions() {
    Life {
        before: "create table events (day date not null, kind text not null default 'none', id bigint not null, total integer, primary key (id, day),
                constraint events_total check (total >= 0)) partition by range (day);
            create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
            create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01') partition by list (id);
            create table events_2026_all partition of events_2026 default;
            create table events_else partition of events default;",
        data: ROWS,
        change: r#"rename events.kind to sort; retype events.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject }"#,
        after: "create table events (day date not null, id bigint not null, sort text not null default 'none', cents bigint, primary key (id, day),
                constraint events_total check (cents >= 0)) partition by range (day);
            create table events_2025 partition of events for values from ('2025-01-01') to ('2026-01-01');
            create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01') partition by list (id);
            create table events_2026_all partition of events_2026 default;
            create table events_else partition of events default;",
    }
    .check();
}

/// Old code or new code moves a row: what both find is what was written.
#[test]
fn h47_rows_that_move_to_another_partition() {
    for phase in [Phase::DualWriting, Phase::Backfilled, Phase::Validated] {
        let mut db = InFlight::new(EVENTS, ROWS, RENAME);
        db.reach(phase);
        db.run("update events set day = '2026-05-05' where id = 1; update events set day = '1998-01-01', kind = 'old' where id = 2");
        db.run("update events set day = '2026-06-06', sort = 'new' where id = 3; update events_2026 set kind = 'part' where id = 300");
        db.run("insert into events (day, id, sort) values ('2026-07-07', 5000, 'born new'); insert into events_else (day, id) values ('1997-01-01', 5001)");
        assert_eq!(
            db.rows("select id, kind, sort, tableoid::regclass from events where id in (1, 2, 3, 300, 5000, 5001) order by id"),
            [
                "1|k1|k1|events_2026_all",
                "2|old|old|events_else",
                "3|new|new|events_2026_all",
                "300|part|part|events_2026_all",
                "5000|born new|born new|events_2026_all",
                "5001|none|none|events_else",
            ]
        );
        db.reach(Phase::Validated);
        assert_eq!(db.row("select count(*) from events where sort is distinct from kind"), "0");
    }
}

/// H47: the triggers come with the table.
#[test]
fn h47_a_partition_that_is_attached_meanwhile() {
    let mut db = InFlight::new(EVENTS, ROWS, RENAME);
    db.reach(Phase::DualWriting);
    db.run("create table events_2027 partition of events for values from ('2037-01-01') to ('2038-01-01')");
    db.run(
        "create table events_2028 (like events including defaults including constraints);
        insert into events_2028 (day, id, kind, sort) values ('2038-02-02', 7000, 'there', 'there');
        alter table events attach partition events_2028 for values from ('2038-01-01') to ('2039-01-01')",
    );
    db.run("insert into events (day, id, kind) values ('2037-01-01', 6000, 'in it'), ('2038-01-01', 6001, 'in it')");
    assert_eq!(db.rows("select sort from events where id >= 6000 order by id"), ["in it", "in it", "there"]);
    db.reach(Phase::Contracted);
    assert_eq!(db.row("select count(*) from events where sort is null"), "0");
}
