-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.
-- Locks addresses in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks countries in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks addresses in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
-- Locks countries in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
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
    if coalesce(found, 'declared') not in ('backfilled', 'validated') then
      raise exception using message = 'the change extract_countries is not backfilled but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step analyze: give the planner statistics of the new columns
begin;
analyze "public"."addresses" ("country_id");
commit;

-- step analyze_values: give the planner statistics of the new columns
begin;
analyze "public"."countries" ("id", "name", "code");
commit;

-- step index_addresses_country_id_idx: build the index of country_id, while the table is written
set lock_timeout = 0;
create index concurrently "addresses_country_id_idx" on "public"."addresses" using "btree" ("country_id");
set lock_timeout = '500ms';

-- step mark_index: say on the index that it belongs to this change
begin;
comment on index "public"."addresses_country_id_idx" is 'coexist: extract_countries';
commit;

-- step foreign_key_addresses_country_id_fkey: hold new rows to the foreign key addresses_country_id_fkey
begin;
lock table "public"."countries" in share row exclusive mode;
lock table "public"."addresses" in share row exclusive mode;
alter table "public"."addresses" add constraint "addresses_country_id_fkey" foreign key ("country_id") references "public"."countries" ("id") not valid;
comment on constraint "addresses_country_id_fkey" on "public"."addresses" is 'coexist: extract_countries';
commit;

-- step validate_addresses_country_id_fkey: check every row: addresses_country_id_fkey
begin;
alter table "public"."addresses" validate constraint "addresses_country_id_fkey";
commit;

-- step check_country_code_is_short: hold new rows to the check that takes over from country_code_is_short
begin;
alter table "public"."countries" add constraint "coexist_extract_countries_country_code_is_short" check (length("code") = 2) not valid;
comment on constraint "coexist_extract_countries_country_code_is_short" on "public"."countries" is 'coexist: extract_countries';
commit;

-- step validate_country_code_is_short: check every row: country_code_is_short
begin;
alter table "public"."countries" validate constraint "coexist_extract_countries_country_code_is_short";
commit;

-- step validate_country_id_not_null: check every row: country_id is not null
begin;
alter table "public"."addresses" validate constraint "coexist_extract_countries_country_id_not_null";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('extract_countries', 'e81a7c564ceadfa0', 'validated', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'extract_countries', id, 'done', 1, clock_timestamp() from unnest(array['analyze', 'analyze_values', 'index_addresses_country_id_idx', 'mark_index', 'foreign_key_addresses_country_id_fkey', 'validate_addresses_country_id_fkey', 'check_country_code_is_short', 'validate_country_code_is_short', 'validate_country_id_not_null']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
