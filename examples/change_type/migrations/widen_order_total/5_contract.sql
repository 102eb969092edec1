-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.
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
    if coalesce(found, 'declared') not in ('validated', 'contracted') then
      raise exception using message = 'the change widen_order_total is not validated but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step contract: drop total and give the new columns their final names and rules
begin;
lock table "public"."orders" in access exclusive mode;
drop trigger "zz_coexist_2_blind_widen_order_total" on "public"."orders";
drop trigger "zz_coexist_3_insert_widen_order_total" on "public"."orders";
drop trigger "zz_coexist_3_update_widen_order_total" on "public"."orders";
drop function "public"."coexist_widen_order_total_sync"();
drop function "public"."coexist_widen_order_total_blind"();
alter table "public"."orders" drop constraint "orders_total_check";
drop index "public"."orders_total_idx";
alter table "public"."orders" alter column "total_cents" set not null;
alter table "public"."orders" drop constraint "coexist_widen_order_total_total_cents_not_null";
alter table "public"."orders" alter column "total_cents" set default (0)::bigint;
alter table "public"."orders"
  drop column "total";
alter table "public"."orders" rename constraint "coexist_widen_order_total_orders_total_check" to "orders_total_check";
comment on constraint "orders_total_check" on "public"."orders" is null;
alter index "public"."coexist_widen_order_total_orders_total_idx" rename to "orders_total_idx";
comment on index "public"."orders_total_idx" is null;
comment on column "public"."orders"."total_cents" is 'In cents';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_order_total', '365ea3f6c61469da', 'contracted', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_order_total', id, 'done', 1, clock_timestamp() from unnest(array['contract']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
