-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- From here on every write through one shape reaches the other.
-- Locks addresses in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks countries in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
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
    if coalesce(found, 'declared') not in ('expanded', 'dual-writing') then
      raise exception using message = 'the change extract_countries is not expanded but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step sync: keep the values of addresses and their rows in countries in step, whichever is written
begin;
lock table "public"."addresses" in access exclusive mode;
lock table "public"."countries" in share row exclusive mode;
create function "public"."coexist_extract_countries_sync"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  if new."country_id" is not null and (tg_op = 'INSERT' or new."country_id" is distinct from old."country_id") then
    select v."name", v."code" into new."country", new."country_code"
      from "public"."countries" as v where v."id" = new."country_id" for share;
    if not found then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        message = 'insert or update on table "addresses" violates foreign key constraint "addresses_country_id_fkey"';
    end if;
  elsif tg_op = 'UPDATE' and new."country_id" is distinct from old."country_id" then
    return new; -- and fail, as a column that is NOT NULL
  elsif not ((new."country" is not null and new."country_code" is not null)) then
    new."country_id" := null;
  else
    loop
      select v."id" into new."country_id" from "public"."countries" as v
        where (v."name", v."code") = (new."country", new."country_code") for share;
      exit when found;
      insert into "public"."countries" as v ("name", "code") values (new."country", new."country_code")
        on conflict ("name", "code") do nothing returning v."id" into new."country_id";
      exit when found;
    end loop;
  end if;
  return new;
end
$coexist$;
comment on function "public"."coexist_extract_countries_sync"() is 'coexist: extract_countries';
create function "public"."coexist_extract_countries_fan_out"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  update "public"."addresses" as s set "country" = new."name", "country_code" = new."code"
  where s."country_id" = new."id" and (s."country" is distinct from new."name" or s."country_code" is distinct from new."code");
  return null;
end
$coexist$;
comment on function "public"."coexist_extract_countries_fan_out"() is 'coexist: extract_countries';
create function "public"."coexist_extract_countries_guard"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  if not exists (
    select from pg_catalog.pg_constraint c where c.contype = 'f' and c.conrelid = '"public"."addresses"'::regclass and c.conname = 'addresses_country_id_fkey'
  ) then
    if pg_catalog.current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
      raise exception using errcode = 'object_not_in_prerequisite_state', schema = tg_table_schema, table = tg_table_name,
        message = 'rows of table "countries" are deleted under READ COMMITTED until table "addresses" has its foreign key',
        hint = 'The foreign key comes when the change is validated; from then on it decides.';
    end if;
    if tg_op = 'TRUNCATE' and exists (select from "public"."addresses" as s where s."country_id" is not null)
      or tg_op <> 'TRUNCATE' and exists (select from "public"."addresses" as s where s."country_id" = old."id") then
      raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
        message = 'update or delete on table "countries" violates foreign key constraint "addresses_country_id_fkey" on table "addresses"';
    end if;
  end if;
  if tg_op = 'UPDATE' then
    return new;
  end if;
  if tg_op = 'DELETE' then
    return old;
  end if;
  return null;
end
$coexist$;
comment on function "public"."coexist_extract_countries_guard"() is 'coexist: extract_countries';
do $coexist$
declare
  owner name;
  function regprocedure;
begin
  select pg_catalog.pg_get_userbyid(c.relowner) into strict owner
    from pg_catalog.pg_class c where c.oid = '"public"."addresses"'::regclass;
  if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then
    foreach function in array array['"public"."coexist_extract_countries_sync"()', '"public"."coexist_extract_countries_fan_out"()', '"public"."coexist_extract_countries_guard"()']::regprocedure[] loop
      execute format('alter function %s owner to %I', function, owner);
    end loop;
  end if;
end
$coexist$;
create trigger "zz_coexist_3_insert_extract_countries" before insert on "public"."addresses"
for each row when ((new."country_id" is not null or (new."country" is not null and new."country_code" is not null)))
execute function "public"."coexist_extract_countries_sync"();
comment on trigger "zz_coexist_3_insert_extract_countries" on "public"."addresses" is 'coexist: extract_countries';
create trigger "zz_coexist_3_update_extract_countries" before update on "public"."addresses"
for each row when (((new."country_id" is distinct from old."country_id" or old."country" is distinct from new."country" or old."country_code" is distinct from new."country_code" or (new."country_id" is null and (new."country" is not null and new."country_code" is not null))) and pg_catalog.current_setting('coexist.backfill', true) is distinct from 'extract_countries'))
execute function "public"."coexist_extract_countries_sync"();
comment on trigger "zz_coexist_3_update_extract_countries" on "public"."addresses" is 'coexist: extract_countries';
create trigger "zz_coexist_fan_out_extract_countries" after update on "public"."countries"
for each row when ((old."name" is distinct from new."name" or old."code" is distinct from new."code"))
execute function "public"."coexist_extract_countries_fan_out"();
comment on trigger "zz_coexist_fan_out_extract_countries" on "public"."countries" is 'coexist: extract_countries';
create trigger "zz_coexist_delete_extract_countries" before delete on "public"."countries"
for each row
execute function "public"."coexist_extract_countries_guard"();
comment on trigger "zz_coexist_delete_extract_countries" on "public"."countries" is 'coexist: extract_countries';
create trigger "zz_coexist_key_extract_countries" before update of "id" on "public"."countries"
for each row when (old."id" is distinct from new."id")
execute function "public"."coexist_extract_countries_guard"();
comment on trigger "zz_coexist_key_extract_countries" on "public"."countries" is 'coexist: extract_countries';
create trigger "zz_coexist_truncate_extract_countries" before truncate on "public"."countries"
for each statement
execute function "public"."coexist_extract_countries_guard"();
comment on trigger "zz_coexist_truncate_extract_countries" on "public"."countries" is 'coexist: extract_countries';
alter table "public"."addresses" add constraint "coexist_extract_countries_country_id_not_null" check ("country_id" is not null) not valid;
comment on constraint "coexist_extract_countries_country_id_not_null" on "public"."addresses" is 'coexist: extract_countries';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('extract_countries', 'e81a7c564ceadfa0', 'dual-writing', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'extract_countries', id, 'done', 1, clock_timestamp() from unnest(array['sync']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
