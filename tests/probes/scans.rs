//! How pieces of a table are found.

use crate::support::{database, version};

#[test]
fn h57_a_range_of_physical_places_is_read_by_itself_since_14() {
    let database = database("scans");
    let mut client = database.connect().unwrap();
    client.batch_execute("create table t as select n, repeat('x', 100) as s from generate_series(1, 20000) n").unwrap();
    client.batch_execute("analyze t").unwrap();
    let expected = if version() >= 14 { "Tid Range Scan on t" } else { "Seq Scan on t" };
    for statement in [
        "select * from t where ctid >= '(10,0)' and ctid < '(20,0)'",
        "update t set s = '' where ctid >= '(10,0)' and ctid < '(20,0)' and n > 0",
        "select * from t where ctid >= '(10,0)' and ctid < '(20,0)' for update",
    ] {
        let plan: Vec<String> = (client.query(&format!("explain (costs off) {statement}"), &[]).unwrap().iter())
            .map(|row| row.get(0))
            .collect();
        assert!(plan.iter().any(|line| line.contains(expected)), "{statement}: {plan:?}");
    }
}
