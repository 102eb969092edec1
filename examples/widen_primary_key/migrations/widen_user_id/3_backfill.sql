-- coexist: change widen_user_id
-- There will be more than 2^31 users.
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
    select phase into found from coexist.changes where name = 'widen_user_id';
    if coalesce(found, 'declared') not in ('dual-writing', 'backfilled') then
      raise exception using message = 'the change widen_user_id is not dual-writing but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- fill users
do $coexist$
declare
  page bigint := 0;
  step constant bigint := 100;
  pages constant bigint :=
    pg_catalog.pg_relation_size('"public"."users"'::regclass) / pg_catalog.current_setting('block_size')::bigint;
  by_position constant boolean := pg_catalog.current_setting('server_version_num')::integer >= 140000;
  lines integer;
begin
  if not by_position then
    lines := (select max(line) from (select position[0]::bigint / (pages + 1) as stretch, max(position[1])::integer
    from (select ctid::text::point as position from only "public"."users" where ("coexist_widen_user_id_id" is distinct from "id" or "coexist_widen_user_id_invited_by" is distinct from "invited_by")) as row_position
    group by stretch
    order by stretch) as stretches (stretch, line));
  end if;
  while page < pages loop
    perform pg_catalog.set_config('coexist.backfill', 'widen_user_id', true), pg_catalog.set_config('enable_seqscan', 'off', true);
    if by_position then
      update only "public"."users"
      set "coexist_widen_user_id_id" = ("id"),
          "coexist_widen_user_id_invited_by" = ("invited_by")
      where ctid >= ('(' || (page) || ',0)')::tid and ctid < ('(' || (page + step) || ',0)')::tid
          and (("coexist_widen_user_id_id" is distinct from "id" or "coexist_widen_user_id_invited_by" is distinct from "invited_by"));
    else
      update only "public"."users"
      set "coexist_widen_user_id_id" = ("id"),
          "coexist_widen_user_id_invited_by" = ("invited_by")
      where ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
          and (("coexist_widen_user_id_id" is distinct from "id" or "coexist_widen_user_id_invited_by" is distinct from "invited_by"));
    end if;
    commit;
    page := page + step;
  end loop;
end
$coexist$;

-- fill orders
do $coexist$
declare
  page bigint := 0;
  step constant bigint := 100;
  pages constant bigint :=
    pg_catalog.pg_relation_size('"public"."orders"'::regclass) / pg_catalog.current_setting('block_size')::bigint;
  by_position constant boolean := pg_catalog.current_setting('server_version_num')::integer >= 140000;
  lines integer;
begin
  if not by_position then
    lines := (select max(line) from (select position[0]::bigint / (pages + 1) as stretch, max(position[1])::integer
    from (select ctid::text::point as position from only "public"."orders" where "coexist_widen_user_id_user_id" is distinct from "user_id") as row_position
    group by stretch
    order by stretch) as stretches (stretch, line));
  end if;
  while page < pages loop
    perform pg_catalog.set_config('coexist.backfill', 'widen_user_id', true), pg_catalog.set_config('enable_seqscan', 'off', true);
    if by_position then
      update only "public"."orders"
      set "coexist_widen_user_id_user_id" = ("user_id")
      where ctid >= ('(' || (page) || ',0)')::tid and ctid < ('(' || (page + step) || ',0)')::tid
          and ("coexist_widen_user_id_user_id" is distinct from "user_id");
    else
      update only "public"."orders"
      set "coexist_widen_user_id_user_id" = ("user_id")
      where ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
          and ("coexist_widen_user_id_user_id" is distinct from "user_id");
    end if;
    commit;
    page := page + step;
  end loop;
end
$coexist$;

-- fill ratings
do $coexist$
declare
  page bigint := 0;
  step constant bigint := 100;
  pages constant bigint :=
    pg_catalog.pg_relation_size('"public"."ratings"'::regclass) / pg_catalog.current_setting('block_size')::bigint;
  by_position constant boolean := pg_catalog.current_setting('server_version_num')::integer >= 140000;
  lines integer;
begin
  if not by_position then
    lines := (select max(line) from (select position[0]::bigint / (pages + 1) as stretch, max(position[1])::integer
    from (select ctid::text::point as position from only "public"."ratings" where "coexist_widen_user_id_user_id" is distinct from "user_id") as row_position
    group by stretch
    order by stretch) as stretches (stretch, line));
  end if;
  while page < pages loop
    perform pg_catalog.set_config('coexist.backfill', 'widen_user_id', true), pg_catalog.set_config('enable_seqscan', 'off', true);
    if by_position then
      update only "public"."ratings"
      set "coexist_widen_user_id_user_id" = ("user_id")
      where ctid >= ('(' || (page) || ',0)')::tid and ctid < ('(' || (page + step) || ',0)')::tid
          and ("coexist_widen_user_id_user_id" is distinct from "user_id");
    else
      update only "public"."ratings"
      set "coexist_widen_user_id_user_id" = ("user_id")
      where ctid = any (array(
              select ('(' || block || ',' || line || ')')::tid
              from generate_series(page, (page + step) - 1) as block,
                  generate_series(1, lines) as line
          ))
          and ("coexist_widen_user_id_user_id" is distinct from "user_id");
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
    values ('widen_user_id', '034990d4caf8bd6a', 'backfilled', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
  end if;
end
$coexist$;
