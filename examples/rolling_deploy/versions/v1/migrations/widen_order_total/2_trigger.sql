-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- From here on every write through one shape reaches the other.
-- Locks orders in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    select phase into found from coexist.changes where name = 'widen_order_total';
    if coalesce(found, 'declared') not in ('expanded', 'dual-writing') then
      raise exception using message = 'the change widen_order_total is not expanded but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step sync: keep total and total_cents in step, whichever is written
begin;
create function "public"."coexist_widen_order_total_blind"() returns trigger
language plpgsql
as $coexist$
begin
  raise exception using errcode = 'not_null_violation', schema = tg_table_schema, table = tg_table_name,
    column = 'total_cents',
    message = 'null value in column "total_cents" of relation "orders" violates not-null constraint';
  return new;
end
$coexist$;
create function "public"."coexist_widen_order_total_sync"() returns trigger
language plpgsql
as $coexist$
begin
  if tg_op = 'INSERT' then
    if new."total_cents" is not null then
      new."total" := (new."total_cents")::integer;
    else
      new."total_cents" := (new."total")::bigint;
    end if;
  elsif new."total_cents" is distinct from old."total_cents" then
    if (new."total" is distinct from old."total" and new."total" is distinct from (new."total_cents")::integer) then
      if to_regprocedure('coexist.count_conflict(text)') is not null then
        perform coexist.count_conflict('widen_order_total');
      end if;
    end if;
    new."total" := (new."total_cents")::integer;
  else
    new."total_cents" := (new."total")::bigint;
  end if;
  return new;
end
$coexist$;
comment on function "public"."coexist_widen_order_total_sync"() is 'coexist: widen_order_total';
comment on function "public"."coexist_widen_order_total_blind"() is 'coexist: widen_order_total';
alter table "public"."orders" add constraint "coexist_widen_order_total_total_cents_not_null" check ("total_cents" is not null) not valid;
comment on constraint "coexist_widen_order_total_total_cents_not_null" on "public"."orders" is 'coexist: widen_order_total';
create trigger "zz_coexist_2_blind_widen_order_total" before update of "total_cents" on "public"."orders"
for each row
when ((old."total_cents" is null and new."total_cents" is null and pg_catalog.current_setting('coexist.backfill', true) is distinct from 'widen_order_total'))
execute function "public"."coexist_widen_order_total_blind"();
comment on trigger "zz_coexist_2_blind_widen_order_total" on "public"."orders" is 'coexist: widen_order_total';
create trigger "zz_coexist_3_insert_widen_order_total" before insert on "public"."orders"
for each row
execute function "public"."coexist_widen_order_total_sync"();
comment on trigger "zz_coexist_3_insert_widen_order_total" on "public"."orders" is 'coexist: widen_order_total';
create trigger "zz_coexist_3_update_widen_order_total" before update on "public"."orders"
for each row
when (((new."total_cents" is distinct from old."total_cents" or new."total" is distinct from old."total" or new."total_cents" is null) and pg_catalog.current_setting('coexist.backfill', true) is distinct from 'widen_order_total'))
execute function "public"."coexist_widen_order_total_sync"();
comment on trigger "zz_coexist_3_update_widen_order_total" on "public"."orders" is 'coexist: widen_order_total';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_order_total', '94ac28a6fe300e27', 'dual-writing', 'expand', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_order_total', id, 'done', 1, clock_timestamp() from unnest(array['sync']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
