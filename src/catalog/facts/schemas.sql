SELECT format('schema %I', nspname), format('owner %s', nspowner::regrole)
FROM pg_namespace
WHERE oid = ANY ($1)
