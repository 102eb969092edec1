select
    format('publication %I', pubname),
    concat_ws(
        ', ',
        format('owner %s', pubowner::regrole),
        case when puballtables then 'all tables' end,
        case when pubinsert then 'insert' end,
        case when pubupdate then 'update' end,
        case when pubdelete then 'delete' end,
        case when pubtruncate then 'truncate' end,
        case when pubviaroot then 'via root' end,
        -- From 18 on.
        'generated columns ' || nullif(to_jsonb(pg_publication) ->> 'pubgencols', 'n')
    )
from pg_publication
