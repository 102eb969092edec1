//! Failures that pass, failures that do not, and rows that cannot be filled.

use std::time::Duration;

use coexist::plan::Plan;
use coexist::{Class, Error, Options, Pace};

use crate::plans::{USERS, rename, split};
use crate::world::World;

/// A database in which the writes of `plan` are in step, and in which every write to `table` does `action` first.
fn failing(hint: &str, plan: &Plan, table: &str, action: &str) -> World {
    let world = World::new(hint, USERS);
    let mut runner = world.runner();
    runner.expand(plan).unwrap();
    runner.dual_write(plan).unwrap();
    world.execute(&format!(
        "create sequence tries;
        create function fail() returns trigger language plpgsql as $$ begin {action} return new; end $$;
        create trigger fail before insert or update on {table} for each row execute function fail()"
    ));
    world
}

/// What was tried again, by SQLSTATE. Of a session that is ended, the server's last words may be lost with it.
fn retries(world: &World) -> Vec<(String, i64)> {
    let sql = "select replace(name, '08006', '57P01'), sum(times)::bigint from coexist.tallies where kind = 'retry' group by 1 order by 1";
    let rows = world.client().query(sql, &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn h01_h11_h12_h13_failures_that_pass_are_tried_again_and_counted() {
    let plan = rename();
    let world = failing(
        "passing",
        &plan,
        "users",
        "case nextval('tries')
            when 1 then raise exception using errcode = '40001';
            when 2 then raise exception using errcode = '40P01';
            when 3 then raise exception using errcode = '55P03';
            when 4 then raise exception using errcode = '57014';
            when 5 then perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(60);
            else null;
        end case;",
    );
    world.runner().backfill(&plan, &Pace::default()).unwrap();
    assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 1000, "each row once");
    let counted = ["40001", "40P01", "55P03", "57014", "57P01"].map(|code| (code.to_string(), 1));
    assert_eq!(retries(&world), counted);
}

#[test]
fn failures_that_do_not_pass_end_it() {
    let plan = rename();
    for (action, code) in [
        ("raise exception using errcode = '40001';", "40001"),
        ("perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(60);", "57P01"),
    ] {
        let world = failing("not_passing", &plan, "users", action);
        let options = Options::default().deadline(Duration::from_millis(500));
        let failed = world.runner_with(options).backfill(&plan, &Pace::default()).unwrap_err();
        assert_eq!(failed.class(), Class::Failed);
        let tried = retries(&world);
        assert!(tried.len() == 1 && tried[0].0 == code && (1..=6).contains(&tried[0].1), "{failed}: {tried:?}");
        assert_eq!(world.value::<i64>("select sum(rows)::bigint from coexist.segments"), 0);
    }
}

#[test]
fn h11_batches_are_halved_down_to_the_row_that_is_cancelled() {
    let cancel = |row: &str| format!("if new.{row} = 500 then raise exception using errcode = '57014'; end if;");
    for (plan, table, key, row) in
        [(rename(), "users", "id", r#"{"id": 500}"#), (split(), "profiles", "user_id", "id = 500")]
    {
        let world = failing("cancelled_row", &plan, table, &cancel(key));
        let failed = world.runner().backfill(&plan, &Pace::default()).unwrap_err();
        assert!(matches!(failed, Error::Row { .. }), "{failed}");
        let message = failed.to_string();
        assert!(
            message.starts_with(&format!("change `{}`: row {row} of users cannot be filled: ", plan.change)),
            "{message}"
        );
        assert!(message.ends_with(
            "[57014]\nhelp: all others of its batch take no time: see what the table's own triggers do with this one, then run the \
             same command again"
        ), "{message}");
        let [(code, count)] = &retries(&world)[..] else { panic!("{:?}", retries(&world)) };
        assert!(code == "57014" && (3..20).contains(count), "{count} halvings");
        assert!(
            world.value::<i64>("select sum(rows)::bigint from coexist.segments") > 200,
            "those before it are filled"
        );
        world.execute(&format!("drop trigger fail on {table}"));
        world.runner().up(&plan, &Pace::default()).unwrap();
    }
}

#[test]
fn h11_a_row_that_takes_too_long_is_named() {
    let plan = Plan { batch: Some(1), ..rename() };
    let world = failing("slow_row", &plan, "users", "if new.id = 2 then perform pg_sleep(1000); end if;");
    let options = Options::default().statement_timeout(Duration::from_secs(2));
    let pace = Pace::default().batch(Duration::from_millis(1));
    let failed = world.runner_with(options).backfill(&plan, &pace).unwrap_err().to_string();
    assert!(failed.starts_with(r#"change `rename_user_name`: row {"id": 2} of users cannot be filled: "#), "{failed}");
    assert!(failed.contains("statement timeout"), "{failed}");
}
