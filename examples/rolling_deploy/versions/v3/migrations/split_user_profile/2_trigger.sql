-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- From here on every write through one shape reaches the other.
-- Locks users in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks profiles in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
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
    if coalesce(found, 'declared') not in ('expanded', 'dual-writing') then
      raise exception using message = 'the change split_user_profile is not expanded but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step sync: keep bio, avatar_url of users and profiles in step, whichever is written
begin;
create function "public"."coexist_split_user_profile_to_target"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  if tg_op = 'DELETE' then
    delete from "public"."profiles" as n where n."user_id" = old."id";
    return null;
  end if;
  if tg_op = 'UPDATE' and old."id" is distinct from new."id" then
    update "public"."profiles" as n set "user_id" = new."id" where n."user_id" = old."id";
  end if;
  if (new."bio" is not null or new."avatar_url" is not null) then
    insert into "public"."profiles" as n ("user_id", "bio", "avatar_url")
    select w."id", w."bio", w."avatar_url" from "public"."users" as w
    where (w."id" = new."id" and (w."bio" is not null or w."avatar_url" is not null))
    on conflict ("user_id") do update set "bio" = excluded."bio", "avatar_url" = excluded."avatar_url"
    where (n."bio" is distinct from excluded."bio" or n."avatar_url" is distinct from excluded."avatar_url");
  else
    delete from "public"."profiles" as n where n."user_id" = new."id" and (n."bio" is not null or n."avatar_url" is not null)
      and not exists (select from "public"."users" as w where n."user_id" = w."id" and (w."bio" is not null or w."avatar_url" is not null));
  end if;
  return null;
end
$coexist$;
comment on function "public"."coexist_split_user_profile_to_target"() is 'coexist: split_user_profile';
create function "public"."coexist_split_user_profile_clear_target"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  if exists (select from "public"."profiles") then
    truncate "public"."profiles";
  end if;
  return null;
end
$coexist$;
comment on function "public"."coexist_split_user_profile_clear_target"() is 'coexist: split_user_profile';
create function "public"."coexist_split_user_profile_lock_source"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  perform 1 from "public"."users" as w where w."id" = new."user_id" for no key update;
  if not found then
    raise exception using errcode = 'foreign_key_violation', schema = tg_table_schema, table = tg_table_name,
      message = 'insert on table "profiles" violates the key that it shares with table "users"';
  end if;
  return new;
end
$coexist$;
comment on function "public"."coexist_split_user_profile_lock_source"() is 'coexist: split_user_profile';
create function "public"."coexist_split_user_profile_to_source"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  if tg_op = 'DELETE' or tg_op = 'UPDATE' and old."user_id" is distinct from new."user_id" then
    update "public"."users" as w set "bio" = null, "avatar_url" = null
    where w."id" = old."user_id" and (w."bio" is not null or w."avatar_url" is not null)
      and not exists (select from "public"."profiles" as n where n."user_id" = w."id");
  end if;
  if tg_op <> 'DELETE' then
    update "public"."users" as w set "bio" = n."bio", "avatar_url" = n."avatar_url" from "public"."profiles" as n
    where w."id" = new."user_id" and n."user_id" = w."id" and (w."bio" is distinct from n."bio" or w."avatar_url" is distinct from n."avatar_url");
  end if;
  return null;
end
$coexist$;
comment on function "public"."coexist_split_user_profile_to_source"() is 'coexist: split_user_profile';
create function "public"."coexist_split_user_profile_clear_source"() returns trigger
language plpgsql
security definer
set search_path = "pg_catalog", "pg_temp"
as $coexist$
begin
  update "public"."users" as w set "bio" = null, "avatar_url" = null where (w."bio" is not null or w."avatar_url" is not null);
  return null;
end
$coexist$;
comment on function "public"."coexist_split_user_profile_clear_source"() is 'coexist: split_user_profile';
do $coexist$
declare
  owner name;
  function regprocedure;
