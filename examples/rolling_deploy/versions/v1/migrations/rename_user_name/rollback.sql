-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- not after the contract, as far as the ledger knows
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    if exists (select from coexist.changes where name = 'rename_user_name' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'rename_user_name' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change rename_user_name is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo check_users_name_check
begin;
alter table if exists "public"."users" drop constraint if exists "coexist_rename_user_name_users_name_check";
commit;

-- undo index_users_name_idx
set lock_timeout = 0;
drop index concurrently if exists "public"."coexist_rename_user_name_users_name_idx";
set lock_timeout = '500ms';

-- undo sync
begin;
drop trigger if exists "zz_coexist_2_blind_rename_user_name" on "public"."users";
drop trigger if exists "zz_coexist_3_insert_rename_user_name" on "public"."users";
drop trigger if exists "zz_coexist_3_update_rename_user_name" on "public"."users";
alter table if exists "public"."users" drop constraint if exists "coexist_rename_user_name_full_name_not_null";
drop function if exists "public"."coexist_rename_user_name_sync"();
drop function if exists "public"."coexist_rename_user_name_blind"();
commit;

-- undo add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."users"') and a.attname = 'full_name' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: rename_user_name') then
    raise exception using message = 'column full_name of users does not belong to the change rename_user_name: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."users"
  drop column if exists "full_name";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'rename_user_name';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'rename_user_name';
    delete from coexist.segments where change = 'rename_user_name';
    delete from coexist.quarantine where change = 'rename_user_name';
    delete from coexist.conflicts where change = 'rename_user_name';
  end if;
end
$coexist$;
