-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks profiles in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if coalesce(found, 'declared') not in ('validated', 'contracted') then
      raise exception using message = 'the change split_user_profile is not validated but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step contract: drop bio, avatar_url from users
begin;
lock table "public"."users" in access exclusive mode;
lock table "public"."profiles" in access exclusive mode;
drop trigger "zz_coexist_insert_split_user_profile" on "public"."users";
drop trigger "zz_coexist_update_split_user_profile" on "public"."users";
drop trigger "zz_coexist_delete_split_user_profile" on "public"."users";
drop trigger "zz_coexist_truncate_split_user_profile" on "public"."users";
drop trigger "zz_coexist_lock_split_user_profile" on "public"."profiles";
drop trigger "zz_coexist_insert_split_user_profile" on "public"."profiles";
drop trigger "zz_coexist_update_split_user_profile" on "public"."profiles";
drop trigger "zz_coexist_delete_split_user_profile" on "public"."profiles";
drop trigger "zz_coexist_truncate_split_user_profile" on "public"."profiles";
drop function "public"."coexist_split_user_profile_to_target"();
drop function "public"."coexist_split_user_profile_clear_target"();
drop function "public"."coexist_split_user_profile_lock_source"();
drop function "public"."coexist_split_user_profile_to_source"();
drop function "public"."coexist_split_user_profile_clear_source"();
alter table "public"."users"
  drop column "bio",
  drop column "avatar_url";
comment on constraint "profiles_user_id_fkey" on "public"."profiles" is null;
comment on table "public"."profiles" is null;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('split_user_profile', '23f620d71815a735', 'contracted', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'split_user_profile', id, 'done', 1, clock_timestamp() from unnest(array['contract']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
