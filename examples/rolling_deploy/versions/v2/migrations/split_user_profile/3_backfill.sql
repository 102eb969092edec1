-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
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
    select phase into found from coexist.changes where name = 'split_user_profile';
    if coalesce(found, 'declared') not in ('dual-writing', 'backfilled') then
      raise exception using message = 'the change split_user_profile is not dual-writing but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- fill profiles from users
do $coexist$
declare
  last constant text[] := (select array[source."id"::text]
  from "public"."users" as source
  order by source."id" desc
  limit 1);
  reached text[];
  upto text[];
  locked bigint;
begin
  while reached is distinct from last loop
    if reached is null then
      upto := (select array[source."id"::text]
      from "public"."users" as source
      where true
      order by source."id"
      offset 5000 - 1 limit 1);
    else
      upto := (select array[source."id"::text]
      from "public"."users" as source
      where (source."id") > (reached[1]::bigint)
      order by source."id"
      offset 5000 - 1 limit 1);
    end if;
    upto := coalesce(upto, last);
    perform pg_catalog.set_config('coexist.backfill', 'split_user_profile', true), pg_catalog.set_config('enable_seqscan', 'off', true);
    if reached is null then
      locked := (select count(*) from (
          select from "public"."users" as source
          where (source."id") <= (upto[1]::bigint)
              and ((source."bio" is not null or source."avatar_url" is not null))
          order by source."id"
          for share
      ) as locked);
      insert into "public"."profiles" ("user_id", "bio", "avatar_url")
      overriding system value
      select source."id",
          source."bio",
          source."avatar_url"
      from "public"."users" as source
      where (source."id") <= (upto[1]::bigint)
          and ((source."bio" is not null or source."avatar_url" is not null))
          and not exists (
              select from "public"."profiles" as target
              where target."user_id" = (source."id")
                  and (target."user_id") <= (upto[1]::bigint)
          )
      order by source."id";
    else
      locked := (select count(*) from (
          select from "public"."users" as source
          where (source."id") > (reached[1]::bigint) and (source."id") <= (upto[1]::bigint)
              and ((source."bio" is not null or source."avatar_url" is not null))
          order by source."id"
          for share
      ) as locked);
      insert into "public"."profiles" ("user_id", "bio", "avatar_url")
      overriding system value
      select source."id",
          source."bio",
          source."avatar_url"
      from "public"."users" as source
      where (source."id") > (reached[1]::bigint) and (source."id") <= (upto[1]::bigint)
          and ((source."bio" is not null or source."avatar_url" is not null))
          and not exists (
              select from "public"."profiles" as target
              where target."user_id" = (source."id")
                  and (target."user_id") > (reached[1]::bigint) and (target."user_id") <= (upto[1]::bigint)
          )
      order by source."id";
    end if;
    commit;
    reached := upto;
  end loop;
end
$coexist$;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('split_user_profile', '23f620d71815a735', 'backfilled', 'migrate', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
  end if;
end
$coexist$;
