SELECT format('publication %I of %s', pubname, prrelid::regclass), ''
FROM pg_publication_rel
JOIN pg_publication ON pg_publication.oid = prpubid
JOIN pg_class ON pg_class.oid = prrelid
WHERE relnamespace = ANY ($1)
