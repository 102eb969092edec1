-- coexist: change extract_countries
-- A country is written in each address, and in more than one way.
--
-- Every row that is not yet in the after shape, in batches that commit as they go; run again, it goes on with what is left.
-- Rows that new code wrote are never touched. Locks rows, a batch at a time.
-- Takes no lock that anybody notices.
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
    if coalesce(found, 'declared') not in ('dual-writing', 'backfilled') then
      raise exception using message = 'the change extract_countries is not dual-writing but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- fill addresses
do $coexist$
declare
  page bigint := 0;
  step constant bigint := 100;
  pages constant bigint :=
    pg_catalog.pg_relation_size('"public"."addresses"'::regclass) / pg_catalog.current_setting('block_size')::bigint;
  by_position constant boolean := pg_catalog.current_setting('server_version_num')::integer >= 140000;
  lines integer;
begin
  if not by_position then
    lines := (select max(line) from (select position[0]::bigint / (pages + 1) as stretch, max(position[1])::integer
    from (select ctid::text::point as position from only "public"."addresses" where ("country_id" is null and ("country" is not null and "country_code" is not null))) as row_position
    group by stretch
    order by stretch) as stretches (stretch, line));
  end if;
  while page < pages loop
    perform pg_catalog.set_config('coexist.backfill', 'extract_countries', true), pg_catalog.set_config('enable_seqscan', 'off', true);
    if by_position then
      insert into "public"."countries" ("name", "code")
      select distinct source."country", source."country_code"
      from only "public"."addresses" as source
      where source.ctid >= ('(' || (page) || ',0)')::tid and source.ctid < ('(' || (page + step) || ',0)')::tid
          and (("country_id" is null and ("country" is not null and "country_code" is not null)))
      order by source."country", source."country_code"
      on conflict ("name", "code") do nothing;
      with target (coexist_key, coexist_1, coexist_2) as materialized (
          select target."id", target."name", target."code"
          from "public"."countries" as target
          where (target."name", target."code") in (
              select source."country", source."country_code" from only "public"."addresses" as source
              where source.ctid >= ('(' || (page) || ',0)')::tid and source.ctid < ('(' || (page + step) || ',0)')::tid
                  and (("country_id" is null and ("country" is not null and "country_code" is not null)))
          )
          order by target."id"
          for share of target
      )
      update only "public"."addresses" as source
      set "country_id" = target.coexist_key
      from target
      where source.ctid >= ('(' || (page) || ',0)')::tid and source.ctid < ('(' || (page + step) || ',0)')::tid
          and (("country_id" is null and ("country" is not null and "country_code" is not null)))
          and (target."coexist_1", target."coexist_2") = (source."country", source."country_code");
    else
      insert into "public"."countries" ("name", "code")
      select distinct source."country", source."country_code"
      from only "public"."addresses" as source
      where source.ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
          and (("country_id" is null and ("country" is not null and "country_code" is not null)))
      order by source."country", source."country_code"
      on conflict ("name", "code") do nothing;
      with target (coexist_key, coexist_1, coexist_2) as materialized (
          select target."id", target."name", target."code"
          from "public"."countries" as target
          where (target."name", target."code") in (
              select source."country", source."country_code" from only "public"."addresses" as source
              where source.ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
                  and (("country_id" is null and ("country" is not null and "country_code" is not null)))
          )
          order by target."id"
          for share of target
      )
      update only "public"."addresses" as source
      set "country_id" = target.coexist_key
      from target
      where source.ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
          and (("country_id" is null and ("country" is not null and "country_code" is not null)))
          and (target."coexist_1", target."coexist_2") = (source."country", source."country_code");
    end if;
    commit;
    page := page + step;
  end loop;
end
$coexist$;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('extract_countries', 'e81a7c564ceadfa0', 'backfilled', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
  end if;
end
$coexist$;
