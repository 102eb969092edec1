//! A database, a runner on it, and what happened.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coexist::plan::Plan;
use coexist::sandbox::{Database as Throwaway, Sandbox};
use coexist::{Database, Event, Options, Runner};
use postgres::Client;

/// A database of one test.
pub struct World {
    pub database: Throwaway,
    pub server: u32,
}

impl World {
    /// With the given tables.
    pub fn new(hint: &str, schema: &str) -> Self {
        let sandbox = Sandbox::shared().unwrap();
        let world = Self { database: sandbox.database(hint).unwrap(), server: sandbox.version() };
        world.client().batch_execute(schema).unwrap();
        world
    }

    pub fn client(&self) -> Client {
        self.database.connect().unwrap()
    }

    pub fn execute(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap();
    }

    /// The first column of the first row.
    pub fn value<T: for<'a> postgres::types::FromSql<'a>>(&self, sql: &str) -> T {
        self.client().query_one(sql, &[]).unwrap().get(0)
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.value(&format!("select count(*) from {sql}"))
    }

    pub fn address(&self) -> Database {
        Database::at(&self.database.url()).unwrap()
    }

    pub fn runner(&self) -> Runner {
        self.runner_with(Options::default())
    }

    pub fn runner_with(&self, options: Options) -> Runner {
        Runner::new(self.address(), options).unwrap()
    }

    /// What the catalog says about everything but the ledger, as text.
    pub fn catalog(&self) -> String {
        let rows = self
            .client()
            .query(
                "select line from (
                    select format('relation %s %s %s %s', c.oid::regclass, c.relkind, c.relacl, obj_description(c.oid, 'pg_class'))
                    from pg_class c where c.relnamespace = 'public'::regnamespace
                    union all
                    select format('column %s.%s %s %s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                        pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
                    from pg_attribute join pg_class c on c.oid = attrelid left join pg_attrdef on adrelid = attrelid and adnum = attnum
                    where c.relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
                    union all
                    select format('constraint %s %s %s %s', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
                    from pg_constraint where connamespace = 'public'::regnamespace
                    union all
                    select format('index %s %s %s', indexrelid::regclass, indisvalid, pg_get_indexdef(indexrelid))
                    from pg_index join pg_class c on c.oid = indexrelid where c.relnamespace = 'public'::regnamespace
                    union all
                    select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t where not tgisinternal
                    union all
                    select format('function %s %s', p.oid::regprocedure, prosrc)
                    from pg_proc p where p.pronamespace = 'public'::regnamespace
                ) as lines (line) order by line collate \"C\"",
                &[],
            )
            .unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        lines.join("\n")
    }

    /// How the ledger has a step.
    pub fn step(&self, change: &str, id: &str) -> String {
        let row = self
            .client()
            .query_opt("select state from coexist.steps where change = $1 and id = $2", &[&change, &id])
            .unwrap();
        row.map_or_else(String::new, |row| row.get(0))
    }

    pub fn phase(&self, plan: &Plan) -> &'static str {
        self.runner().phase(&plan.change).unwrap().name()
    }
}

/// Waits until `condition` holds. The limit is for a test that would hang, not for a slow machine.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(120), "never happened: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a run told.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    pub fn observer(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |event| told.lock().unwrap().push(event.to_string())
    }

    pub fn text(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}
