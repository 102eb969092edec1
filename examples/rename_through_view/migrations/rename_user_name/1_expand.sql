-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- The before shape as it is, and the after shape beside it, empty. Old code cannot notice.
-- Locks users in ACCESS SHARE mode for milliseconds once it is granted: reads and writes go on.
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
    select phase into found from coexist.changes where name = 'rename_user_name';
    if coalesce(found, 'declared') not in ('declared', 'expanded') then
      raise exception using message = 'the change rename_user_name is not declared but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step view: create rename_user_name.users, a view of users, with its owner and its privileges; no row is read
begin;
create schema "rename_user_name";
comment on schema "rename_user_name" is 'coexist: rename_user_name';
create view "rename_user_name"."users" as
  select "id",
    "email",
    "name" as "full_name"
  from "public"."users";
comment on view "rename_user_name"."users" is 'coexist: rename_user_name';
do $coexist$
declare
  owner name;
  by_row boolean;
  by_column boolean;
  granted record;
begin
  select pg_catalog.pg_get_userbyid(c.relowner), c.relrowsecurity,
    exists (select from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attacl is not null and not a.attisdropped)
  into strict owner, by_row, by_column
  from pg_catalog.pg_class c where c.oid = '"public"."users"'::regclass;
  if by_row and (pg_catalog.current_setting('server_version_num')::integer < 150000 or by_column) then
    raise exception using message = 'users has row level security, which a view of it cannot obey here',
      hint = 'It can on PostgreSQL 15 and later, where no role has privileges on single columns. Else copy the column: leave out `through view`.';
  end if;
  if not by_column and not pg_catalog.current_setting('server_version_num')::integer < 150000 then
    execute 'alter view "rename_user_name"."users" set (security_invoker = true)';
  end if;
  if owner <> current_user then
    execute format('grant usage, create on schema "rename_user_name" to %I', owner);
    execute format('alter view "rename_user_name"."users" owner to %I', owner);
  end if;
  for granted in
    select a.privilege_type as privilege, a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end as role
    from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
    where c.oid = '"public"."users"'::regclass and a.grantee <> c.relowner
    union all
    select a.privilege_type || ' (' || quote_ident(shown.name) || ')', a.is_grantable,
      case a.grantee when 0 then 'public' else quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) end
    from pg_catalog.pg_attribute c
    join (values ('id', 'id'), ('email', 'email'), ('name', 'full_name')) as shown (of, name) on shown.of = c.attname,
      pg_catalog.aclexplode(c.attacl) a
    where c.attrelid = '"public"."users"'::regclass and not c.attisdropped
    order by 3, 1
  loop
    execute format('grant usage on schema "rename_user_name" to %s', granted.role);
    execute format('grant %s on "rename_user_name"."users" to %s%s', granted.privilege, granted.role,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$coexist$;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('rename_user_name', 'cffa0b3fa4155762', 'expanded', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
    insert into coexist.steps (change, id, state, tries, finished_at)
    select 'rename_user_name', id, 'done', 1, clock_timestamp() from unnest(array['view']) as id
    on conflict (change, id) do update set state = excluded.state, finished_at = excluded.finished_at;
  end if;
end
$coexist$;
