//! What a plan says that it locks, against what the server says: every step of every kind of change, there and back, on empty tables.
//! A step may take less than it says, never more, and nothing on another table; and of two tables, it locks the referenced one first.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

#[macro_use]
#[path = "../core/tests/declarations/mod.rs"]
mod declarations;
mod support;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use coexist::ledger::DDL;
use coexist::plan::{Action, LockLevel, Mode, Phase, Plan};
use coexist::sandbox::Database;
use coexist_core::ident::quote_ident;
use declarations::SCHEMA;
use postgres::{Client, GenericClient};
use support::in_flight::plans;

/// What the tables of the declarations have not.
const FURTHER: &str = "
    create table tags (name text not null);
    create table boxes (id serial primary key);
    create table items (id bigint primary key, box_id integer not null references boxes);
    create table events (id bigint, name text not null, primary key (id)) partition by range (id);
    create table events_1 partition of events for values from (0) to (100);
    create table events_2 partition of events for values from (100) to (200);";

test_each!(locks_what_it_says);

test_each! { locks_what_it_says;
    rename_in_partitions: "rename events.name to title;";
    rename_serial_that_is_referenced: "rename boxes.id to box_id;";
    widen_a_key_that_is_referenced: "widen boxes.id to bigint;";
    constrain_by_a_primary_key: "constrain tags: primary key (name) or reject;";
    constrain_by_a_reference_that_mends: r#"constrain users: (total) references boxes { fix total "1", old writes reject }"#;
    unconstrain_a_check: "unconstrain users: users_total_check;";
    default_none: "default users.total: none;";
    comment_on_a_column: r#"comment users.name: "What they are called";"#;
}

/// There and back, and then there for good.
fn locks_what_it_says(name: &str, change: &str) {
    let schema = format!("{SCHEMA}{FURTHER}");
    let plan = plans(&schema, &format!("change {name} {{ {change} stage contract; }}")).remove(0);
    let database = support::database("plan_locks");
    let mut server = Server::new(&database, &schema, &plan);
    for step in plan.steps.iter().filter(|step| step.phase < Phase::Contracted) {
        server.carry_out(&step.id, &step.action);
    }
    for step in plan.steps.iter().rev().filter(|step| step.phase < Phase::Contracted) {
        for undo in &step.undo {
            server.carry_out(&format!("{}, taken back", step.id), undo);
        }
    }
    for step in plan.steps.iter().chain(&plan.retire) {
        server.carry_out(&step.id, &step.action);
    }
    assert!(server.differences.is_empty(), "{}", server.differences.join("\n"));
}

type Locks = BTreeMap<String, LockLevel>;

struct Server {
    /// What carries out the steps.
    client: Client,
    /// What sees to it that those wait which cannot run in a transaction.
    other: Client,
    watcher: Client,
    search_path: String,
    config: postgres::Config,
    differences: Vec<String>,
}

impl Server {
    fn new(database: &Database, schema: &str, plan: &Plan) -> Self {
        let connect = || database.connect().unwrap();
        let mut client = connect();
        client.batch_execute(schema).unwrap();
        client.batch_execute(DDL).unwrap();
        let path: Vec<String> = plan.search_path.iter().map(|name| quote_ident(name)).collect();
        let search_path = format!("set search_path = {}", path.join(", "));
        client.batch_execute(&search_path).unwrap();
        Self {
            client,
            other: connect(),
            watcher: connect(),
            search_path,
            config: database.config(),
            differences: Vec::new(),
        }
    }

    fn carry_out(&mut self, what: &str, action: &Action) {
        let roots = roots(&mut self.watcher);
        let references = references(&mut self.watcher);
        let (measured, order) = match action.mode {
            Mode::Transaction | Mode::LongTransaction => self.in_transaction(&action.statements),
            Mode::Outside => (self.outside(action), BTreeMap::new()),
        };
        // H25: clients that write a row and then one that references it wait for us, or we for them; not both.
        for (referencing, referenced) in &references {
            let mutual = references.contains(&(referenced.clone(), referencing.clone()));
            if let (Some(first), Some(then)) = (order.get(referencing), order.get(referenced))
                && first < then
                && !mutual
            {
                self.differences.push(format!("{what} locks {referencing} before {referenced}, which it references"));
            }
        }
        for (table, level) in measured {
            // What the step itself has made is nobody else's yet.
            let Some(root) = roots.get(&table) else { continue };
            let names = |lock: &&coexist::plan::Lock| format!("{}.{}", lock.table.schema, lock.table.name);
            let declared = action.locks.iter().filter(|lock| names(lock) == table || names(lock) == *root);
            let declared = declared.map(|lock| lock.level).max();
            // A reader is in the way of nobody but those who would be in the way of everybody.
            if level > declared.unwrap_or(LockLevel::AccessShare) {
                let declared = declared.map_or("nothing", LockLevel::name);
                self.differences.push(format!("{what} locks {table} in {} mode, and says {declared}", level.name()));
            }
        }
    }

