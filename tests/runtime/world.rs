//! A database, a runner on it, and what happened.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use coexist::plan::Plan;
use coexist::sandbox::{Database as Throwaway, Sandbox};
use coexist::{Database, Event, Options, Runner, catalog};
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

    /// A database with the same in it. Nobody may be connected to this one meanwhile.
    pub fn copy(&self, hint: &str) -> Self {
        let database = Sandbox::shared().unwrap().database(hint).unwrap();
        let mut server = database.config().dbname("postgres").connect(postgres::NoTls).unwrap();
        let (name, from) = (database.name(), self.database.name());
        server.batch_execute(&format!("drop database {name}")).unwrap();
        server.batch_execute(&format!("create database {name} template {from}")).unwrap();
        Self { database, server: self.server }
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
        catalog::dump(&mut self.client(), &["coexist"]).unwrap().to_string()
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
