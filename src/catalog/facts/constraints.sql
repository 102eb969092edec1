-- Those without an index; with one they are facts about the index, and constraint triggers are triggers.
select
    format('constraint %I on %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)),
    concat_ws(
        ', ',
        pg_get_constraintdef(pg_constraint.oid),
        case when conrelid <> 0 and not conislocal then 'not local' end,
        'inherited ' || nullif(coninhcount, 0)
    )
from pg_constraint
where contype not in ('p', 'u', 'x', 't') and connamespace = any ($1)
