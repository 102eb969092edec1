-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- The before shape as it is, and the after shape beside it, empty. Old code cannot notice.
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
    if coalesce(found, 'declared') not in ('declared', 'expanded') then
      raise exception using message = 'the change widen_order_total is not declared but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step add_columns: add total_cents to orders, empty; no row is touched
begin;
alter table "public"."orders"
  add column "total_cents" bigint;
do $coexist$
declare
  granted record;
begin
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."orders"'::regclass and c.attname = 'total' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("total_cents") on "public"."orders" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
comment on column "public"."orders"."total_cents" is 'coexist: widen_order_total';
do $coexist$
begin
  create table "public"."coexist_widen_order_total_proof" (like "public"."orders");
  begin
    perform ("total_cents" >= 0) from "public"."coexist_widen_order_total_proof" where false;
  exception when syntax_error_or_access_rule_violation or data_exception or feature_not_supported then
    raise exception using errcode = sqlstate, message = 'check orders_total_check cannot be carried over: ' || sqlerrm,
      hint = 'Drop it before this change, and make one for the new column after the contract.';
  end;
  begin
    create index "coexist_widen_order_total_orders_total_idx_proof" on "public"."coexist_widen_order_total_proof" using "btree" ("total_cents" desc) where "total_cents" > 0;
  exception when syntax_error_or_access_rule_violation or data_exception or feature_not_supported then
    raise exception using errcode = sqlstate, message = 'index orders_total_idx cannot be carried over: ' || sqlerrm,
      hint = 'Drop it before this change, and make one for the new column after the contract.';
  end;
  drop table "public"."coexist_widen_order_total_proof";
end
$coexist$;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_order_total', '94ac28a6fe300e27', 'expanded', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_order_total', id, 'done', 1, clock_timestamp() from unnest(array['add_columns']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
