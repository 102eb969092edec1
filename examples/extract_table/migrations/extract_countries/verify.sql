-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- country, country_code of addresses and countries
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."addresses" as source left join "public"."countries" as target on target."id" = source."country_id"
    where (((source."country_id" is null and (source."country" is not null and source."country_code" is not null))) or ((source."country_id" is not null and (target."id" is null or source."country" is distinct from target."name" or source."country_code" is distinct from target."code"))))
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'country, country_code of addresses and countries: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;
