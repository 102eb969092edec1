-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- Compares the two shapes, row by row, and fails where any row differs. Reads each table once, in one snapshot; writes nothing.
-- Takes no lock that anybody notices.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- bio, avatar_url of users and profiles
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."id")::text as key, row_number() over () as n
    from "public"."users" as source left join "public"."profiles" as target on target."user_id" = source."id"
    where ((target."user_id" is null and (source."bio" is not null or source."avatar_url" is not null)) or (target."user_id" is not null and (source."bio" is distinct from target."bio" or source."avatar_url" is distinct from target."avatar_url")))
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'bio, avatar_url of users and profiles: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;

-- rows of profiles without one in users
do $coexist$
declare
  differing bigint;
  sample text;
begin
  select count(*), string_agg(key, ', ') filter (where n <= 20) into differing, sample from (
    select row(source."user_id")::text as key, row_number() over () as n
    from "public"."profiles" as source left join "public"."users" as target on target."id" = source."user_id"
    where target."id" is null
  ) as mismatches;
  if differing > 0 then
    raise exception using message = 'rows of profiles without one in users: ' || differing || ' rows differ: ' || sample;
  end if;
end
$coexist$;
