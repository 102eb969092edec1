//! Plans: of declared changes, and some written by hand, reduced to what a run must handle.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::Path;

use coexist::plan::{
    Action, Backfill, KeyColumn, Leftover, Lock, LockLevel, Mode, Phase, Plan, Reconcile, Stage, Step,
};
use coexist_core::compile::{Context, compile};
use coexist_core::ident::QualifiedName;

/// The plan of a declared change over the tables of `schema`.
pub fn declared(schema: &str, change: &str) -> Plan {
    let tokens = format!("schema sql r#\"{schema}\"#; {change}").parse().unwrap();
    let context = Context { manifest_dir: Path::new("."), missing_feature: &|_| None, writes_migrations: false };
    let mut compiled = compile(tokens, &context);
    let mistakes: Vec<String> = compiled.diagnostics.iter().map(|mistake| mistake.text()).collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n\n"));
    compiled.plans.remove(0)
}

/// The tables of [`rename`] and [`split`].
pub const USERS: &str = "
    create table users (id bigint primary key generated always as identity, name text not null, bio text);
    insert into users (name, bio)
    select 'name ' || i, case when i % 3 > 0 then 'bio ' || i end from generate_series(1, 1000) as i";

pub fn table(name: &str) -> QualifiedName {
    QualifiedName::new("public", name)
}

pub fn key(columns: &[(&str, &str)]) -> Vec<KeyColumn> {
    columns.iter().map(|(name, ty)| KeyColumn { name: (*name).into(), ty: (*ty).into() }).collect()
}

/// Makes steps, one method for each of their parts.
pub fn step(id: &str, phase: Phase) -> StepBuilder {
    StepBuilder(Step {
        id: id.into(),
        title: format!("test: {id}"),
        phase,
        action: Action { statements: Vec::new(), mode: Mode::Transaction, locks: Vec::new() },
        undo: Vec::new(),
        leftover: None,
    })
}

pub struct StepBuilder(Step);

impl StepBuilder {
    pub fn runs(mut self, statement: impl Into<String>) -> Self {
        self.0.action.statements.push(statement.into());
        self
    }

    pub fn mode(mut self, mode: Mode) -> Self {
        self.0.action.mode = mode;
        self
    }

    pub fn locks(mut self, name: &str, level: LockLevel) -> Self {
        self.0.action.locks.push(Lock { table: table(name), level, scans: self.0.action.mode != Mode::Transaction });
        self
    }

    pub fn leaves(mut self, index: &str) -> Self {
        self.0.leftover = Some(Leftover::Index(table(index)));
        self
    }

    /// Another action that takes it back; those in the same mode as the step's own stay together.
    pub fn undo(mut self, mode: Mode, statements: &[&str]) -> Self {
        let statements = statements.iter().map(|statement| (*statement).to_string()).collect();
        self.0.undo.push(Action { statements, mode, locks: self.0.action.locks.clone() });
        self
    }

    pub fn build(self) -> Step {
        self.0
    }
}

/// A plan without steps.
pub fn empty(change: &str) -> Plan {
    Plan {
        change: change.into(),
        summary: String::new(),
        stage: Stage::Expand,
        way: "by hand".into(),
        after: Vec::new(),
        server: 13,
        search_path: vec!["pg_catalog".into(), "public".into(), "pg_temp".into()],
        tables: vec![table("users")],
        expected: Vec::new(),
        steps: Vec::new(),
        retire: Vec::new(),
        probes: Vec::new(),
        backfill: Vec::new(),
        reconcile: Vec::new(),
        notes: Vec::new(),
        irreversible: None,
        batch: None,
        contract_by: None,
    }
}

/// `rename users.name to full_name`, with an index, a check and a contract.
pub fn rename() -> Plan {
    let not_backfilled = "when (current_setting('coexist.backfill', true) is distinct from 'rename_user_name')";
    let steps = vec![
        step("add_columns", Phase::Expanded)
            .locks("users", LockLevel::AccessExclusive)
            .runs("alter table public.users add column full_name text")
            .runs("comment on column public.users.full_name is 'coexist: rename_user_name'")
            .undo(Mode::Transaction, &["alter table public.users drop column if exists full_name"])
            .build(),
        step("sync", Phase::DualWriting)
            .locks("users", LockLevel::ShareRowExclusive)
            .runs(
                "create function public.coexist_rename_sync() returns trigger language plpgsql as $$
                begin
                    if tg_op = 'INSERT' then
                        if new.full_name is not null then new.name := new.full_name; else new.full_name := new.name; end if;
                    elsif new.full_name is distinct from old.full_name then new.name := new.full_name;
                    elsif new.name is distinct from old.name or new.full_name is null then new.full_name := new.name;
                    end if;
                    return new;
                end $$",
            )
            .runs(format!(
                "create trigger zz_coexist_sync before insert or update on public.users
                for each row {not_backfilled} execute function public.coexist_rename_sync()"
            ))
            .runs("alter table public.users add constraint full_name_set check (full_name is not null) not valid")
            .undo(
                Mode::Transaction,
                &[
                    "drop trigger if exists zz_coexist_sync on public.users",
                    "alter table public.users drop constraint if exists full_name_set",
                    "drop function if exists public.coexist_rename_sync()",
                ],
            )
            .build(),
        step("index", Phase::Validated)
            .mode(Mode::Outside)
            .locks("users", LockLevel::ShareUpdateExclusive)
            .leaves("users_full_name")
            .runs("create index concurrently users_full_name on public.users (full_name)")
            .runs("comment on index public.users_full_name is 'coexist: rename_user_name'")
            .undo(Mode::Outside, &["drop index concurrently if exists public.users_full_name"])
            .build(),
        step("check", Phase::Validated)
            .mode(Mode::LongTransaction)
            .locks("users", LockLevel::ShareUpdateExclusive)
            .runs("alter table public.users validate constraint full_name_set")
            .build(),
        step("drop_columns", Phase::Contracted)
            .locks("users", LockLevel::AccessExclusive)
            .runs("drop trigger zz_coexist_sync on public.users")
            .runs("drop function public.coexist_rename_sync()")
            .runs("alter table public.users drop column name")
            .runs("alter table public.users alter column full_name set not null")
            .runs("alter table public.users drop constraint full_name_set")
            .runs("comment on column public.users.full_name is null")
            .build(),
    ];
    Plan {
        steps,
        backfill: vec![Backfill::Update {
            conversions: Vec::new(),
            operation: "rename_user_name".into(),
            table: table("users"),
            set: vec![("full_name".into(), "name".into())],
            pending: "full_name is null".into(),
            key: key(&[("id", "bigint")]),
        }],
        reconcile: vec![Reconcile {
            table: table("users"),
            key: key(&[("id", "bigint")]),
            join: None,
            mismatch: "source.full_name is distinct from source.name".into(),
            title: "users.full_name is users.name".into(),
        }],
        ..empty("rename_user_name")
    }
}

