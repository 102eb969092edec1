//! What PostgreSQL refuses, or loses without a word: why the checks of a declaration refuse it first.

use postgres::Client;

use crate::support::{database, version};

/// A table with a column that goes away.
const TABLES: &str = "
drop schema if exists probe cascade;
drop publication if exists probe;
create schema probe;
set search_path = probe;
create table users (id int primary key, name text not null, age int);
create table orders (id int primary key, user_id int);
create function touch() returns trigger language plpgsql as 'begin return new; end';
create domain email as text check (value like '%@%');
create domain wrapped as email;
create domain label as text;
";

const DROP: &str = "alter table users drop column name";

/// What hangs on the column, the statement, and what becomes of it: nothing, or the code of an error.
struct Refusal {
    setup: &'static str,
    statement: &'static str,
    code: Option<&'static str>,
    since: u32,
    until: u32,
}

const fn refused(setup: &'static str, statement: &'static str, code: &'static str) -> Refusal {
    Refusal { setup, statement, code: Some(code), since: 13, until: u32::MAX }
}

const fn done(setup: &'static str, statement: &'static str) -> Refusal {
    Refusal { setup, statement, code: None, since: 13, until: u32::MAX }
}

impl Refusal {
    const fn since(self, since: u32) -> Self {
        Self { since, ..self }
    }

    const fn until(self, until: u32) -> Self {
        Self { until, ..self }
    }
}

#[rustfmt::skip]
const REFUSALS: &[Refusal] = &[
    // H67: what depends on a column keeps it from being dropped.
    refused("create view v as select name from users", DROP, "2BP01"),
    refused("create materialized view v as select name from users", DROP, "2BP01"),
    refused("create view v as select u.* from users u", DROP, "2BP01"),
    refused("create policy own on users using (name = current_user)", DROP, "2BP01"),
    refused("create trigger t before update of name on users for each row execute function touch()", DROP, "2BP01"),
    refused("create trigger t before update on users for each row when (old.name is distinct from new.name) execute function touch()", DROP, "2BP01"),
    refused("create rule r as on update to users where new.name = '' do instead nothing", DROP, "2BP01"),
    refused("create publication probe for table users (id, name)", DROP, "2BP01").since(15),
    refused("create publication probe for table users where (name <> '')", DROP, "2BP01").since(15),
    refused("create function names() returns bigint language sql begin atomic select count(name) from users; end", DROP, "2BP01").since(14),
    done("create function names() returns bigint language sql as 'select count(name) from users'", DROP),
    // H68: what goes with it without a word.
    done("alter table users add shouted text generated always as (upper(name)) stored", DROP).until(14),
    refused("alter table users add shouted text generated always as (upper(name)) stored", DROP, "2BP01").since(15),
    done("create index on users (lower(name)); create statistics s on name, age from users; alter table users add check (name <> '')", DROP),
    done("alter table users alter name set not null; create unique index i on users (name); alter table users replica identity using index i", DROP),
    // A foreign key holds on to the index of the key that it was made with, whatever else that key includes.
    refused("alter table users add constraint k unique (id) include (name); alter table users drop constraint users_pkey;
             alter table orders add foreign key (user_id) references users (id)", "alter table users drop constraint k", "2BP01"),
    refused("create table late (id int primary key deferrable)", "create table half (id int primary key references late)", "55000"),
    // Types.
    refused("", "create table email (id int)", "42710"),
    refused("", "create table users_pkey (id int)", "42P07"),
    refused("alter table users alter id type text", "alter table orders add foreign key (user_id) references users (id)", "42804"),
    done("alter table users alter id type bigint", "alter table orders add foreign key (user_id) references users (id)"),
    done("alter table users alter id type varchar(9); alter table orders alter user_id type text", "alter table orders add foreign key (user_id) references users (id)"),
    refused("alter table users add data json", "create index on users (data)", "42704"),
    refused("alter table users add data json", "create statistics s on data, age from users", "0A000"),
    refused("", "create index on users (age text_pattern_ops)", "42804"),
    refused("", "alter table users add serial_no text generated always as identity", "22023"),
    refused("create table n (id int generated always as identity)", "alter table n alter id type text", "22023"),
    refused("", "alter table users add column xmin int", "42701"),
    // A sequence goes with the column that owns it, unless something else needs it.
    refused("create table n (id int primary key, s serial); create table m (s int default nextval('n_s_seq'))", "alter table n drop column s", "2BP01"),
];

fn run(client: &mut Client, statement: &str) -> Option<String> {
    client
        .batch_execute(statement)
        .err()
        .map(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
}

#[test]
fn h67_h68_what_is_refused_and_what_goes_silently() {
    let database = database("refusals");
    let mut client = database.connect().unwrap();
    let server = version();
    let mut wrong = Vec::new();
    for refusal in REFUSALS.iter().filter(|refusal| (refusal.since..=refusal.until).contains(&server)) {
        client.batch_execute(TABLES).unwrap();
        client.batch_execute(refusal.setup).unwrap();
        let found = run(&mut client, refusal.statement);
        if found.as_deref() != refusal.code {
            wrong.push(format!("{}; {}: {found:?}", refusal.setup, refusal.statement));
        }
    }
    assert!(wrong.is_empty(), "PostgreSQL {server}:\n{}", wrong.join("\n"));
}

/// A column of a constrained domain rewrites the table, also where every row gets null; a column of its type alone does not.
#[test]
fn a_constrained_domain_rewrites_the_table() {
    let database = database("domains");
    let mut client = database.connect().unwrap();
    for (ty, rewrites) in [("text", false), ("label", false), ("email", true), ("wrapped", true), ("email[]", false)] {
        client.batch_execute(TABLES).unwrap();
        client.batch_execute("insert into users values (1, 'x')").unwrap();
        let mut file = || -> u32 { client.query_one("select pg_relation_filenode('users')", &[]).unwrap().get(0) };
        let before = file();
        client.batch_execute(&format!("alter table users add column mail {ty}")).unwrap();
        let after: u32 = client.query_one("select pg_relation_filenode('users')", &[]).unwrap().get(0);
        assert_eq!(before != after, rewrites, "{ty}");
    }
}
