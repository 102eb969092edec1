-- coexist: change split_user_profile
-- Profiles are read rarely and are large.
--
-- The before shape as it is, and the after shape beside it, empty. Old code cannot notice.
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
    if coalesce(found, 'declared') not in ('declared', 'expanded') then
      raise exception using message = 'the change split_user_profile is not declared but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step create_table: create profiles, empty, with the owner and the privileges of users
begin;
create table "public"."profiles" (
  "user_id" bigint not null,
  "bio" text,
  "avatar_url" text,
  constraint "profiles_pkey" primary key ("user_id")
);
do $coexist$
declare
  granted record;
  owner name;
begin
  select pg_catalog.pg_get_userbyid(c.relowner) into strict owner
    from pg_catalog.pg_class c where c.oid = '"public"."users"'::regclass;
  if owner <> current_user then
    execute format('alter table "public"."profiles" owner to %I', owner);
  end if;
  for granted in
    select a.privilege_type, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    where c.oid = '"public"."users"'::regclass and a.grantee <> c.relowner
    order by 3, 1
  loop
    execute format('grant %s on "public"."profiles" to %s%s', granted.privilege_type, granted.role,
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
    where c.attrelid = '"public"."users"'::regclass and c.attname = 'id' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("user_id") on "public"."profiles" to %s%s', granted.privilege_type, granted.role,
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
    where c.attrelid = '"public"."users"'::regclass and c.attname = 'bio' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("bio") on "public"."profiles" to %s%s', granted.privilege_type, granted.role,
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
    where c.attrelid = '"public"."users"'::regclass and c.attname = 'avatar_url' and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant %s ("avatar_url") on "public"."profiles" to %s%s', granted.privilege_type, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
comment on table "public"."profiles" is 'coexist: split_user_profile';
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('split_user_profile', '23f620d71815a735', 'expanded', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'split_user_profile', id, 'done', 1, clock_timestamp() from unnest(array['create_table']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
