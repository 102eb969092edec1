SELECT format('extension %I', extname), format('version %s, schema %I', extversion, nspname)
FROM pg_extension
JOIN pg_namespace ON pg_namespace.oid = extnamespace