begin
  select pg_catalog.pg_get_userbyid(c.relowner) into strict owner
    from pg_catalog.pg_class c where c.oid = '"public"."users"'::regclass;
  if owner <> current_user and pg_catalog.current_setting('is_superuser') = 'on' then
    foreach function in array array['"public"."coexist_split_user_profile_to_target"()', '"public"."coexist_split_user_profile_clear_target"()', '"public"."coexist_split_user_profile_lock_source"()', '"public"."coexist_split_user_profile_to_source"()', '"public"."coexist_split_user_profile_clear_source"()']::regprocedure[] loop
      execute format('alter function %s owner to %I', function, owner);
    end loop;
  end if;
end
$coexist$;
create trigger "zz_coexist_insert_split_user_profile" after insert on "public"."users"
for each row when ((new."bio" is not null or new."avatar_url" is not null))
execute function "public"."coexist_split_user_profile_to_target"();
comment on trigger "zz_coexist_insert_split_user_profile" on "public"."users" is 'coexist: split_user_profile';
create trigger "zz_coexist_update_split_user_profile" after update on "public"."users"
for each row when ((old."bio" is distinct from new."bio" or old."avatar_url" is distinct from new."avatar_url" or old."id" is distinct from new."id"))
execute function "public"."coexist_split_user_profile_to_target"();
comment on trigger "zz_coexist_update_split_user_profile" on "public"."users" is 'coexist: split_user_profile';
create trigger "zz_coexist_delete_split_user_profile" after delete on "public"."users"
for each row
execute function "public"."coexist_split_user_profile_to_target"();
comment on trigger "zz_coexist_delete_split_user_profile" on "public"."users" is 'coexist: split_user_profile';
create trigger "zz_coexist_truncate_split_user_profile" after truncate on "public"."users"
for each statement
execute function "public"."coexist_split_user_profile_clear_target"();
comment on trigger "zz_coexist_truncate_split_user_profile" on "public"."users" is 'coexist: split_user_profile';
create trigger "zz_coexist_lock_split_user_profile" before insert on "public"."profiles"
for each row when (pg_catalog.current_setting('coexist.backfill', true) is distinct from 'split_user_profile')
execute function "public"."coexist_split_user_profile_lock_source"();
comment on trigger "zz_coexist_lock_split_user_profile" on "public"."profiles" is 'coexist: split_user_profile';
create trigger "zz_coexist_insert_split_user_profile" after insert on "public"."profiles"
for each row when (pg_catalog.current_setting('coexist.backfill', true) is distinct from 'split_user_profile')
execute function "public"."coexist_split_user_profile_to_source"();
comment on trigger "zz_coexist_insert_split_user_profile" on "public"."profiles" is 'coexist: split_user_profile';
create trigger "zz_coexist_update_split_user_profile" after update on "public"."profiles"
for each row when ((old."bio" is distinct from new."bio" or old."avatar_url" is distinct from new."avatar_url" or old."user_id" is distinct from new."user_id"))
execute function "public"."coexist_split_user_profile_to_source"();
comment on trigger "zz_coexist_update_split_user_profile" on "public"."profiles" is 'coexist: split_user_profile';
create trigger "zz_coexist_delete_split_user_profile" after delete on "public"."profiles"
for each row
execute function "public"."coexist_split_user_profile_to_source"();
comment on trigger "zz_coexist_delete_split_user_profile" on "public"."profiles" is 'coexist: split_user_profile';
create trigger "zz_coexist_truncate_split_user_profile" after truncate on "public"."profiles"
for each statement
execute function "public"."coexist_split_user_profile_clear_source"();
comment on trigger "zz_coexist_truncate_split_user_profile" on "public"."profiles" is 'coexist: split_user_profile';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('split_user_profile', '23f620d71815a735', 'dual-writing', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'split_user_profile', id, 'done', 1, clock_timestamp() from unnest(array['sync']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
