-- Functions whose text has $2 as a word, and $1 too, unless they are triggers of that table ($3): they break at run time, when the column is gone.
-- Functions whose text the server has parsed (BEGIN ATOMIC) are dependents instead.
select case nspname when 'public' then '' else nspname || '.' end || proname
from pg_proc as proc
join pg_namespace as namespace on namespace.oid = pronamespace
join pg_language as lang on lang.oid = prolang
where lanname not in ('internal', 'c')
    and nspname not in ('pg_catalog', 'information_schema', 'coexist') and nspname not like 'pg\_%'
    and prosrc ~* ('\m' || $2 || '\M')
    and (prosrc ~* ('\m' || $1 || '\M') or exists (select from pg_trigger where tgfoid = proc.oid and tgrelid = to_regclass($3)))
    and coalesce(obj_description(proc.oid, 'pg_proc') not like 'coexist: %', true)
    and not exists (
        select from pg_depend where classid = 'pg_proc'::regclass and objid = proc.oid and deptype = 'e'
    )
order by 1
