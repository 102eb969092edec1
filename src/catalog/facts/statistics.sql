select
    format('statistics %I.%I', nspname, stxname),
    concat_ws(
        ', ',
        format('owner %s', stxowner::regrole),
        pg_get_statisticsobjdef(pg_statistic_ext.oid),
        'target ' || nullif(stxstattarget, -1)
    )
from pg_statistic_ext
join pg_namespace on pg_namespace.oid = stxnamespace
where stxnamespace = any ($1)
