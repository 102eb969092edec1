//! When triggers fire, and what they see.

use postgres::Client;

use crate::support::{code, database};

/// A table whose triggers write their names into `log`.
const LOGGED: &str = "
create table t (id integer primary key, a integer, b integer, log text default '');
create function note() returns trigger language plpgsql as $$
begin
    new.log := new.log || tg_name || ' ';
    return new;
end $$;
create function set_a() returns trigger language plpgsql as 'begin new.a := 2; return new; end';
";

fn log(client: &mut Client) -> String {
    client.query_one("select rtrim(log) from t", &[]).unwrap().get(0)
}

#[test]
fn h37_before_triggers_fire_in_the_order_of_the_bytes_of_their_names() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    for name in ["zz_1", "b", "é", "a", "Z", "_", "zz", "~"] {
        client
            .batch_execute(&format!(
                "create trigger \"{name}\" before insert on t for each row execute function note()"
            ))
            .unwrap();
    }
    client.batch_execute("insert into t values (1)").unwrap();
    assert_eq!(log(&mut client), "Z _ a b zz zz_1 ~ é");
}

#[test]
fn h37_when_sees_what_earlier_triggers_changed() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    client
        .batch_execute(
            "create trigger a_first before update on t for each row execute function set_a();
             create trigger b_last before update on t for each row when (new.a is distinct from old.a)
                 execute function note();
             insert into t (id, a) values (1, 1);
             update t set b = 1",
        )
        .unwrap();
    assert_eq!(log(&mut client), "b_last");
}

#[test]
fn h37_update_of_goes_by_the_set_list_and_not_by_what_changes() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    client
        .batch_execute(
            "create trigger of_a before update of a on t for each row execute function note();
             insert into t (id, a) values (1, 1)",
        )
        .unwrap();
    client.batch_execute("update t set a = a, log = ''").unwrap();
    assert_eq!(log(&mut client), "of_a", "named in the list, and the same");
    client.batch_execute("create trigger a_first before update on t for each row execute function set_a()").unwrap();
    client.batch_execute("update t set b = 1, log = ''").unwrap();
    assert_eq!(log(&mut client), "", "not named, and changed by an earlier trigger");
    assert_eq!(client.query_one("select a from t", &[]).unwrap().get::<_, i32>(0), 2);
}

#[test]
fn on_conflict_do_update_fires_update_of_by_its_set_list() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    client
        .batch_execute(
            "insert into t (id, a) values (1, 1);
             create trigger of_a before update of a on t for each row execute function note();
             create trigger of_b before update of b on t for each row execute function note();
             create trigger on_insert before insert on t for each row execute function note();
             insert into t (id, a) values (1, 5) on conflict (id) do update set a = excluded.a, log = excluded.log",
        )
        .unwrap();
    // The row that was proposed went through the INSERT triggers first.
    assert_eq!(log(&mut client), "on_insert of_a");
}

#[test]
fn h38_a_stored_generated_column_is_null_in_a_before_trigger() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client
        .batch_execute(
            "create table t (a integer, g integer generated always as (a * 2) stored, seen integer);
             create function see() returns trigger language plpgsql as 'begin new.seen := new.g; return new; end';
             create trigger see before insert on t for each row execute function see();
             insert into t (a) values (1)",
        )
        .unwrap();
    assert_eq!(client.query_one("select seen from t", &[]).unwrap().get::<_, Option<i32>>(0), None);
}

#[test]
fn h32_a_trigger_that_names_a_dropped_column_breaks_the_next_write() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    client
        .batch_execute(
            "create trigger a_first before insert on t for each row execute function set_a();
             alter table t drop a",
        )
        .unwrap();
    assert_eq!(code(&client.batch_execute("insert into t (id) values (1)").unwrap_err()), "42703");
}

#[test]
fn h45_truncate_fires_no_row_trigger_but_a_statement_trigger() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client
        .batch_execute(
            "create table t (a integer); create table fired (how text);
             create function fire() returns trigger language plpgsql as $$
             begin
                 insert into fired values (tg_level || ' ' || tg_op);
                 return old;
             end $$;
             create trigger for_row before delete on t for each row execute function fire();
             create trigger for_statement before truncate on t for each statement execute function fire();
             insert into t values (1);
             truncate t",
        )
        .unwrap();
    let fired: Vec<String> = client.query("select how from fired", &[]).unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(fired, ["STATEMENT TRUNCATE"]);
}

#[test]
fn a_trigger_needs_no_right_to_execute_its_function() {
    let database = database("triggers");
    let mut client = database.connect().unwrap();
    client.batch_execute(LOGGED).unwrap();
    client
        .batch_execute(
            "create trigger n before insert on t for each row execute function note();
             revoke all on function note() from public;
             grant insert on t to pg_monitor;
             set role pg_monitor;
             insert into t (id) values (1);
             reset role",
        )
        .unwrap();
    assert_eq!(log(&mut client), "n");
}
