SELECT
    format('publication %I', pubname),
    concat_ws(
        ', ',
        format('owner %s', pubowner::regrole),
        CASE WHEN puballtables THEN 'all tables' END,
        CASE WHEN pubinsert THEN 'insert' END,
        CASE WHEN pubupdate THEN 'update' END,
        CASE WHEN pubdelete THEN 'delete' END,
        CASE WHEN pubtruncate THEN 'truncate' END,
        CASE WHEN pubviaroot THEN 'via root' END,
        -- From 18 on.
        'generated columns ' || nullif(to_jsonb(pg_publication) ->> 'pubgencols', 'n')
    )
FROM pg_publication
