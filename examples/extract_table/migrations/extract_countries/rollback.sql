-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
-- Locks countries in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks addresses in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if exists (select from coexist.changes where name = 'extract_countries' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'extract_countries' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change extract_countries is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo check_country_code_is_short
begin;
alter table if exists "public"."countries" drop constraint if exists "coexist_extract_countries_country_code_is_short";
commit;

-- undo foreign_key_addresses_country_id_fkey
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_constraint a where a.conrelid = pg_catalog.to_regclass('"public"."addresses"') and a.conname = 'addresses_country_id_fkey') then
    lock table "public"."countries" in access exclusive mode;
  end if;
end
$coexist$;
alter table if exists "public"."addresses" drop constraint if exists "addresses_country_id_fkey";
commit;

-- undo index_addresses_country_id_idx
set lock_timeout = 0;
drop index concurrently if exists "public"."addresses_country_id_idx";
set lock_timeout = '500ms';

-- undo sync
begin;
alter table if exists "public"."addresses" drop constraint if exists "coexist_extract_countries_country_id_not_null";
drop trigger if exists "zz_coexist_3_insert_extract_countries" on "public"."addresses";
drop trigger if exists "zz_coexist_3_update_extract_countries" on "public"."addresses";
drop trigger if exists "zz_coexist_fan_out_extract_countries" on "public"."countries";
drop trigger if exists "zz_coexist_delete_extract_countries" on "public"."countries";
drop trigger if exists "zz_coexist_key_extract_countries" on "public"."countries";
drop trigger if exists "zz_coexist_truncate_extract_countries" on "public"."countries";
drop function if exists "public"."coexist_extract_countries_sync"();
drop function if exists "public"."coexist_extract_countries_fan_out"();
drop function if exists "public"."coexist_extract_countries_guard"();
commit;

-- undo add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."addresses"') and a.attname = 'country_id' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: extract_countries') then
    raise exception using message = 'column country_id of addresses does not belong to the change extract_countries: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."addresses"
  drop column if exists "country_id";
commit;

-- undo create_table
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_class a where a.oid = pg_catalog.to_regclass('"public"."countries"') and pg_catalog.obj_description(a.oid, 'pg_class') is distinct from 'coexist: extract_countries') then
    raise exception using message = 'table countries does not belong to the change extract_countries: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
drop table if exists "public"."countries";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'extract_countries';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'extract_countries';
    delete from coexist.segments where change = 'extract_countries';
    delete from coexist.quarantine where change = 'extract_countries';
    delete from coexist.conflicts where change = 'extract_countries';
  end if;
end
$coexist$;
