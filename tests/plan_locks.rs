//! What a plan says that it locks, against what the server says: every step of every kind of change, there and back, on empty tables.
//! A step may take less than it says, never more, and nothing on another table.
#![cfg(all(unix, feature = "sandbox"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says by a panic that it fails")]

mod support;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use coexist::ledger::DDL;
use coexist::plan::{Action, LockLevel, Mode, Phase, Plan};
use coexist::sandbox::Database;
use coexist_core::ident::quote_ident;
use postgres::{Client, GenericClient};
use support::in_flight::plans;

/// Everything that can hang on a column, on several tables.
const SCHEMA: &str = "
    create table users (
        id bigint generated always as identity primary key,
        name text not null default '',
        email text not null,
        total integer not null default 0,
        code text,
        bio text,
        avatar_url text not null default 'none',
        constraint users_email_key unique (email),
        constraint users_total_check check (total >= 0 and length(name) < 100)
    );
    create index users_name_idx on users (lower(name)) include (email) where name <> 'total';
    create statistics users_stats (ndistinct) on name, total from users;
    create table orders (
        id serial primary key,
        user_id bigint references users on delete cascade,
        user_email text references users (email) on update cascade
    );
    create table tags (name text not null);
    create table items (id bigint primary key, order_id integer not null references orders);
    create table settings (
        user_id bigint primary key references users on delete cascade,
        theme text not null default 'dark',
        notes text
    );
    create table events (id bigint, name text not null, primary key (id)) partition by range (id);
    create table events_1 partition of events for values from (0) to (100);
    create table events_2 partition of events for values from (100) to (200);";

macro_rules! locks {
    ($($name:ident: $change:literal;)*) => {$(
        #[test]
        fn $name() {
            check(&format!("change {} {{ {} stage contract; }}", stringify!($name), $change));
        }
    )*};
}

locks! {
    rename: "rename users.name to full_name;";
    rename_primary_key: "rename users.id to user_id;";
    rename_referenced: "rename users.email to address;";
    rename_serial: "rename items.id to item_id;";
    rename_in_partitions: "rename events.name to title;";
    retype: r#"retype users.total to total_cents: bigint { forward "total::bigint", backward "total_cents::integer" or reject }"#;
    retype_with_quarantine: r#"retype users.code to code_number: integer { forward "code::integer" or quarantine, backward "code_number::text" }"#;
    retype_irreversible: r#"retype users.avatar_url to avatar_hash: bytea { forward lossy "sha256(convert_to(avatar_url, 'UTF8'))" or reject, irreversible }"#;
    widen: "widen orders.id to bigint;";
    split: "split users into profiles { key user_id, move bio, avatar_url }";
    merge: r#"merge settings into users { key user_id, move theme or "'light'", notes as remarks, always }"#;
    divide: r#"divide users.name into first_name: text not null, last_name: text { forward first_name "split_part(name, ' ', 1)" or "'?'", forward last_name "nullif(substr(name, length(split_part(name, ' ', 1)) + 2), '')" or quarantine, backward "first_name || coalesce(' ' || last_name, '')" or reject }"#;
    combine: r#"combine users.(bio, avatar_url) into profile: jsonb not null { forward "jsonb_build_object('bio', bio, 'avatar', avatar_url)" or reject, backward bio "profile->>'bio'" or reject, backward avatar_url "profile->>'avatar'" or reject }"#;
    add: r#"add users.visits: bigint not null default "0";"#;
    add_filled: r#"add users.handle: text not null fill "lower(name)";"#;
    drop: "drop users.total { with users_total_check, users_stats }";
    create_index: r#"create index on users (lower(name) desc, total) unique where "total > 0" name by_name;"#;
    drop_index: "drop index users_name_idx;";
    require: r#"require users.code { fill "name || total" or reject }"#;
    require_or_reject: "require users.bio or reject;";
    relax: "relax users.email { nulls from contract }";
    relax_early: r#"relax users.email { nulls from dual_write, backward "'user ' || id" or reject }"#;
    constrain_by_a_check: r#"constrain users: check users_code_check "code <> ''" { fix code "null", old writes reject }"#;
    constrain_by_a_key: "constrain users: unique (code, total) include (bio) or reject;";
    constrain_by_a_primary_key: "constrain tags: primary key (name) or reject;";
    constrain_by_a_reference: "constrain items: foreign key parent (id) references users on delete cascade or reject;";
    constrain_by_a_reference_that_mends: r#"constrain users: (total) references orders { fix total "1", old writes reject }"#;
    unconstrain_a_check: "unconstrain users: users_total_check;";
    unconstrain_a_reference: "unconstrain orders: orders_user_id_fkey;";
    default: r#"default users.total: "7";"#;
    default_none: "default users.total: none;";
    comment: r#"comment users: "People"; comment users.name: "What we call them";"#;
    several: r#"rename users.code to voucher; retype users.total to cents: bigint { forward "total::bigint", backward "cents::integer" or reject } rename users.avatar_url to avatar;"#;
}

/// There and back, and then there for good.
fn check(change: &str) {
    let plan = plans(SCHEMA, change).remove(0);
    let database = support::database("plan_locks");
    let mut server = Server::new(&database, &plan);
    for step in plan.steps.iter().filter(|step| step.phase < Phase::Contracted) {
        server.carry_out(&step.id, &step.action);
    }
    for step in plan.steps.iter().rev().filter(|step| step.phase < Phase::Contracted) {
        for undo in &step.undo {
            server.carry_out(&format!("{}, taken back", step.id), undo);
        }
    }
    for step in &plan.steps {
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
    fn new(database: &Database, plan: &Plan) -> Self {
        let connect = || database.connect().unwrap();
        let mut client = connect();
        client.batch_execute(SCHEMA).unwrap();
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
        let measured = match action.mode {
            Mode::Transaction | Mode::LongTransaction => self.in_transaction(&action.statements),
            Mode::Outside => self.outside(action),
        };
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

    fn in_transaction(&mut self, statements: &[String]) -> Locks {
        let mut tx = self.client.transaction().unwrap();
        for statement in statements {
            tx.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        }
        let pid: i32 = tx.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
        let held = held(&mut tx, pid);
        tx.commit().unwrap();
        held
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
