-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
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
    if exists (select from coexist.changes where name = 'widen_order_total' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'widen_order_total' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change widen_order_total is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo check_orders_total_check
begin;
alter table if exists "public"."orders" drop constraint if exists "coexist_widen_order_total_orders_total_check";
commit;

-- undo index_orders_total_idx
set lock_timeout = 0;
drop index concurrently if exists "public"."coexist_widen_order_total_orders_total_idx";
set lock_timeout = '500ms';

-- undo sync
begin;
drop trigger if exists "zz_coexist_2_blind_widen_order_total" on "public"."orders";
drop trigger if exists "zz_coexist_3_insert_widen_order_total" on "public"."orders";
drop trigger if exists "zz_coexist_3_update_widen_order_total" on "public"."orders";
alter table if exists "public"."orders" drop constraint if exists "coexist_widen_order_total_total_cents_not_null";
drop function if exists "public"."coexist_widen_order_total_sync"();
drop function if exists "public"."coexist_widen_order_total_blind"();
commit;

-- undo add_columns
begin;
do $coexist$
begin
  if exists (select from pg_catalog.pg_attribute a where a.attrelid = pg_catalog.to_regclass('"public"."orders"') and a.attname = 'total_cents' and not a.attisdropped and pg_catalog.col_description(a.attrelid, a.attnum) is distinct from 'coexist: widen_order_total') then
    raise exception using message = 'column total_cents of orders does not belong to the change widen_order_total: nothing is taken back',
      hint = 'It was there before the change, or the contract has made it the only one. The comment on it would say otherwise.';
  end if;
end
$coexist$;
alter table if exists "public"."orders"
  drop column if exists "total_cents";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'widen_order_total';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'widen_order_total';
    delete from coexist.segments where change = 'widen_order_total';
    delete from coexist.quarantine where change = 'widen_order_total';
    delete from coexist.conflicts where change = 'widen_order_total';
  end if;
end
$coexist$;
