SELECT
    format('policy %I on %s', polname, polrelid::regclass),
    concat_ws(
        ' ',
        CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
        'for ' || CASE polcmd
            WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all'
        END,
        'to ' || (
            SELECT string_agg(
                CASE role WHEN 0 THEN 'public' ELSE role::regrole::text END, ', ' ORDER BY role::regrole::text
            )
            FROM unnest(polroles) AS role
        ),
        'using (' || pg_get_expr(polqual, polrelid) || ')',
        'with check (' || pg_get_expr(polwithcheck, polrelid) || ')'
    )
FROM pg_policy
JOIN pg_class ON pg_class.oid = polrelid
WHERE relnamespace = ANY ($1)
