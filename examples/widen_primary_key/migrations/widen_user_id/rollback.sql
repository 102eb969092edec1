-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks ratings in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks orders in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if exists (select from coexist.changes where name = 'widen_user_id' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'widen_user_id' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change widen_user_id is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo ratings_foreign_key_ratings_user_id_fkey
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_constraint a where a.conrelid = pg_catalog.to_regclass('"public"."ratings"') and a.conname = 'coexist_widen_user_id_ratings_user_id_fkey') then
    lock table "public"."users" in access exclusive mode;
  end if;
end
$coexist$;
alter table if exists "public"."ratings" drop constraint if exists "coexist_widen_user_id_ratings_user_id_fkey";
commit;

-- undo orders_foreign_key_orders_user_id_fkey
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_constraint a where a.conrelid = pg_catalog.to_regclass('"public"."orders"') and a.conname = 'coexist_widen_user_id_orders_user_id_fkey') then
    lock table "public"."users" in access exclusive mode;
  end if;
end
$coexist$;
alter table if exists "public"."orders" drop constraint if exists "coexist_widen_user_id_orders_user_id_fkey";
commit;

-- undo users_foreign_key_users_invited_by_fkey
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_constraint a where a.conrelid = pg_catalog.to_regclass('"public"."users"') and a.conname = 'coexist_widen_user_id_users_invited_by_fkey') then
    lock table "public"."users" in access exclusive mode;
  end if;
end
$coexist$;
alter table if exists "public"."users" drop constraint if exists "coexist_widen_user_id_users_invited_by_fkey";
commit;

-- undo ratings_index_ratings_pkey
set lock_timeout = 0;
drop index concurrently if exists "public"."coexist_widen_user_id_ratings_pkey";
set lock_timeout = '500ms';

-- undo orders_index_orders_user_id_idx
set lock_timeout = 0;
drop index concurrently if exists "public"."coexist_widen_user_id_orders_user_id_idx";
set lock_timeout = '500ms';

-- undo users_index_users_pkey
set lock_timeout = 0;
drop index concurrently if exists "public"."coexist_widen_user_id_users_pkey";
set lock_timeout = '500ms';

-- undo ratings_sync
begin;
drop trigger if exists "zz_coexist_3_widen_widen_user_id" on "public"."ratings";
alter table if exists "public"."ratings" drop constraint if exists "coexist_widen_user_id_user_id_not_null";
drop function if exists "public"."coexist_widen_user_id_ratings_3_widen"();
commit;

-- undo orders_sync
begin;
drop trigger if exists "zz_coexist_3_widen_widen_user_id" on "public"."orders";
alter table if exists "public"."orders" drop constraint if exists "coexist_widen_user_id_user_id_not_null";
drop function if exists "public"."coexist_widen_user_id_orders_3_widen"();
commit;

-- undo users_sync
begin;
drop trigger if exists "zz_coexist_3_widen_widen_user_id" on "public"."users";
alter table if exists "public"."users" drop constraint if exists "coexist_widen_user_id_id_not_null";
drop function if exists "public"."coexist_widen_user_id_users_3_widen"();
commit;

-- undo ratings_add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."ratings"') and a.attname = 'coexist_widen_user_id_user_id' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: widen_user_id') then
    raise exception using message = 'column coexist_widen_user_id_user_id of ratings does not belong to the change widen_user_id: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."ratings"
  drop column if exists "coexist_widen_user_id_user_id";
commit;

-- undo orders_add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."orders"') and a.attname = 'coexist_widen_user_id_user_id' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: widen_user_id') then
    raise exception using message = 'column coexist_widen_user_id_user_id of orders does not belong to the change widen_user_id: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."orders"
  drop column if exists "coexist_widen_user_id_user_id";
commit;

-- undo users_add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."users"') and a.attname = 'coexist_widen_user_id_id' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: widen_user_id') then
    raise exception using message = 'column coexist_widen_user_id_id of users does not belong to the change widen_user_id: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."users"') and a.attname = 'coexist_widen_user_id_invited_by' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: widen_user_id') then
    raise exception using message = 'column coexist_widen_user_id_invited_by of users does not belong to the change widen_user_id: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."users"
  drop column if exists "coexist_widen_user_id_id",
  drop column if exists "coexist_widen_user_id_invited_by";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'widen_user_id';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'widen_user_id';
    delete from coexist.segments where change = 'widen_user_id';
    delete from coexist.quarantine where change = 'widen_user_id';
    delete from coexist.conflicts where change = 'widen_user_id';
  end if;
end
$coexist$;
