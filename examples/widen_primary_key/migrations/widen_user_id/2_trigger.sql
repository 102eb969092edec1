-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- From here on every write through one shape reaches the other.
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
    if coalesce(found, 'declared') not in ('expanded', 'dual-writing') then
      raise exception using message = 'the change widen_user_id is not expanded but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step users_sync: fill coexist_widen_user_id_id, coexist_widen_user_id_invited_by of users with every write
begin;
create function "public"."coexist_widen_user_id_users_3_widen"() returns trigger
language plpgsql
as $coexist$
begin
  new."coexist_widen_user_id_id" := new."id";
  new."coexist_widen_user_id_invited_by" := new."invited_by";
  return new;
end
$coexist$;
comment on function "public"."coexist_widen_user_id_users_3_widen"() is 'coexist: widen_user_id';
create trigger "zz_coexist_3_widen_widen_user_id" before insert or update on "public"."users"
for each row
when ((new."coexist_widen_user_id_id" is distinct from new."id" or new."coexist_widen_user_id_invited_by" is distinct from new."invited_by"))
execute function "public"."coexist_widen_user_id_users_3_widen"();
comment on trigger "zz_coexist_3_widen_widen_user_id" on "public"."users" is 'coexist: widen_user_id';
alter table "public"."users" add constraint "coexist_widen_user_id_id_not_null" check ("coexist_widen_user_id_id" is not null) not valid;
comment on constraint "coexist_widen_user_id_id_not_null" on "public"."users" is 'coexist: widen_user_id';
commit;

-- step orders_sync: fill coexist_widen_user_id_user_id of orders with every write
begin;
create function "public"."coexist_widen_user_id_orders_3_widen"() returns trigger
language plpgsql
as $coexist$
begin
  new."coexist_widen_user_id_user_id" := new."user_id";
  return new;
end
$coexist$;
comment on function "public"."coexist_widen_user_id_orders_3_widen"() is 'coexist: widen_user_id';
create trigger "zz_coexist_3_widen_widen_user_id" before insert or update on "public"."orders"
for each row
when (new."coexist_widen_user_id_user_id" is distinct from new."user_id")
execute function "public"."coexist_widen_user_id_orders_3_widen"();
comment on trigger "zz_coexist_3_widen_widen_user_id" on "public"."orders" is 'coexist: widen_user_id';
alter table "public"."orders" add constraint "coexist_widen_user_id_user_id_not_null" check ("coexist_widen_user_id_user_id" is not null) not valid;
comment on constraint "coexist_widen_user_id_user_id_not_null" on "public"."orders" is 'coexist: widen_user_id';
commit;

-- step ratings_sync: fill coexist_widen_user_id_user_id of ratings with every write
begin;
create function "public"."coexist_widen_user_id_ratings_3_widen"() returns trigger
language plpgsql
as $coexist$
begin
  new."coexist_widen_user_id_user_id" := new."user_id";
  return new;
end
$coexist$;
comment on function "public"."coexist_widen_user_id_ratings_3_widen"() is 'coexist: widen_user_id';
create trigger "zz_coexist_3_widen_widen_user_id" before insert or update on "public"."ratings"
for each row
when (new."coexist_widen_user_id_user_id" is distinct from new."user_id")
execute function "public"."coexist_widen_user_id_ratings_3_widen"();
comment on trigger "zz_coexist_3_widen_widen_user_id" on "public"."ratings" is 'coexist: widen_user_id';
alter table "public"."ratings" add constraint "coexist_widen_user_id_user_id_not_null" check ("coexist_widen_user_id_user_id" is not null) not valid;
comment on constraint "coexist_widen_user_id_user_id_not_null" on "public"."ratings" is 'coexist: widen_user_id';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_user_id', '034990d4caf8bd6a', 'dual-writing', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_user_id', id, 'done', 1, clock_timestamp() from unnest(array['users_sync', 'orders_sync', 'ratings_sync']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
