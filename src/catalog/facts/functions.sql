select
    format(
        '%s %s',
        case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end,
        pg_proc.oid::regprocedure
    ),
    format(
        'owner %s, %s',
        proowner::regrole,
        case when prokind = 'a' then (
            select concat_ws(
                ' ', 'transition', aggtransfn, 'of', aggtranstype::regtype, 'from', agginitval, 'final', aggfinalfn
            )
            from pg_aggregate
            where aggfnoid = pg_proc.oid
        ) else pg_get_functiondef(pg_proc.oid) end
    )
from pg_proc
where pronamespace = any ($1)
    -- The server makes the constructors of a range type.
    and not exists (
        select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'i'
    )
