use crate::{name, schema, table, target};

#[test]
fn extended_statistics() {
    let schema = schema(
        "CREATE TABLE app.t (a int, b int);
         CREATE STATISTICS app.one (ndistinct, dependencies) ON a, b FROM app.t;
         CREATE STATISTICS two ON lower(b), ((a + b)) FROM app.t;
         ALTER STATISTICS app.one SET STATISTICS 100;
         COMMENT ON STATISTICS app.one IS 'why';
         CREATE STATISTICS ON a, b FROM app.t;
         CREATE STATISTICS (mcv) ON a, (a + b) FROM app.t;
         CREATE STATISTICS IF NOT EXISTS two ON a, b FROM app.t;
         CREATE STATISTICS gone ON a, b FROM app.t;
         DROP STATISTICS gone;",
    );
    let statistics = &table(&schema, "app.t").statistics;
    let names: Vec<String> = statistics.iter().map(|statistics| statistics.name.to_string()).collect();
    assert_eq!(names, ["app.one", "two", "app.t_a_b_stat", "app.t_a_expr_stat"]);
    assert_eq!(statistics[0].name, name("app.one"));
    assert_eq!(statistics[0].kinds, ["ndistinct", "dependencies"]);
    assert_eq!((statistics[0].target, statistics[0].comment.as_deref()), (Some(100), Some("why")));
    assert_eq!(statistics[1].on.iter().map(target).collect::<Vec<_>>(), ["(lower(b))", "(a + b)"]);
    assert_eq!(statistics[3].kinds, ["mcv"]);
}
