use coexist_core::schema::{TriggerEnabled, TriggerTiming};

use crate::{schema, table};

#[test]
fn triggers() {
    let schema = schema(
        "CREATE TABLE app.t (a int, \"B b\" text);
         CREATE TRIGGER one BEFORE INSERT OR UPDATE OF a, \"B b\" ON app.t FOR EACH ROW
             WHEN ((new.a IS DISTINCT FROM 1)) EXECUTE FUNCTION app.touch('x', 'y');
         CREATE TRIGGER two AFTER UPDATE ON app.t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
             EXECUTE PROCEDURE touch();
         CREATE CONSTRAINT TRIGGER three AFTER DELETE ON app.t FROM app.u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
             EXECUTE FUNCTION touch();
         CREATE TRIGGER four AFTER TRUNCATE ON app.t EXECUTE FUNCTION touch();
         ALTER TABLE app.t ENABLE ALWAYS TRIGGER one;
         ALTER TABLE app.t DISABLE TRIGGER two, ENABLE REPLICA TRIGGER four;
         CREATE TRIGGER gone AFTER INSERT ON app.t EXECUTE FUNCTION touch();
         DROP TRIGGER gone ON app.t;",
    );
    let [one, two, three, four] = table(&schema, "app.t").triggers.as_slice() else { panic!() };
    assert_eq!((one.timing, one.for_each_row, one.enabled), (TriggerTiming::Before, true, TriggerEnabled::Always));
    assert!(one.on_insert && one.on_update && !one.on_delete && !one.on_truncate);
    assert_eq!(one.update_of, ["a", "B b"]);
    assert_eq!(one.condition.as_ref().unwrap().text, "new.a IS DISTINCT FROM 1");
    assert_eq!(one.function, "app.touch('x', 'y')");
    assert!(one.text.starts_with("CREATE TRIGGER one") && one.text.ends_with("'y')"));
    assert_eq!((two.timing, two.for_each_row, two.enabled), (TriggerTiming::After, false, TriggerEnabled::Disabled));
    assert!(three.on_delete && three.for_each_row);
    assert!(four.on_truncate && !four.for_each_row);
    assert_eq!((four.enabled, four.line), (TriggerEnabled::Replica, 8));
}

#[test]
fn what_belongs_to_a_view_is_kept_as_it_is() {
    let schema = schema(
        "CREATE TABLE t (a int);
         CREATE VIEW v AS SELECT a FROM t;
         CREATE TRIGGER i INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
         CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING;",
    );
    assert_eq!(schema.opaque.iter().map(|statement| statement.line).collect::<Vec<_>>(), [3, 4]);
    assert!(schema.opaque[1].identifiers.contains(&"v".to_owned()));
}

#[test]
fn policies() {
    let schema = schema(
        "CREATE TABLE t (a int, owner text);
         CREATE POLICY one ON t AS RESTRICTIVE FOR UPDATE TO app, CURRENT_USER USING ((owner = CURRENT_USER)) WITH CHECK ((a < 100));
         CREATE POLICY two ON t USING (( SELECT allowed() AS allowed));
         CREATE POLICY three ON t;
         CREATE POLICY gone ON t;
         DROP POLICY gone ON t;",
    );
    let policies = &table(&schema, "t").policies;
    let texts = |at: usize| policies[at].expressions.iter().map(|sql| sql.text.as_str()).collect::<Vec<_>>();
    assert_eq!(texts(0), ["owner = CURRENT_USER", "a < 100"]);
    // A query is an expression only in its parentheses.
    assert_eq!(texts(1), ["( SELECT allowed() AS allowed)"]);
    assert!(texts(2).is_empty());
    assert_eq!((policies.len(), policies[1].line), (3, 3));
}

#[test]
fn rules() {
    let schema = schema(
        "CREATE TABLE t (a int);
         CREATE RULE \"my rule\" AS ON DELETE TO t DO INSTEAD (INSERT INTO u (a) VALUES (1); DELETE FROM u);
         CREATE RULE gone AS ON INSERT TO t DO ALSO NOTHING;
         DROP RULE gone ON t;",
    );
    let [rule] = table(&schema, "t").rules.as_slice() else { panic!() };
    assert_eq!((rule.name.as_str(), rule.line), ("my rule", 2));
    assert!(rule.text.ends_with("DELETE FROM u)"));
}