/// `split users into profiles { key user_id, move bio }`.
pub fn split() -> Plan {
    let not_backfilled = "when (current_setting('coexist.backfill', true) is distinct from 'split_users')";
    let steps = vec![
        step("create_table", Phase::Expanded)
            .runs("create table public.profiles (user_id bigint primary key, bio text)")
            .runs("comment on table public.profiles is 'coexist: split_users'")
            .undo(Mode::Transaction, &["drop table if exists public.profiles"])
            .build(),
        step("sync", Phase::DualWriting)
            .locks("users", LockLevel::ShareRowExclusive)
            .runs(
                "create function public.coexist_split_sync() returns trigger language plpgsql as $$
                begin
                    if tg_op = 'DELETE' then
                        delete from public.profiles where user_id = old.id;
                        return null;
                    end if;
                    if new.bio is null then
                        delete from public.profiles where user_id = new.id;
                    else
                        insert into public.profiles (user_id, bio) values (new.id, new.bio)
                        on conflict (user_id) do update set bio = excluded.bio
                            where profiles.bio is distinct from excluded.bio;
                    end if;
                    return null;
                end $$",
            )
            .runs(
                "create trigger zz_coexist_split after insert or delete or update of bio on public.users
                for each row execute function public.coexist_split_sync()",
            )
            .runs(
                "create function public.coexist_split_back() returns trigger language plpgsql as $$
                begin
                    if tg_op = 'DELETE' then
                        update public.users set bio = null where id = old.user_id and bio is not null;
                    else
                        update public.users set bio = new.bio where id = new.user_id and bio is distinct from new.bio;
                    end if;
                    return null;
                end $$",
            )
            .runs(format!(
                "create trigger zz_coexist_split_back after insert or update on public.profiles
                for each row {not_backfilled} execute function public.coexist_split_back()"
            ))
            .runs(
                "create trigger zz_coexist_split_gone after delete on public.profiles
                for each row execute function public.coexist_split_back()",
            )
            .undo(
                Mode::Transaction,
                &[
                    "drop trigger if exists zz_coexist_split on public.users",
                    "drop trigger if exists zz_coexist_split_back on public.profiles",
                    "drop trigger if exists zz_coexist_split_gone on public.profiles",
                    "drop function if exists public.coexist_split_sync()",
                    "drop function if exists public.coexist_split_back()",
                ],
            )
            .build(),
        step("drop_columns", Phase::Contracted)
            .locks("users", LockLevel::AccessExclusive)
            .runs("drop trigger zz_coexist_split on public.users")
            .runs("drop trigger zz_coexist_split_back on public.profiles")
            .runs("drop trigger zz_coexist_split_gone on public.profiles")
            .runs("drop function public.coexist_split_sync()")
            .runs("drop function public.coexist_split_back()")
            .runs("alter table public.users drop column bio")
            .build(),
    ];
    let compare = |from: &str, id: &str, join: &str, on: &str, mismatch: &str| Reconcile {
        table: table(from),
        key: key(&[(id, "bigint")]),
        join: Some((table(join), on.into())),
        mismatch: mismatch.into(),
        title: format!("{from} against {join}"),
    };
    Plan {
        tables: vec![table("users"), table("profiles")],
        steps,
        backfill: vec![Backfill::Insert {
            operation: "split_users".into(),
            source: table("users"),
            target: table("profiles"),
            key: key(&[("id", "bigint")]),
            columns: vec![("user_id".into(), "source.id".into()), ("bio".into(), "source.bio".into())],
            pending: "source.bio is not null".into(),
            target_key: vec!["user_id".into()],
        }],
        reconcile: vec![
            compare("users", "id", "profiles", "target.user_id = source.id", "source.bio is distinct from target.bio"),
            compare("profiles", "user_id", "users", "target.id = source.user_id", "target.id is null"),
        ],
        ..empty("split_users")
    }
}
