-- Tables, views and composite types, without their columns.
select
    format(
        '%s %s',
        case relkind
            when 'r' then 'table'
            when 'p' then 'partitioned table'
            when 'f' then 'foreign table'
            when 'v' then 'view'
            when 'm' then 'materialized view'
            when 'c' then 'composite type'
        end,
        relation.oid::regclass
    ),
    concat_ws(
        ', ',
        format('owner %s', relowner::regrole),
        case relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
        'access method ' || (select amname from pg_am where oid = relam and amname <> 'heap'),
        'tablespace ' || (select spcname from pg_tablespace where oid = reltablespace),
        'of ' || nullif(reloftype, 0)::regtype,
        'options ' || (select string_agg(option, ' ' order by option) from unnest(reloptions) as option),
        'toast options ' || (
            select string_agg(option, ' ' order by option)
            from pg_class as toast, unnest(toast.reloptions) as option
            where toast.oid = relation.reltoastrelid
        ),
        case when relrowsecurity then 'row security' end,
        case when relforcerowsecurity then 'forced row security' end,
        case when relkind in ('r', 'p') then
            case relreplident
                when 'n' then 'replica identity nothing'
                when 'f' then 'replica identity full'
                when 'i' then 'replica identity index'
            end
        end,
        case when relkind = 'm' and not relispopulated then 'not populated' end,
        'inherits ' || (
            select string_agg(inhparent::regclass::text, ' ' order by inhseqno)
            from pg_inherits
            where inhrelid = relation.oid
        ),
        pg_get_expr(relpartbound, relation.oid),
        'partitioned by ' || case when relkind = 'p' then pg_get_partkeydef(relation.oid) end,
        (
            select format('server %I options %s', srvname, ftoptions)
            from pg_foreign_table
            join pg_foreign_server on pg_foreign_server.oid = ftserver
            where ftrelid = relation.oid
        ),
        case when relkind in ('v', 'm') then pg_get_viewdef(relation.oid) end
    )
from pg_class as relation
where relkind in ('r', 'p', 'f', 'v', 'm', 'c') and relnamespace = any ($1)
