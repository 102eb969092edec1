-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Takes the change back from any phase before the contract. What new code wrote stays, in the before shape.
-- Locks rename_user_name.users in ACCESS EXCLUSIVE mode for milliseconds once it is granted: reads and writes wait.
--
-- Made by `cargo build` from the declaration; edits are overwritten. Run with psql, or let `coexist up` do it.

\set ON_ERROR_STOP on
set client_min_messages = warning;
set search_path = "pg_catalog", "public", "pg_temp";
set lock_timeout = '500ms';

-- not after the contract, as far as the ledger knows
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    if exists (select from coexist.changes where name = 'rename_user_name' and phase = 'contracted')
      or exists (select from coexist.steps where change = 'rename_user_name' and id in ('contract') and state = 'done') then
      raise exception using message = 'the change rename_user_name is past the point of no return',
        hint = 'The contract removed the before shape: declare the way back as a change of its own.';
    end if;
  end if;
end
$coexist$;

-- undo view
begin;
do $coexist$
begin
  if pg_catalog.obj_description(pg_catalog.to_regclass('"rename_user_name"."users"'), 'pg_class') = 'coexist: rename_user_name' then
    if not exists (
      select from pg_catalog.pg_attribute a
      where a.attrelid = '"public"."users"'::regclass and a.attname = 'name' and not a.attisdropped
    ) then
      raise exception using message = 'column name of users does not belong to the change rename_user_name any more: nothing is taken back',
        hint = 'The contract has given it its final name.';
    end if;
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
    update coexist.changes set phase = 'declared', direction = 'rolled back', runner = 'psql',
      paused = false, pause_reason = null, updated_at = clock_timestamp()
      where name = 'rename_user_name';
    update coexist.steps set state = 'undone', finished_at = clock_timestamp() where change = 'rename_user_name';
    delete from coexist.segments where change = 'rename_user_name';
    delete from coexist.quarantine where change = 'rename_user_name';
    delete from coexist.conflicts where change = 'rename_user_name';
  end if;
end
$coexist$;
