-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Takes away what the contract left for new code. Run it when no code uses the accessors of the change any more.
-- Locks rename_user_name.users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
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
    if coalesce(found, 'declared') <> 'contracted' then
      raise exception using message = 'the change rename_user_name is not contracted but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- step retire: drop rename_user_name.users, which no code uses any more
begin;
do $coexist$
begin
  if pg_catalog.obj_description(pg_catalog.to_regclass('"rename_user_name"."users"'), 'pg_class') = 'coexist: rename_user_name' then
    drop view "rename_user_name"."users";
  end if;
  if pg_catalog.obj_description(pg_catalog.to_regnamespace('"rename_user_name"'), 'pg_namespace') = 'coexist: rename_user_name' then
    drop schema "rename_user_name";
  end if;
end
$coexist$;
commit;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    delete from coexist.quarantine where change = 'rename_user_name';
    delete from coexist.conflicts where change = 'rename_user_name';
    delete from coexist.changes where name = 'rename_user_name';
    insert into coexist.log (change, level, message, runner) values ('rename_user_name', 'info', 'the change is retired', 'psql');
  end if;
end
$coexist$;
