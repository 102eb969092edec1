-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks users in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- in order, as far as the ledger knows
do $coexist$
declare
  found text;
begin
  if to_regclass('coexist.changes') is not null then
    select phase into found from coexist.changes where name = 'rename_user_name';
    if coalesce(found, 'declared') not in ('backfilled', 'validated') then
      raise exception using message = 'the change rename_user_name is not backfilled but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step analyze: give the planner statistics of the new columns
begin;
analyze "public"."users" ("full_name");
commit;

-- step index_users_name_idx: build the index that takes over from users_name_idx, while the table is written
set lock_timeout = 0;
create index concurrently "coexist_rename_user_name_users_name_idx" on "public"."users" using "btree" ((lower("full_name")) text_pattern_ops);
set lock_timeout = '500ms';

-- step mark_indexes: say on each new index that it belongs to this change
begin;
comment on index "public"."coexist_rename_user_name_users_name_idx" is 'coexist: rename_user_name';
commit;

-- step check_users_name_check: hold new rows to the check that takes over from users_name_check
begin;
alter table "public"."users" add constraint "coexist_rename_user_name_users_name_check" check (btrim("full_name") <> ''::text) not valid;
comment on constraint "coexist_rename_user_name_users_name_check" on "public"."users" is 'coexist: rename_user_name';
commit;

-- step validate_users_name_check: check every row: users_name_check
begin;
alter table "public"."users" validate constraint "coexist_rename_user_name_users_name_check";
commit;

-- step validate_full_name_not_null: check every row: full_name is not null
begin;
alter table "public"."users" validate constraint "coexist_rename_user_name_full_name_not_null";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('rename_user_name', 'aaf4ef97f40452a0', 'validated', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'rename_user_name', id, 'done', 1, clock_timestamp() from unnest(array['analyze', 'index_users_name_idx', 'mark_indexes', 'check_users_name_check', 'validate_users_name_check', 'validate_full_name_not_null']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
