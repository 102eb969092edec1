SELECT
    format('statistics %I.%I', nspname, stxname),
    concat_ws(
        ', ',
        format('owner %s', stxowner::regrole),
        pg_get_statisticsobjdef(pg_statistic_ext.oid),
        'target ' || nullif(stxstattarget, -1)
    )
FROM pg_statistic_ext
JOIN pg_namespace ON pg_namespace.oid = stxnamespace
WHERE stxnamespace = ANY ($1)
