-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- Indexes and constraints of the after shape, each built or checked while the tables are written. Run verify.sql after it.
-- Locks profiles in SHARE ROW EXCLUSIVE mode for milliseconds once it is granted: writes wait, reads go on.
-- Locks users in EXCLUSIVE mode for milliseconds once it is granted: writes and SELECT FOR UPDATE wait, reads go on.
-- Locks profiles in SHARE UPDATE EXCLUSIVE mode while the table is read once: reads and writes go on, other schema changes and VACUUM wait.
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
    if coalesce(found, 'declared') not in ('backfilled', 'validated') then
      raise exception using message = 'the change split_user_profile is not backfilled but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step analyze: give the planner statistics of the new columns
begin;
analyze "public"."profiles" ("user_id", "bio", "avatar_url");
commit;

-- step foreign_key_profiles_user_id_fkey: hold new rows to the foreign key profiles_user_id_fkey
begin;
lock table "public"."users" in exclusive mode;
lock table "public"."profiles" in share row exclusive mode;
alter table "public"."profiles" add constraint "profiles_user_id_fkey" foreign key ("user_id") references "public"."users" ("id") on update cascade on delete cascade not valid;
comment on constraint "profiles_user_id_fkey" on "public"."profiles" is 'coexist: split_user_profile';
commit;

-- step validate_profiles_user_id_fkey: check every row: profiles_user_id_fkey
begin;
alter table "public"."profiles" validate constraint "profiles_user_id_fkey";
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('split_user_profile', '23f620d71815a735', 'validated', 'migrate', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'split_user_profile', id, 'done', 1, clock_timestamp() from unnest(array['analyze', 'foreign_key_profiles_user_id_fkey', 'validate_profiles_user_id_fkey']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
