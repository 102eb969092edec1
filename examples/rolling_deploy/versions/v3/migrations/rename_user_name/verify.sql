-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- name and full_name of users
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."users" as source
    where source."full_name" is distinct from source."name"
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'name and full_name of users: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;
