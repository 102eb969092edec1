-- coexist: change widen_user_id
-- There will be more than 2^31 users.
--
-- The before shape goes. There is no way back: run it when nothing uses that shape and verify.sql finds no difference.
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
    if coalesce(found, 'declared') not in ('validated', 'contracted') then
      raise exception using message = 'the change widen_user_id is not validated but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step contract: swap in the wider columns: id, invited_by of users; user_id of orders; user_id of ratings
begin;
lock table "public"."users" in access exclusive mode;
lock table "public"."orders" in access exclusive mode;
lock table "public"."ratings" in access exclusive mode;
drop trigger "zz_coexist_3_widen_widen_user_id" on "public"."users";
drop function "public"."coexist_widen_user_id_users_3_widen"();
drop trigger "zz_coexist_3_widen_widen_user_id" on "public"."orders";
drop function "public"."coexist_widen_user_id_orders_3_widen"();
drop trigger "zz_coexist_3_widen_widen_user_id" on "public"."ratings";
drop function "public"."coexist_widen_user_id_ratings_3_widen"();
alter table "public"."users" drop constraint "users_invited_by_fkey";
alter table "public"."orders" drop constraint "orders_user_id_fkey";
alter table "public"."ratings" drop constraint "ratings_user_id_fkey";
alter table "public"."users" drop constraint "users_pkey";
drop index "public"."orders_user_id_idx";
alter table "public"."ratings" drop constraint "ratings_pkey";
alter table "public"."users" alter column "coexist_widen_user_id_id" set not null;
alter table "public"."users" drop constraint "coexist_widen_user_id_id_not_null";
do $coexist$
declare
  old record;
  reached bigint;
  is_called boolean;
begin
  select s.*, s.seqrelid::regclass::text as name into strict old from pg_catalog.pg_sequence s
    where s.seqrelid = pg_catalog.pg_get_serial_sequence('"public"."users"', 'id')::regclass;
  execute format('select last_value, is_called from %s', old.name) into reached, is_called;
  execute format(
    'alter table "public"."users" alter column "coexist_widen_user_id_id" add generated always as identity (sequence name "public"."coexist_widen_user_id_coexist_widen_user_id_id_seq" increment %s %s %s start %s cache %s %s)',
    old.seqincrement,
    case when old.seqmin = -2147483648 then '' else 'minvalue ' || old.seqmin end,
    case when old.seqmax = 2147483647 then '' else 'maxvalue ' || old.seqmax end,
    old.seqstart, old.seqcache, case when old.seqcycle then 'cycle' else 'no cycle' end
  );
  perform pg_catalog.setval('"public"."coexist_widen_user_id_coexist_widen_user_id_id_seq"', reached, is_called);
end
$coexist$;
do $coexist$
declare
  granted record;
begin
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."users"'::regclass and c.attname = 'id' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("coexist_widen_user_id_id") on "public"."users" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
do $coexist$
declare
  granted record;
begin
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."users"'::regclass and c.attname = 'invited_by' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("coexist_widen_user_id_invited_by") on "public"."users" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
alter table "public"."orders" alter column "coexist_widen_user_id_user_id" set not null;
alter table "public"."orders" drop constraint "coexist_widen_user_id_user_id_not_null";
do $coexist$
declare
  granted record;
begin
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."orders"'::regclass and c.attname = 'user_id' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("coexist_widen_user_id_user_id") on "public"."orders" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
alter table "public"."ratings" alter column "coexist_widen_user_id_user_id" set not null;
alter table "public"."ratings" drop constraint "coexist_widen_user_id_user_id_not_null";
do $coexist$
declare
  granted record;
begin
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_attribute c, pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."ratings"'::regclass and c.attname = 'user_id' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("coexist_widen_user_id_user_id") on "public"."ratings" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
alter table "public"."users"
  drop column "id",
  drop column "invited_by";
alter sequence "public"."coexist_widen_user_id_coexist_widen_user_id_id_seq" rename to "users_id_seq";
alter table "public"."users" rename column "coexist_widen_user_id_id" to "id";
do $coexist$
declare
  given name;
begin
  select c.conname into given from pg_catalog.pg_constraint c, pg_catalog.pg_attribute a
    where c.contype = 'n' and c.conrelid = '"public"."users"'::regclass
    and a.attrelid = c.conrelid and a.attname = 'id' and c.conkey = array[a.attnum];
  if given <> 'users_id_not_null' then
    execute format('alter table "public"."users" rename constraint %I to %I', given, 'users_id_not_null');
  end if;
end
$coexist$;
comment on column "public"."users"."id" is null;
alter table "public"."users" rename column "coexist_widen_user_id_invited_by" to "invited_by";
comment on column "public"."users"."invited_by" is null;
alter table "public"."orders"
  drop column "user_id";
alter table "public"."orders" rename column "coexist_widen_user_id_user_id" to "user_id";
do $coexist$
declare
  given name;
begin
  select c.conname into given from pg_catalog.pg_constraint c, pg_catalog.pg_attribute a
    where c.contype = 'n' and c.conrelid = '"public"."orders"'::regclass
    and a.attrelid = c.conrelid and a.attname = 'user_id' and c.conkey = array[a.attnum];
  if given <> 'orders_user_id_not_null' then
    execute format('alter table "public"."orders" rename constraint %I to %I', given, 'orders_user_id_not_null');
  end if;
end
$coexist$;
comment on column "public"."orders"."user_id" is null;
alter table "public"."ratings"
  drop column "user_id";
alter table "public"."ratings" rename column "coexist_widen_user_id_user_id" to "user_id";
do $coexist$
declare
  given name;
begin
  select c.conname into given from pg_catalog.pg_constraint c, pg_catalog.pg_attribute a
    where c.contype = 'n' and c.conrelid = '"public"."ratings"'::regclass
    and a.attrelid = c.conrelid and a.attname = 'user_id' and c.conkey = array[a.attnum];
  if given <> 'ratings_user_id_not_null' then
    execute format('alter table "public"."ratings" rename constraint %I to %I', given, 'ratings_user_id_not_null');
  end if;
end
$coexist$;
comment on column "public"."ratings"."user_id" is null;
alter table "public"."users" add constraint "users_pkey" primary key using index "coexist_widen_user_id_users_pkey";
comment on index "public"."users_pkey" is null;
comment on constraint "users_pkey" on "public"."users" is null;
alter table "public"."users" rename constraint "coexist_widen_user_id_users_invited_by_fkey" to "users_invited_by_fkey";
comment on constraint "users_invited_by_fkey" on "public"."users" is null;
alter table "public"."orders" rename constraint "coexist_widen_user_id_orders_user_id_fkey" to "orders_user_id_fkey";
comment on constraint "orders_user_id_fkey" on "public"."orders" is null;
alter index "public"."coexist_widen_user_id_orders_user_id_idx" rename to "orders_user_id_idx";
comment on index "public"."orders_user_id_idx" is null;
alter table "public"."ratings" add constraint "ratings_pkey" primary key using index "coexist_widen_user_id_ratings_pkey";
comment on index "public"."ratings_pkey" is null;
comment on constraint "ratings_pkey" on "public"."ratings" is null;
alter table "public"."ratings" rename constraint "coexist_widen_user_id_ratings_user_id_fkey" to "ratings_user_id_fkey";
comment on constraint "ratings_user_id_fkey" on "public"."ratings" is null;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('widen_user_id', '034990d4caf8bd6a', 'contracted', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'widen_user_id', id, 'done', 1, clock_timestamp() from unnest(array['contract']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