    /// What is locked in the end, and by which statement each table was locked against writers.
    fn in_transaction(&mut self, statements: &[String]) -> (Locks, BTreeMap<String, usize>) {
        let mut tx = self.client.transaction().unwrap();
        let pid: i32 = tx.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
        let (mut locks, mut order) = (Locks::new(), BTreeMap::new());
        for (n, statement) in statements.iter().enumerate() {
            tx.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
            locks = held(&mut tx, pid);
            for (table, _) in locks.iter().filter(|(_, level)| level.conflicts_with(LockLevel::RowExclusive)) {
                order.entry(table.clone()).or_insert(n);
            }
        }
        tx.commit().unwrap();
        (locks, order)
    }

    /// Such a statement waits for the transactions that were there before, and holds its locks meanwhile.
    fn outside(&mut self, action: &Action) -> Locks {
        let mut all = Locks::new();
        for statement in &action.statements {
            let mut client = self.config.connect(postgres::NoTls).unwrap();
            client.batch_execute(&self.search_path).unwrap();
            let pid: i32 = client.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
            let tables: Vec<String> = action.locks.iter().map(|lock| lock.table.quoted()).collect();
            self.other.batch_execute("begin").unwrap();
            for table in &tables {
                self.other.batch_execute(&format!("lock table {table} in row exclusive mode")).unwrap();
            }
            let running = {
                let statement = statement.clone();
                thread::spawn(move || {
                    client.batch_execute(&statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"))
                })
            };
            support::wait_until("the statement waits, or is done", || {
                thread::sleep(Duration::from_millis(1));
                running.is_finished() || is_waiting(&mut self.watcher, pid)
            });
            for (table, level) in held(&mut self.watcher, pid) {
                let known = all.entry(table).or_insert(level);
                *known = level.max(*known);
            }
            self.other.batch_execute("rollback").unwrap();
            running.join().unwrap();
        }
        all
    }
}

fn is_waiting(client: &mut Client, pid: i32) -> bool {
    client.query_one("select exists (select from pg_locks where pid = $1 and not granted)", &[&pid]).unwrap().get(0)
}

/// The strongest lock of a process on each table of the user's.
fn held(client: &mut impl GenericClient, pid: i32) -> Locks {
    let rows = client
        .query(
            "select nspname || '.' || relname, mode
            from pg_locks
            join pg_class as class on class.oid = relation
            join pg_namespace as namespace on namespace.oid = relnamespace
            where pid = $1 and locktype = 'relation' and granted and relkind in ('r', 'p')
                and nspname not in ('pg_catalog', 'information_schema', 'coexist', 'pg_toast')
                and database = (select oid from pg_database where datname = current_database())",
            &[&pid],
        )
        .unwrap();
    let mut locks = Locks::new();
    for row in rows {
        let level = level(row.get(1));
        let known = locks.entry(row.get(0)).or_insert(level);
        *known = level.max(*known);
    }
    locks
}

/// The tables that reference another one, with that one.
fn references(client: &mut Client) -> Vec<(String, String)> {
    let rows = client
        .query(
            "select cn.nspname || '.' || child.relname, pn.nspname || '.' || parent.relname
            from pg_constraint join pg_class as child on child.oid = conrelid join pg_namespace as cn on cn.oid = child.relnamespace
            join pg_class as parent on parent.oid = confrelid join pg_namespace as pn on pn.oid = parent.relnamespace
            where contype = 'f' and conrelid <> confrelid",
            &[],
        )
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The tables that there are, each with the partitioned table that it is part of, or itself.
fn roots(client: &mut Client) -> BTreeMap<String, String> {
    let rows = client
        .query(
            "select nspname || '.' || relname, coalesce(
                (select rn.nspname || '.' || r.relname from pg_class as r join pg_namespace as rn on rn.oid = r.relnamespace
                    where r.oid = pg_partition_root(class.oid)), nspname || '.' || relname)
            from pg_class as class join pg_namespace as namespace on namespace.oid = relnamespace
            where relkind in ('r', 'p')",
            &[],
        )
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// `AccessExclusiveLock` as `pg_locks` says it.
fn level(mode: &str) -> LockLevel {
    let same = |level: &LockLevel| format!("{}lock", level.name().replace(' ', "")).eq_ignore_ascii_case(mode);
    LockLevel::ALL.into_iter().find(same).unwrap()
}
