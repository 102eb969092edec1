SELECT
    format('publication %I of %s', pubname, prrelid::regclass),
    concat_ws(
        ' ',
        (
            SELECT format('(%s)', string_agg(quote_ident(attname), ', ' ORDER BY attnum))
            FROM pg_attribute
            WHERE attrelid = prrelid AND attnum = ANY (prattrs)
            HAVING count(*) > 0
        ),
        'where ' || pg_get_expr(prqual, prrelid)
    )
FROM pg_publication_rel
JOIN pg_publication ON pg_publication.oid = prpubid
JOIN pg_class ON pg_class.oid = prrelid
WHERE relnamespace = ANY ($1)
UNION ALL
SELECT format('publication %I of schema %s', pubname, pnnspid::regnamespace), ''
FROM pg_publication_namespace
JOIN pg_publication ON pg_publication.oid = pnpubid
WHERE pnnspid = ANY ($1)
