-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- From here on every write through one shape reaches the other.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if coalesce(found, 'declared') not in ('expanded', 'dual-writing') then
      raise exception using message = 'the change rename_user_name is not expanded but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step sync: keep name and full_name in step, whichever is written
begin;
create function "public"."coexist_rename_user_name_blind"() returns trigger
language plpgsql
as $coexist$
begin
  raise exception using errcode = 'not_null_violation', schema = tg_table_schema, table = tg_table_name,
    column = 'full_name',
    message = 'null value in column "full_name" of relation "users" violates not-null constraint';
  return new;
end
$coexist$;
create function "public"."coexist_rename_user_name_sync"() returns trigger
language plpgsql
as $coexist$
begin
  if tg_op = 'INSERT' then
    if new."full_name" is not null then
      new."name" := new."full_name";
    else
      new."full_name" := new."name";
    end if;
  elsif new."full_name" is distinct from old."full_name" then
    if (new."name" is distinct from old."name" and new."name" is distinct from new."full_name") then
      if to_regprocedure('coexist.count_conflict(text)') is not null then
        perform coexist.count_conflict('rename_user_name');
      end if;
    end if;
    new."name" := new."full_name";
  else
    new."full_name" := new."name";
  end if;
  return new;
end
$coexist$;
comment on function "public"."coexist_rename_user_name_sync"() is 'coexist: rename_user_name';
comment on function "public"."coexist_rename_user_name_blind"() is 'coexist: rename_user_name';
alter table "public"."users" add constraint "coexist_rename_user_name_full_name_not_null" check ("full_name" is not null) not valid;
comment on constraint "coexist_rename_user_name_full_name_not_null" on "public"."users" is 'coexist: rename_user_name';
create trigger "zz_coexist_2_blind_rename_user_name" before update of "full_name" on "public"."users"
for each row
when ((old."full_name" is null and new."full_name" is null and pg_catalog.current_setting('coexist.backfill', true) is distinct from 'rename_user_name'))
execute function "public"."coexist_rename_user_name_blind"();
comment on trigger "zz_coexist_2_blind_rename_user_name" on "public"."users" is 'coexist: rename_user_name';
create trigger "zz_coexist_3_insert_rename_user_name" before insert on "public"."users"
for each row
execute function "public"."coexist_rename_user_name_sync"();
comment on trigger "zz_coexist_3_insert_rename_user_name" on "public"."users" is 'coexist: rename_user_name';
create trigger "zz_coexist_3_update_rename_user_name" before update on "public"."users"
for each row
when (((new."full_name" is distinct from old."full_name" or new."name" is distinct from old."name" or new."full_name" is null) and pg_catalog.current_setting('coexist.backfill', true) is distinct from 'rename_user_name'))
execute function "public"."coexist_rename_user_name_sync"();
comment on trigger "zz_coexist_3_update_rename_user_name" on "public"."users" is 'coexist: rename_user_name';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('rename_user_name', 'aaf4ef97f40452a0', 'dual-writing', 'expand', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'rename_user_name', id, 'done', 1, clock_timestamp() from unnest(array['sync']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
