-- Tables, views and composite types, without their columns.
SELECT
    format(
        '%s %s',
        CASE relkind
            WHEN 'r' THEN 'table'
            WHEN 'p' THEN 'partitioned table'
            WHEN 'f' THEN 'foreign table'
            WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view'
            WHEN 'c' THEN 'composite type'
        END,
        relation.oid::regclass
    ),
    concat_ws(
        ', ',
        format('owner %s', relowner::regrole),
        CASE relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        'access method ' || (SELECT amname FROM pg_am WHERE oid = relam AND amname <> 'heap'),
        'tablespace ' || (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace),
        'of ' || nullif(reloftype, 0)::regtype,
        'options ' || (SELECT string_agg(option, ' ' ORDER BY option) FROM unnest(reloptions) AS option),
        'toast options ' || (
            SELECT string_agg(option, ' ' ORDER BY option)
            FROM pg_class AS toast, unnest(toast.reloptions) AS option
            WHERE toast.oid = relation.reltoastrelid
        ),
        CASE WHEN relrowsecurity THEN 'row security' END,
        CASE WHEN relforcerowsecurity THEN 'forced row security' END,
        CASE WHEN relkind IN ('r', 'p') THEN
            CASE relreplident
                WHEN 'n' THEN 'replica identity nothing'
                WHEN 'f' THEN 'replica identity full'
                WHEN 'i' THEN 'replica identity index'
            END
        END,
        CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'not populated' END,
        'inherits ' || (
            SELECT string_agg(inhparent::regclass::text, ' ' ORDER BY inhseqno)
            FROM pg_inherits
            WHERE inhrelid = relation.oid
        ),
        pg_get_expr(relpartbound, relation.oid),
        'partitioned by ' || CASE WHEN relkind = 'p' THEN pg_get_partkeydef(relation.oid) END,
        (
            SELECT format('server %I options %s', srvname, ftoptions)
            FROM pg_foreign_table
            JOIN pg_foreign_server ON pg_foreign_server.oid = ftserver
            WHERE ftrelid = relation.oid
        ),
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(relation.oid) END
    )
FROM pg_class AS relation
WHERE relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND relnamespace = ANY ($1)
