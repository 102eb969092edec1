-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- The before shape as it is, and the after shape beside it, empty. Old code cannot notice.
-- Locks users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks orders in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
-- Locks ratings in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if coalesce(found, 'declared') not in ('declared', 'expanded') then
      raise exception using message = 'the change widen_user_id is not declared but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step users_add_columns: add coexist_widen_user_id_id, coexist_widen_user_id_invited_by to users, empty; no row is touched
begin;
alter table "public"."users"
  add column "coexist_widen_user_id_id" bigint,
  add column "coexist_widen_user_id_invited_by" bigint;
comment on column "public"."users"."coexist_widen_user_id_id" is 'coexist: widen_user_id';
comment on column "public"."users"."coexist_widen_user_id_invited_by" is 'coexist: widen_user_id';
commit;

-- step orders_add_columns: add coexist_widen_user_id_user_id to orders, empty; no row is touched
begin;
alter table "public"."orders"
  add column "coexist_widen_user_id_user_id" bigint;
comment on column "public"."orders"."coexist_widen_user_id_user_id" is 'coexist: widen_user_id';
commit;

-- step ratings_add_columns: add coexist_widen_user_id_user_id to ratings, empty; no row is touched
begin;
alter table "public"."ratings"
  add column "coexist_widen_user_id_user_id" bigint;
comment on column "public"."ratings"."coexist_widen_user_id_user_id" is 'coexist: widen_user_id';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_user_id', '034990d4caf8bd6a', 'expanded', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_user_id', id, 'done', 1, clock_timestamp() from unnest(array['users_add_columns', 'orders_add_columns', 'ratings_add_columns']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
