-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks profiles in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if exists (select from coexist.changes where name = 'split_user_profile' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'split_user_profile' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change split_user_profile is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo foreign_key_profiles_user_id_fkey
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_constraint a where a.conrelid = pg_catalog.to_regclass('"public"."profiles"') and a.conname = 'profiles_user_id_fkey') then
    lock table "public"."users" in access exclusive mode;
  end if;
end
$coexist$;
alter table if exists "public"."profiles" drop constraint if exists "profiles_user_id_fkey";
commit;

-- undo sync
begin;
drop trigger if exists "zz_coexist_insert_split_user_profile" on "public"."users";
drop trigger if exists "zz_coexist_update_split_user_profile" on "public"."users";
drop trigger if exists "zz_coexist_delete_split_user_profile" on "public"."users";
drop trigger if exists "zz_coexist_truncate_split_user_profile" on "public"."users";
drop trigger if exists "zz_coexist_lock_split_user_profile" on "public"."profiles";
drop trigger if exists "zz_coexist_insert_split_user_profile" on "public"."profiles";
drop trigger if exists "zz_coexist_update_split_user_profile" on "public"."profiles";
drop trigger if exists "zz_coexist_delete_split_user_profile" on "public"."profiles";
drop trigger if exists "zz_coexist_truncate_split_user_profile" on "public"."profiles";
drop function if exists "public"."coexist_split_user_profile_to_target"();
drop function if exists "public"."coexist_split_user_profile_clear_target"();
drop function if exists "public"."coexist_split_user_profile_lock_source"();
drop function if exists "public"."coexist_split_user_profile_to_source"();
drop function if exists "public"."coexist_split_user_profile_clear_source"();
commit;

-- undo create_table
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_class a where a.oid = pg_catalog.to_regclass('"public"."profiles"') and pg_catalog.obj_description(a.oid, 'pg_class') is distinct from 'coexist: split_user_profile') then
    raise exception using message = 'table profiles does not belong to the change split_user_profile: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
drop table if exists "public"."profiles";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'split_user_profile';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'split_user_profile';
    delete from coexist.segments where change = 'split_user_profile';
    delete from coexist.quarantine where change = 'split_user_profile';
    delete from coexist.conflicts where change = 'split_user_profile';
  end if;
end
$coexist$;
