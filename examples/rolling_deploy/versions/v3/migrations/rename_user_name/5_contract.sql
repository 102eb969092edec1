-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.
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
    if coalesce(found, 'declared') not in ('validated', 'contracted') then
      raise exception using message = 'the change rename_user_name is not validated but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step contract: drop name and give the new columns their final names and rules
begin;
lock table "public"."users" in access exclusive mode;
drop trigger "zz_coexist_2_blind_rename_user_name" on "public"."users";
drop trigger "zz_coexist_3_insert_rename_user_name" on "public"."users";
drop trigger "zz_coexist_3_update_rename_user_name" on "public"."users";
drop function "public"."coexist_rename_user_name_sync"();
drop function "public"."coexist_rename_user_name_blind"();
alter table "public"."users" drop constraint "users_name_check";
drop index "public"."users_name_idx";
alter table "public"."users" alter column "full_name" set not null;
alter table "public"."users" drop constraint "coexist_rename_user_name_full_name_not_null";
alter table "public"."users"
  drop column "name";
alter table "public"."users" rename constraint "coexist_rename_user_name_users_name_check" to "users_name_check";
comment on constraint "users_name_check" on "public"."users" is null;
alter index "public"."coexist_rename_user_name_users_name_idx" rename to "users_name_idx";
comment on index "public"."users_name_idx" is null;
comment on column "public"."users"."full_name" is 'As on invoices';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('rename_user_name', 'aaf4ef97f40452a0', 'contracted', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'rename_user_name', id, 'done', 1, clock_timestamp() from unnest(array['contract']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
