-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.
-- Locks orders in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks orders in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
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
    if coalesce(found, 'declared') not in ('backfilled', 'validated') then
      raise exception using message = 'the change widen_order_total is not backfilled but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step analyze: give the planner statistics of the new columns
begin;
analyze "public"."orders" ("total_cents");
commit;

-- step index_orders_total_idx: build the index that takes over from orders_total_idx, while the table is written
set lock_timeout = 0;
create index concurrently "coexist_widen_order_total_orders_total_idx" on "public"."orders" using "btree" ("total_cents" desc);
set lock_timeout = '500ms';

-- step mark_indexes: say on each new index that it belongs to this change
begin;
comment on index "public"."coexist_widen_order_total_orders_total_idx" is 'coexist: widen_order_total';
commit;

-- step check_orders_total_check: hold new rows to the check that takes over from orders_total_check
begin;
alter table "public"."orders" add constraint "coexist_widen_order_total_orders_total_check" check ("total_cents" >= 0) not valid;
comment on constraint "coexist_widen_order_total_orders_total_check" on "public"."orders" is 'coexist: widen_order_total';
commit;

-- step validate_orders_total_check: check every row: orders_total_check
begin;
alter table "public"."orders" validate constraint "coexist_widen_order_total_orders_total_check";
commit;

-- step validate_total_cents_not_null: check every row: total_cents is not null
begin;
alter table "public"."orders" validate constraint "coexist_widen_order_total_total_cents_not_null";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_order_total', '365ea3f6c61469da', 'validated', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_order_total', id, 'done', 1, clock_timestamp() from unnest(array['analyze', 'index_orders_total_idx', 'mark_indexes', 'check_orders_total_check', 'validate_orders_total_check', 'validate_total_cents_not_null']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
