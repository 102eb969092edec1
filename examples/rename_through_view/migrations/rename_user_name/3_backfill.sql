-- coexist: change rename_user_name
-- Invoices address people by their full name.
--
-- Every row that is not yet in the after shape, in batches that commit as they go; run again, it goes on with what is left.
-- Rows that new code wrote are never touched. Locks rows, a batch at a time.
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
    select phase into found from coexist.changes where name = 'rename_user_name';
    if coalesce(found, 'declared') not in ('dual-writing', 'backfilled') then
      raise exception using message = 'the change rename_user_name is not dual-writing but ' || coalesce(found, 'declared'),
        hint = 'Run the files in the order of their numbers, or let `coexist up` do it.';
    end if;
  end if;
end
$coexist$;

-- tell the ledger, where there is one
do $coexist$
begin
  if to_regclass('coexist.changes') is not null then
    insert into coexist.changes (name, fingerprint, phase, stage, plan, runner)
    values ('rename_user_name', 'cffa0b3fa4155762', 'backfilled', 'contract', '', 'psql')
    on conflict (name) do update set fingerprint = excluded.fingerprint, phase = excluded.phase, stage = excluded.stage,
      direction = 'forward', runner = excluded.runner, updated_at = clock_timestamp();
  end if;
end
$coexist$;
