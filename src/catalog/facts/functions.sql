SELECT
    format(
        '%s %s',
        CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
        pg_proc.oid::regprocedure
    ),
    format(
        'owner %s, %s',
        proowner::regrole,
        CASE WHEN prokind = 'a' THEN (
            SELECT concat_ws(
                ' ', 'transition', aggtransfn, 'of', aggtranstype::regtype, 'from', agginitval, 'final', aggfinalfn
            )
            FROM pg_aggregate
            WHERE aggfnoid = pg_proc.oid
        ) ELSE pg_get_functiondef(pg_proc.oid) END
    )
FROM pg_proc
WHERE pronamespace = ANY ($1)
    -- The server makes the constructors of a range type.
    AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'i'
    )
