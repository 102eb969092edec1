-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- id, invited_by and coexist_widen_user_id_id, coexist_widen_user_id_invited_by of users
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."users" as source
    where (source."coexist_widen_user_id_id" is distinct from source."id" or source."coexist_widen_user_id_invited_by" is distinct from source."invited_by")
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'id, invited_by and coexist_widen_user_id_id, coexist_widen_user_id_invited_by of users: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;

-- user_id and coexist_widen_user_id_user_id of orders
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."orders" as source
    where source."coexist_widen_user_id_user_id" is distinct from source."user_id"
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'user_id and coexist_widen_user_id_user_id of orders: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;

-- user_id and coexist_widen_user_id_user_id of ratings
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."user_id", source."order_id")::text as key, row_number() over () as n
    from "public"."ratings" as source
    where source."coexist_widen_user_id_user_id" is distinct from source."user_id"
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'user_id and coexist_widen_user_id_user_id of ratings: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;
