-- coexist: change widen_order_total
-- Totals outgrew 2^31 cents.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- total and total_cents of orders
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."orders" as source
    where source."total_cents" is distinct from (source."total")::bigint
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'total and total_cents of orders: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;
