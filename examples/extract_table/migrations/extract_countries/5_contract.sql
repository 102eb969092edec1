-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.
-- Locks countries in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks addresses in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    select phase into found from coexist.changes where name = 'extract_countries';
    if coalesce(found, 'declared') not in ('validated', 'contracted') then
      raise exception using message = 'the change extract_countries is not validated but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step contract: drop country, country_code from addresses
begin;
lock table "public"."countries" in access exclusive mode;
lock table "public"."addresses" in access exclusive mode;
drop trigger "zz_coexist_3_insert_extract_countries" on "public"."addresses";
drop trigger "zz_coexist_3_update_extract_countries" on "public"."addresses";
drop trigger "zz_coexist_fan_out_extract_countries" on "public"."countries";
drop trigger "zz_coexist_delete_extract_countries" on "public"."countries";
drop trigger "zz_coexist_key_extract_countries" on "public"."countries";
drop trigger "zz_coexist_truncate_extract_countries" on "public"."countries";
drop function "public"."coexist_extract_countries_sync"();
drop function "public"."coexist_extract_countries_fan_out"();
drop function "public"."coexist_extract_countries_guard"();
alter table "public"."addresses" drop constraint "country_code_is_short";
alter table "public"."addresses" alter column "country_id" set not null;
alter table "public"."addresses" drop constraint "coexist_extract_countries_country_id_not_null";
alter table "public"."addresses"
  drop column "country",
  drop column "country_code";
alter table "public"."countries" rename constraint "coexist_extract_countries_country_code_is_short" to "country_code_is_short";
comment on constraint "country_code_is_short" on "public"."countries" is null;
comment on constraint "addresses_country_id_fkey" on "public"."addresses" is null;
comment on index "public"."addresses_country_id_idx" is null;
comment on column "public"."addresses"."country_id" is null;
comment on table "public"."countries" is null;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('extract_countries', 'e81a7c564ceadfa0', 'contracted', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'extract_countries', id, 'done', 1, clock_timestamp() from unnest(array['contract']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
